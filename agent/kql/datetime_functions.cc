// Functions of datetimes and timespans. now() is one moment for the whole query. What leaves the
// calendar (years 1 to 9999) is null.

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "agent/kql/kernel.h"
#include "base/text.h"

namespace picket::kql {
namespace {

constexpr Timespan kMicrosecond{10};
constexpr std::int64_t kMostParts = std::int64_t{1} << 40;  // of datetime_add; none is in range

void Put(ColumnBuilder& out, std::optional<Instant> t) {
  if (!t || t->ticks < 0 || t->ticks > Instant::kMaxTicks) return out.Null();
  out.Number(t->ticks);
}

ColumnPtr Now(const EvalContext& context, const Arguments& a, std::size_t rows) {
  Instant now = context.now;
  if (!a.empty() && !a[0]->IsNull(0)) now = now + Timespan{a[0]->Number(0)};
  return ConstantColumn(Value::DateTime(now), rows);
}

ColumnPtr Ago(const EvalContext& context, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDateTime, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row)) return out.Null();
    out.Number((context.now - Timespan{a[0]->Number(row)}).ticks);
  });
}

// The first moment of the period that holds the time, and of the one `n` periods later.
using Start = std::optional<Instant> (*)(Instant t, std::int64_t n);

std::optional<Instant> DayStart(Instant t, std::int64_t n) {
  return Instant{t.ticks - t.ticks % kDay.ticks} + kDay * n;
}
// Weeks begin on Sunday; day 0 of the calendar was a Monday.
std::int64_t Weekday(Instant t) { return (t.ticks / kDay.ticks + 1) % 7; }
std::optional<Instant> WeekStart(Instant t, std::int64_t n) {
  return *DayStart(t, 0) - kDay * Weekday(t) + kDay * (7 * n);
}
// The months' number counts from year 0.
std::optional<Instant> MonthStart(std::int64_t month) {
  const std::int64_t year = month / 12;
  if (month < 12 || year > 10'000) return std::nullopt;
  return FromCivil(
      {.year = static_cast<int>(year), .month = static_cast<int>(month % 12) + 1, .day = 1});
}
std::int64_t MonthNumber(Instant t) {
  const CivilTime civil = ToCivil(t);
  return std::int64_t{civil.year} * 12 + civil.month - 1;
}
std::optional<Instant> MonthStart(Instant t, std::int64_t n) {
  return MonthStart(MonthNumber(t) + n);
}
std::optional<Instant> YearStart(Instant t, std::int64_t n) {
  return MonthStart((ToCivil(t).year + n) * 12);
}

// f(time, n) for startof…(time, n)
template <class F>
ColumnPtr MapPeriod(const Arguments& a, std::size_t rows, F f) {
  return MapRows(Type::kDateTime, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row)) return out.Null();
    const std::int64_t n = a.size() > 1 ? ToLong(*a[1], row).value_or(0) : 0;
    if (n > kMostParts || n < -kMostParts) return out.Null();
    Put(out, f(Instant{a[0]->Number(row)}, n));
  });
}

template <Start kStart>
ColumnPtr StartOf(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapPeriod(a, rows, [](Instant t, std::int64_t n) { return kStart(t, n); });
}
template <Start kStart>
ColumnPtr EndOf(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapPeriod(a, rows, [](Instant t, std::int64_t n) -> std::optional<Instant> {
    const std::optional<Instant> next = kStart(t, n + 1);
    if (!next) return std::nullopt;
    return *next - kTick;
  });
}

std::int64_t DayOfYear(Instant t) { return (t.ticks - YearStart(t, 0)->ticks) / kDay.ticks + 1; }

// ISO 8601: the week of the year that the week's Thursday lies in.
std::int64_t WeekOfYear(Instant t) {
  const std::int64_t since_monday = t.ticks / kDay.ticks % 7;
  const Instant thursday{t.ticks + (3 - since_monday) * kDay.ticks};
  if (thursday.ticks < 0) return 1;
  return (DayOfYear(thursday) - 1) / 7 + 1;
}

using PartOf = std::int64_t (*)(Instant t);
struct Part {
  std::string_view name;
  PartOf of;
};
constexpr std::array<Part, 13> kParts = {{
    {"year", [](Instant t) { return std::int64_t{ToCivil(t).year}; }},
    {"quarter", [](Instant t) { return std::int64_t{(ToCivil(t).month - 1) / 3 + 1}; }},
    {"month", [](Instant t) { return std::int64_t{ToCivil(t).month}; }},
    {"week_of_year", &WeekOfYear},
    {"weekofyear", &WeekOfYear},
    {"day", [](Instant t) { return std::int64_t{ToCivil(t).day}; }},
    {"dayofyear", &DayOfYear},
    {"hour", [](Instant t) { return t.ticks / kHour.ticks % 24; }},
    {"minute", [](Instant t) { return t.ticks / kMinute.ticks % 60; }},
    {"second", [](Instant t) { return t.ticks / kSecond.ticks % 60; }},
    {"millisecond", [](Instant t) { return t.ticks / kMillisecond.ticks % 1000; }},
    {"microsecond", [](Instant t) { return t.ticks / kMicrosecond.ticks % 1'000'000; }},
    {"nanosecond", [](Instant t) { return t.ticks % kSecond.ticks * 100; }},
}};

template <PartOf kPart>
ColumnPtr PartKernel(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row)) return out.Null();
    out.Number(kPart(Instant{a[0]->Number(row)}));
  });
}

ColumnPtr DateTimePart(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string name = AsciiLower(ToText(*a[0], row));
    for (const Part& part : kParts) {
      if (part.name != name || a[1]->IsNull(row)) continue;
      return out.Number(part.of(Instant{a[1]->Number(row)}));
    }
    out.Null();
  });
}

// A timespan: Sunday is 0. Of the calendar's last days, whose week does not end, null.
ColumnPtr DayOfWeek(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kTimespan, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row)) return out.Null();
    const Instant t{a[0]->Number(row)};
    if (WeekStart(t, 1)->ticks - 1 > Instant::kMaxTicks) return out.Null();
    out.Number(Weekday(t) * kDay.ticks);
  });
}

// Parts of one length; the others are counted by the calendar.
std::optional<Timespan> LengthOf(std::string_view part) {
  if (part == "week") return kDay * 7;
  if (part == "day") return kDay;
  if (part == "hour") return kHour;
  if (part == "minute") return kMinute;
  if (part == "second") return kSecond;
  if (part == "millisecond") return kMillisecond;
  if (part == "microsecond") return kMicrosecond;
  return std::nullopt;
}
std::optional<std::int64_t> MonthsOf(std::string_view part) {
  if (part == "year") return 12;
  if (part == "quarter") return 3;
  if (part == "month") return 1;
  return std::nullopt;
}

std::optional<Instant> AddMonths(Instant t, std::int64_t months) {
  const CivilTime civil = ToCivil(t);
  const std::optional<Instant> month = MonthStart(MonthNumber(t) + months);
  const std::optional<Instant> next = MonthStart(MonthNumber(t) + months + 1);
  if (!month || !next) return std::nullopt;
  // The 31st of a shorter month is its last day.
  const std::int64_t days = (*next - *month).ticks / kDay.ticks;
  const std::int64_t day = std::min<std::int64_t>(civil.day, days) - 1;
  return *month + kDay * day + Timespan{t.ticks % kDay.ticks};
}

std::optional<Instant> AddParts(std::string_view part, std::int64_t n, Instant t) {
  if (n > kMostParts * 1000 || n < -kMostParts * 1000) return std::nullopt;
  if (const auto months = MonthsOf(part)) {
    if (n > 200'000 || n < -200'000) return std::nullopt;
    return AddMonths(t, n * *months);
  }
  if (part == "nanosecond") return t + Timespan{n / 100};
  const std::optional<Timespan> length = LengthOf(part);
  std::int64_t ticks = 0;
  if (!length || __builtin_mul_overflow(length->ticks, n, &ticks)) return std::nullopt;
  if (__builtin_add_overflow(ticks, t.ticks, &ticks)) return std::nullopt;
  return Instant{ticks};
}

ColumnPtr DateTimeAdd(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDateTime, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<std::int64_t> n = ToLong(*a[1], row);
    if (!n || a[2]->IsNull(row)) return out.Null();
    Put(out, AddParts(AsciiLower(ToText(*a[0], row)), *n, Instant{a[2]->Number(row)}));
  });
}

// How many borders of the part lie between the two.
std::optional<std::int64_t> Borders(std::string_view part, Instant x, Instant y) {
  if (const auto months = MonthsOf(part))
    return MonthNumber(x) / *months - MonthNumber(y) / *months;
  if (part == "nanosecond") return (x.ticks - y.ticks) * 100;
  // Weeks begin on Sunday.
  const std::int64_t shift = part == "week" ? kDay.ticks : 0;
  const std::optional<Timespan> length = LengthOf(part);
  if (!length) return std::nullopt;
  return (x.ticks + shift) / length->ticks - (y.ticks + shift) / length->ticks;
}

ColumnPtr DateTimeDiff(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[1]->IsNull(row) || a[2]->IsNull(row)) return out.Null();
    const auto borders = Borders(AsciiLower(ToText(*a[0], row)), Instant{a[1]->Number(row)},
                                 Instant{a[2]->Number(row)});
    if (!borders) return out.Null();
    out.Number(*borders);
  });
}

// A number of seconds as ticks, to the nearest.
std::int64_t TicksOf(double seconds) {
  return std::llround(seconds * static_cast<double>(kSecond.ticks));
}

// make_datetime(year, month, day, hour, minute, second), or of one value what todatetime() gives.
ColumnPtr MakeDateTime(const EvalContext& context, const Arguments& a, std::size_t rows) {
  if (a.size() == 1) return FindFunction("todatetime")->run(context, a, rows);
  return MapRows(Type::kDateTime, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::array<std::int64_t, 5> parts = {1, 1, 1, 0, 0};
    for (std::size_t i = 0; i < a.size() && i < parts.size(); ++i) {
      const auto part = ToLong(*a[i], row);
      if (!part) return out.Null();
      parts.at(i) = *part;
    }
    const double seconds = a.size() > 5 ? ToReal(*a[5], row).value_or(-1) : 0;
    if (!(seconds >= 0 && seconds < 60)) return out.Null();
    const auto t = ParseRfc3339(fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:00Z", parts[0], parts[1],
                                            parts[2], parts[3], parts[4]));
    if (!t) return out.Null();
    Put(out, *t + Timespan{TicksOf(seconds)});
  });
}

std::optional<Type> BindMakeDateTime(const std::vector<Type>& types, std::string& why) {
  if (types.size() != 2) return Type::kDateTime;
  why = "year, month and day are needed, or one value";
  return std::nullopt;
}

// make_timespan(hours, minutes), (hours, minutes, seconds), (days, hours, minutes, seconds), or of
// one value what totimespan() gives. Null when a part beyond days is out of its range.
ColumnPtr MakeTimespan(const EvalContext& context, const Arguments& a, std::size_t rows) {
  if (a.size() == 1) return FindFunction("totimespan")->run(context, a, rows);
  return MapRows(Type::kTimespan, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::array<double, 4> parts{};  // days, hours, minutes, seconds
    const std::size_t first = a.size() == 4 ? 0 : 1;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const auto part = ToReal(*a[i], row);
      if (!part) return out.Null();
      parts.at(first + i) = *part;
    }
    const auto within = [](double part, double end) { return part >= 0 && part < end; };
    if (!within(parts[0], 10'675'199) || !within(parts[1], 24) || !within(parts[2], 60) ||
        !within(parts[3], 60)) {
      return out.Null();
    }
    out.Number((kDay * std::llround(parts[0]) + kHour * std::llround(parts[1]) +
                kMinute * std::llround(parts[2]))
                   .ticks +
               TicksOf(parts[3]));
  });
}

// kPerSecond units since 1970
template <std::int64_t kPerSecond>
ColumnPtr FromUnixTime(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDateTime, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row)) return out.Null();
    if (a[0]->type != Type::kReal) {
      const std::int64_t value = a[0]->Number(row);
      std::int64_t ticks = 0;
      if (kPerSecond > kSecond.ticks) {
        ticks = value / (kPerSecond / kSecond.ticks);
      } else if (__builtin_mul_overflow(value, kSecond.ticks / kPerSecond, &ticks)) {
        return out.Null();
      }
      if (__builtin_add_overflow(ticks, Instant::kUnixEpochTicks, &ticks)) return out.Null();
      return Put(out, Instant{ticks});
    }
    const double seconds = a[0]->Real(row) / static_cast<double>(kPerSecond);
    if (!(std::fabs(seconds) < 1e12)) return out.Null();
    Put(out, Instant{Instant::kUnixEpochTicks + TicksOf(seconds)});
  });
}

std::optional<std::string> CheckPart(const std::vector<const Value*>& values, bool known) {
  if (values[0] == nullptr || known) return std::nullopt;
  return fmt::format("there is no part '{}'", EscapeTerminal(values[0]->text));
}
// A constant part must be one that can be added and counted.
std::optional<std::string> CheckLength(const std::vector<const Value*>& values) {
  const std::string part = values[0] == nullptr ? "" : AsciiLower(values[0]->text);
  return CheckPart(values, part == "nanosecond" || MonthsOf(part) || LengthOf(part));
}
std::optional<std::string> CheckPartOf(const std::vector<const Value*>& values) {
  const std::string name = values[0] == nullptr ? "" : AsciiLower(values[0]->text);
  return CheckPart(values, std::any_of(kParts.begin(), kParts.end(),
                                       [&](const Part& part) { return part.name == name; }));
}

}  // namespace

FunctionList DateTimeFunctions() {
  FunctionList list = Declare({
      {"ago(span: timespan): datetime", &Ago},
      {"datetime_add(part: string, count: integer, time: datetime): datetime", &DateTimeAdd},
      {"datetime_diff(part: string, time: datetime, other: datetime): long", &DateTimeDiff},
      {"datetime_part(part: string, time: datetime): long", &DateTimePart},
      {"dayofmonth(time: datetime): long", &PartKernel<kParts[5].of>},
      {"dayofweek(time: datetime): timespan", &DayOfWeek},
      {"dayofyear(time: datetime): long", &PartKernel<&DayOfYear>},
      {"endofday(time: datetime, offset: long?): datetime", &EndOf<&DayStart>},
      {"endofmonth(time: datetime, offset: long?): datetime",
       &EndOf<static_cast<Start>(&MonthStart)>},
      {"endofweek(time: datetime, offset: long?): datetime", &EndOf<&WeekStart>},
      {"endofyear(time: datetime, offset: long?): datetime", &EndOf<&YearStart>},
      {"getmonth(time: datetime): long", &PartKernel<kParts[2].of>},
      {"getyear(time: datetime): long", &PartKernel<kParts[0].of>},
      {"hourofday(time: datetime): long", &PartKernel<kParts[7].of>},
      {"make_datetime(year: scalar, month: number?, day: number?, hour: number?, minute: number?, "
       "second: number?): datetime",
       &MakeDateTime, &BindMakeDateTime, kNameOfFirst},
      {"make_timespan(days: scalar, hours: number?, minutes: number?, seconds: number?): timespan",
       &MakeTimespan, nullptr, kNameOfFirst},
      {"monthofyear(time: datetime): long", &PartKernel<kParts[2].of>},
      {"now(offset: timespan?): datetime", &Now},
      {"startofday(time: datetime, offset: long?): datetime", &StartOf<&DayStart>, nullptr,
       kNameOfFirst},
      {"startofmonth(time: datetime, offset: long?): datetime",
       &StartOf<static_cast<Start>(&MonthStart)>},
      {"startofweek(time: datetime, offset: long?): datetime", &StartOf<&WeekStart>},
      {"startofyear(time: datetime, offset: long?): datetime", &StartOf<&YearStart>},
      {"unixtime_microseconds_todatetime(number: number): datetime", &FromUnixTime<1'000'000>},
      {"unixtime_milliseconds_todatetime(number: number): datetime", &FromUnixTime<1'000>},
      {"unixtime_nanoseconds_todatetime(number: number): datetime", &FromUnixTime<1'000'000'000>},
      {"unixtime_seconds_todatetime(number: number): datetime", &FromUnixTime<1>},
      {"week_of_year(time: datetime): long", &PartKernel<&WeekOfYear>},
  });
  for (Function& function : list) {
    if (function.name == "datetime_add" || function.name == "datetime_diff") {
      function.check = &CheckLength;
    }
    if (function.name == "datetime_part") function.check = &CheckPartOf;
  }
  return list;
}

}  // namespace picket::kql

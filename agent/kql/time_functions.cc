// Functions of time. now() is one moment for the whole query.

#include <fmt/format.h>

#include "agent/kql/kernel.h"

namespace picket::kql {
namespace {

std::optional<Type> BindNow(const std::vector<Type>& types, std::string& why) {
  if (types.empty() || types[0] == Type::kTimespan) return Type::kDateTime;
  why = fmt::format("a timespan is needed, not {}", TypeName(types[0]));
  return std::nullopt;
}

std::optional<Type> BindOfDateTime(const std::vector<Type>& types, std::string& why) {
  if (types[0] == Type::kDateTime) return Type::kDateTime;
  why = fmt::format("a datetime is needed, not {}", TypeName(types[0]));
  return std::nullopt;
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

// f(civil time, offset) → ticks
template <class F>
ColumnPtr StartOf(const Arguments& a, std::size_t rows, F f) {
  return MapRows(Type::kDateTime, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row)) return out.Null();
    const std::int64_t offset = a.size() > 1 ? ToLong(*a[1], row).value_or(0) : 0;
    out.Number(f(Instant{a[0]->Number(row)}, offset).ticks);
  });
}

Instant DayStart(Instant t) { return Instant{t.ticks - t.ticks % kDay.ticks}; }

Instant MonthStart(Instant t, std::int64_t months) {
  const CivilTime civil = ToCivil(t);
  const std::int64_t index = static_cast<std::int64_t>(civil.year) * 12 + civil.month - 1 + months;
  return FromCivil(
      {.year = static_cast<int>(index / 12), .month = static_cast<int>(index % 12) + 1, .day = 1});
}

ColumnPtr StartOfDay(const EvalContext&, const Arguments& a, std::size_t rows) {
  return StartOf(a, rows, [](Instant t, std::int64_t n) { return DayStart(t) + kDay * n; });
}
ColumnPtr EndOfDay(const EvalContext&, const Arguments& a, std::size_t rows) {
  return StartOf(a, rows,
                 [](Instant t, std::int64_t n) { return DayStart(t) + kDay * (n + 1) - kTick; });
}
// Weeks begin on Sunday; day 0 of the calendar was a Monday.
ColumnPtr StartOfWeek(const EvalContext&, const Arguments& a, std::size_t rows) {
  return StartOf(a, rows, [](Instant t, std::int64_t n) {
    const std::int64_t weekday = (t.ticks / kDay.ticks + 1) % 7;
    return DayStart(t) - kDay * weekday + kDay * (7 * n);
  });
}
ColumnPtr StartOfMonth(const EvalContext&, const Arguments& a, std::size_t rows) {
  return StartOf(a, rows, [](Instant t, std::int64_t n) { return MonthStart(t, n); });
}
ColumnPtr StartOfYear(const EvalContext&, const Arguments& a, std::size_t rows) {
  return StartOf(a, rows, [](Instant t, std::int64_t n) {
    return FromCivil({.year = ToCivil(t).year + static_cast<int>(n), .month = 1, .day = 1});
  });
}

ColumnPtr HourOfDay(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row)) return out.Null();
    out.Number(a[0]->Number(row) / kHour.ticks % 24);
  });
}

std::optional<Type> BindDayOfWeek(const std::vector<Type>&, std::string&) {
  return Type::kTimespan;
}
ColumnPtr DayOfWeek(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kTimespan, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row)) return out.Null();
    out.Number((a[0]->Number(row) / kDay.ticks + 1) % 7 * kDay.ticks);
  });
}

// How many borders of the part lie between the two.
ColumnPtr DateTimeDiff(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[1]->IsNull(row) || a[2]->IsNull(row)) return out.Null();
    const std::string part = ToText(*a[0], row);
    const Instant x{a[1]->Number(row)};
    const Instant y{a[2]->Number(row)};
    const CivilTime cx = ToCivil(x);
    const CivilTime cy = ToCivil(y);
    const auto by = [&](Timespan size) { return x.ticks / size.ticks - y.ticks / size.ticks; };
    if (part == "year") return out.Number(cx.year - cy.year);
    const std::int64_t months = (cx.year - cy.year) * 12 + cx.month - cy.month;
    if (part == "month") return out.Number(months);
    if (part == "quarter") {
      return out.Number((cx.year - cy.year) * 4 + (cx.month - 1) / 3 - (cy.month - 1) / 3);
    }
    if (part == "week") {
      return out.Number((x.ticks / kDay.ticks + 1) / 7 - (y.ticks / kDay.ticks + 1) / 7);
    }
    if (part == "day") return out.Number(by(kDay));
    if (part == "hour") return out.Number(by(kHour));
    if (part == "minute") return out.Number(by(kMinute));
    if (part == "second") return out.Number(by(kSecond));
    if (part == "millisecond") return out.Number(by(kMillisecond));
    if (part == "microsecond") return out.Number(by(Timespan{10}));
    out.Null();
  });
}

ColumnPtr MakeDateTime(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDateTime, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::int64_t parts[6] = {1, 1, 1, 0, 0, 0};
    for (std::size_t i = 0; i < a.size(); ++i) {
      const auto part = ToLong(*a[i], row);
      if (!part) return out.Null();
      parts[i] = *part;
    }
    const auto t = ParseRfc3339(fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts[0],
                                            parts[1], parts[2], parts[3], parts[4], parts[5]));
    if (!t) return out.Null();
    out.Number(t->ticks);
  });
}

}  // namespace

FunctionList TimeFunctions() {
  return {
      {"now", 0, 1, &BindNow, &Now},
      {"ago", 1, 1, &BindNow, &Ago},
      {"startofday", 1, 2, &BindOfDateTime, &StartOfDay},
      {"endofday", 1, 2, &BindOfDateTime, &EndOfDay},
      {"startofweek", 1, 2, &BindOfDateTime, &StartOfWeek},
      {"startofmonth", 1, 2, &BindOfDateTime, &StartOfMonth},
      {"startofyear", 1, 2, &BindOfDateTime, &StartOfYear},
      {"hourofday", 1, 1, &BindLong, &HourOfDay},
      {"dayofweek", 1, 1, &BindDayOfWeek, &DayOfWeek},
      {"datetime_diff", 3, 3, &BindLong, &DateTimeDiff},
      {"make_datetime", 3, 6, &BindDateTime, &MakeDateTime},
  };
}

}  // namespace picket::kql

// format_datetime() and format_timespan(), and how sizes are written.

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "agent/kql/kernel.h"

namespace picket::kql {
namespace {

// What may stand between the parts of a format.
constexpr std::string_view kDelimiters = " /-:,._[]";

// The fraction's first digits; F leaves zeros at the end out.
std::string Fraction(std::int64_t ticks, std::size_t digits, bool trimmed) {
  std::string text = fmt::format("{:07}", ticks).substr(0, digits);
  while (trimmed && !text.empty() && text.back() == '0') text.pop_back();
  return text;
}

// Up to `most` times the letter that the format begins with.
std::size_t RunOf(std::string_view format, std::size_t most) {
  std::size_t run = 1;
  while (run < most && run < format.size() && format[run] == format[0]) ++run;
  return run;
}

// One part of a datetime format: how many letters it takes, and what stands for them; nullopt for
// what is no part.
std::optional<std::size_t> DateTimeField(std::string_view format, const CivilTime& t,
                                         std::string& text) {
  const auto number = [&](std::int64_t value, std::size_t run) {
    text += fmt::format("{:0{}}", value, run);
    return run;
  };
  switch (format[0]) {
    case 'y': {
      const std::size_t run = RunOf(format, 4);
      if (run == 4) return number(t.year, 4);
      return number(t.year % 100, run >= 2 ? 2 : 1);
    }
    case 'M':
      return number(t.month, RunOf(format, 2));
    case 'd':
      return number(t.day, RunOf(format, 2));
    case 'H':
      return number(t.hour, RunOf(format, 2));
    case 'h':
      return number((t.hour + 11) % 12 + 1, RunOf(format, 2));
    case 'm':
      return number(t.minute, RunOf(format, 2));
    case 's':
      return number(t.second, RunOf(format, 2));
    case 'f':
    case 'F': {
      const std::size_t run = RunOf(format, 7);
      text += Fraction(t.fraction, run, format[0] == 'F');
      return run;
    }
    case 't': {
      if (RunOf(format, 2) != 2) return std::nullopt;
      text += t.hour < 12 ? "AM" : "PM";
      return 2;
    }
    default:
      return std::nullopt;
  }
}

std::optional<std::size_t> TimespanField(std::string_view format, std::uint64_t ticks,
                                         std::string& text) {
  const auto second = static_cast<std::uint64_t>(kSecond.ticks);
  const auto number = [&](std::uint64_t value, std::size_t run) {
    text += fmt::format("{:0{}}", value, run);
    return run;
  };
  switch (format[0]) {
    case 'd':
      return number(ticks / (second * 86400), RunOf(format, 8));
    case 'h':
    case 'H':
      return number(ticks / (second * 3600) % 24, RunOf(format, 2));
    case 'm':
      return number(ticks / (second * 60) % 60, RunOf(format, 2));
    case 's':
      return number(ticks / second % 60, RunOf(format, 2));
    case 'f':
    case 'F': {
      const std::size_t run = RunOf(format, 7);
      text += Fraction(static_cast<std::int64_t>(ticks % second), run, format[0] == 'F');
      return run;
    }
    default:
      return std::nullopt;
  }
}

// field(rest of the format, text) for each part; nullopt when a part is none.
template <class Field>
std::optional<std::string> Formatted(std::string_view format, Field field) {
  std::string text;
  while (!format.empty()) {
    if (kDelimiters.find(format[0]) != std::string_view::npos) {
      text += format[0];
      format.remove_prefix(1);
      continue;
    }
    const std::optional<std::size_t> taken = field(format, text);
    if (!taken) return std::nullopt;
    format.remove_prefix(*taken);
  }
  return text;
}

std::optional<std::string> FormattedDateTime(std::string_view format, Instant t) {
  const CivilTime civil = ToCivil(t);
  return Formatted(format, [&](std::string_view rest, std::string& text) {
    return DateTimeField(rest, civil, text);
  });
}

std::optional<std::string> FormattedTimespan(std::string_view format, std::int64_t ticks) {
  const std::uint64_t size =
      ticks < 0 ? 0 - static_cast<std::uint64_t>(ticks) : static_cast<std::uint64_t>(ticks);
  std::optional<std::string> text = Formatted(
      format,
      [&](std::string_view rest, std::string& made) { return TimespanField(rest, size, made); });
  if (text && ticks < 0) text->insert(0, "-");
  return text;
}

ColumnPtr FormatDateTime(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row)) return out.Null();
    out.Text(FormattedDateTime(ToText(*a[1], row), Instant{a[0]->Number(row)}).value_or(""));
  });
}

ColumnPtr FormatTimespanKernel(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row)) return out.Null();
    out.Text(FormattedTimespan(ToText(*a[1], row), a[0]->Number(row)).value_or(""));
  });
}

std::optional<std::string> CheckFormat(const std::vector<const Value*>& values, bool datetime) {
  if (values[1] == nullptr) return std::nullopt;
  const std::string& format = values[1]->text;
  const bool good = datetime ? FormattedDateTime(format, Instant{}).has_value()
                             : FormattedTimespan(format, 0).has_value();
  if (good && !format.empty()) return std::nullopt;
  return fmt::format("the format may hold only its letters and the marks \"{}\"", kDelimiters);
}
std::optional<std::string> CheckDateTimeFormat(const std::vector<const Value*>& values) {
  return CheckFormat(values, true);
}
std::optional<std::string> CheckTimespanFormat(const std::vector<const Value*>& values) {
  return CheckFormat(values, false);
}

constexpr std::array<std::string_view, 7> kUnits = {"Bytes", "KB", "MB", "GB", "TB", "PB", "EB"};

// format_bytes(size, digits, unit): in the unit that leaves a number below 1024, or the given one.
ColumnPtr FormatBytes(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<double> size = ToReal(*a[0], row);
    if (!size) return out.Null();
    const std::int64_t asked = a.size() > 1 ? ToLong(*a[1], row).value_or(0) : 0;
    const auto digits = static_cast<int>(std::clamp<std::int64_t>(asked, 0, 15));
    const std::string wanted = a.size() > 2 ? ToText(*a[2], row) : "";
    double value = *size;
    std::size_t unit = 0;
    while (unit + 1 < kUnits.size() &&
           (wanted.empty() ? std::fabs(value) >= 1024 : kUnits.at(unit) != wanted)) {
      value /= 1024;
      ++unit;
    }
    const double scale = std::pow(10.0, digits);
    std::string text = fmt::format("{:.{}f}", std::round(value * scale) / scale, digits);
    if (text.find('.') != std::string::npos) {
      text.erase(text.find_last_not_of('0') + 1);
      if (text.back() == '.') text.pop_back();
    }
    out.Text(fmt::format("{} {}", text, kUnits.at(unit)));
  });
}

}  // namespace

FunctionList FormatFunctions() {
  FunctionList list = Declare({
      {"format_bytes(size: number, digits: number?, unit: string?): string", &FormatBytes, nullptr,
       kNameOfFirst},
      {"format_datetime(time: datetime, format: string): string", &FormatDateTime, nullptr,
       kNameOfFirst},
      {"format_timespan(span: timespan, format: string): string", &FormatTimespanKernel, nullptr,
       kNameOfFirst},
  });
  list[1].check = &CheckDateTimeFormat;
  list[2].check = &CheckTimespanFormat;
  return list;
}

}  // namespace picket::kql

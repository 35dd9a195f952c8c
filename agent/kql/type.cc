#include "agent/kql/type.h"

#include <fmt/format.h>

#include <array>
#include <cfloat>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/text.h"

namespace picket::kql {

std::string_view TypeName(Type type) {
  switch (type) {
    case Type::kBool:
      return "bool";
    case Type::kInt:
      return "int";
    case Type::kLong:
      return "long";
    case Type::kReal:
      return "real";
    case Type::kDecimal:
      return "decimal";
    case Type::kString:
      return "string";
    case Type::kDateTime:
      return "datetime";
    case Type::kTimespan:
      return "timespan";
    case Type::kGuid:
      return "guid";
    case Type::kDynamic:
      return "dynamic";
  }
  return "string";
}

std::optional<Type> ParseType(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, Type>, 17> kNames = {
      {{"bool", Type::kBool},
       {"boolean", Type::kBool},
       {"int", Type::kInt},
       {"int32", Type::kInt},
       {"long", Type::kLong},
       {"int64", Type::kLong},
       {"real", Type::kReal},
       {"double", Type::kReal},
       {"decimal", Type::kDecimal},
       {"string", Type::kString},
       {"datetime", Type::kDateTime},
       {"date", Type::kDateTime},
       {"timespan", Type::kTimespan},
       {"time", Type::kTimespan},
       {"guid", Type::kGuid},
       {"uuid", Type::kGuid},
       {"dynamic", Type::kDynamic}}};
  for (const auto& [known, type] : kNames) {
    if (known == name) return type;
  }
  return std::nullopt;
}

std::string FormatTimespanText(std::int64_t ticks) {
  const bool negative = ticks < 0;
  const std::uint64_t t =
      negative ? 0 - static_cast<std::uint64_t>(ticks) : static_cast<std::uint64_t>(ticks);
  const std::uint64_t second = static_cast<std::uint64_t>(kSecond.ticks);
  const std::uint64_t days = t / (second * 86400);
  std::string text = negative ? "-" : "";
  if (days > 0) text += fmt::format("{}.", days);
  text += fmt::format("{:02}:{:02}:{:02}", t / (second * 3600) % 24, t / (second * 60) % 60,
                      t / second % 60);
  if (t % second != 0) text += fmt::format(".{:07}", t % second);
  return text;
}

namespace {

struct Digits {
  std::string digits;  // "d…", no point
  int exponent = 0;    // of ten, of the first digit
};

Digits DigitsOf(const char* scientific) {
  const std::string_view text(scientific);
  const std::size_t mark = text.find('e');
  const long exponent = std::strtol(scientific + mark + 1, nullptr, 10);
  Digits parts{.digits = std::string(1, text[0]), .exponent = static_cast<int>(exponent)};
  if (mark > 2) parts.digits += text.substr(2, mark - 2);
  return parts;
}

// The digits that Kusto's engine prints: of what lies between the number and its upper neighbour,
// the shortest run that still reads back as the number, cut and not rounded. So 0.1 + 0.2 is
// 0.30000000000000007 where others print 0.30000000000000004.
Digits PrintedDigits(double magnitude) {
  // The points halfway to the neighbours are exact: a long double has more bits.
  static_assert(LDBL_MANT_DIG > DBL_MANT_DIG);
  const auto halfway_to = [magnitude](double limit) {
    const double neighbour = std::nextafter(magnitude, limit);
    return (static_cast<long double>(magnitude) + static_cast<long double>(neighbour)) / 2;
  };
  const long double above = halfway_to(HUGE_VAL);
  const long double below = halfway_to(0.0);
  std::array<char, 64> buffer{};
  (void)std::snprintf(buffer.data(), buffer.size(), "%.30Le", above);
  Digits all = DigitsOf(buffer.data());
  for (std::size_t count = 1; count < all.digits.size(); ++count) {
    Digits cut{.digits = all.digits.substr(0, count), .exponent = all.exponent};
    const std::string text =
        fmt::format("{}.{}e{}", cut.digits[0], cut.digits.substr(1) + "0", cut.exponent);
    const long double value = std::strtold(text.c_str(), nullptr);
    if (value > below && value < above) return cut;
  }
  return all;
}

}  // namespace

std::string RealAsString(double value) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  if (std::isnan(value)) return "NaN";
  const std::string sign = std::signbit(value) ? "-" : "";
  if (value == 0.0) return sign + "0.0";
  const Digits printed = PrintedDigits(std::fabs(value));
  const std::string& digits = printed.digits;
  const int whole = printed.exponent + 1;  // digits before the point
  const int count = static_cast<int>(digits.size());
  if (whole > 21 || whole <= -6) {
    return fmt::format("{}{}{}{}e{}", sign, digits[0], count > 1 ? "." : "", digits.substr(1),
                       printed.exponent);
  }
  if (whole <= 0) return fmt::format("{}0.{:0>{}}", sign, digits, count - whole);
  if (whole >= count) return fmt::format("{}{:0<{}}.0", sign, digits, whole);
  const auto point = static_cast<std::size_t>(whole);
  return fmt::format("{}{}.{}", sign, digits.substr(0, point), digits.substr(point));
}

std::string RealAsJson(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  std::array<char, 40> buffer{};
  const auto [end, code] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  std::string text(buffer.data(), end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::optional<std::int64_t> UnitTicks(std::string_view unit) {
  static constexpr std::array<std::pair<std::string_view, std::int64_t>, 24> kUnits = {
      {{"d", kDay.ticks},
       {"day", kDay.ticks},
       {"days", kDay.ticks},
       {"h", kHour.ticks},
       {"hr", kHour.ticks},
       {"hrs", kHour.ticks},
       {"hour", kHour.ticks},
       {"hours", kHour.ticks},
       {"m", kMinute.ticks},
       {"min", kMinute.ticks},
       {"minute", kMinute.ticks},
       {"minutes", kMinute.ticks},
       {"s", kSecond.ticks},
       {"sec", kSecond.ticks},
       {"second", kSecond.ticks},
       {"seconds", kSecond.ticks},
       {"ms", kMillisecond.ticks},
       {"milli", kMillisecond.ticks},
       {"millis", kMillisecond.ticks},
       {"millisecond", kMillisecond.ticks},
       {"micro", 10},
       {"microsecond", 10},
       {"tick", 1},
       {"ticks", 1}}};
  for (const auto& [name, ticks] : kUnits) {
    if (name == unit) return ticks;
  }
  return std::nullopt;
}

namespace {

// "90s", "1.5d"
std::optional<std::int64_t> TicksOfUnits(std::string_view text) {
  double value = 0;
  const auto [end, code] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (code != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  const std::optional<std::int64_t> unit = UnitTicks(text);
  if (!unit || value < 0 || value * static_cast<double>(*unit) > 9.2e18) return std::nullopt;
  return static_cast<std::int64_t>(value * static_cast<double>(*unit));
}

}  // namespace

std::optional<std::int64_t> ParseTimespanText(std::string_view text) {
  text = Trim(text);
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  if (const auto ticks = TicksOfUnits(text)) return negative ? -*ticks : *ticks;
  std::array<std::int64_t, 4> parts{};  // days, hours, minutes, seconds
  std::int64_t fraction = 0;
  const auto number = [&](std::int64_t& value) {
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end == text.data() || value < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
  };
  std::int64_t first = 0;
  if (!number(first)) return std::nullopt;
  if (text.empty()) {
    parts[0] = first;
  } else {
    if (text.front() == '.') {
      parts[0] = first;
      text.remove_prefix(1);
      if (!number(parts[1]) || text.empty()) return std::nullopt;
    } else {
      parts[1] = first;
    }
    for (std::size_t i = 2; i < 4 && !text.empty(); ++i) {
      if (text.front() != ':') return std::nullopt;
      text.remove_prefix(1);
      if (!number(parts.at(i))) return std::nullopt;
    }
    if (!text.empty() && text.front() == '.') {
      text.remove_prefix(1);
      std::string digits(text.substr(0, 7));
      if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos ||
          text.size() > 9) {
        return std::nullopt;
      }
      digits.resize(7, '0');
      fraction = std::stoll(digits);
      text = {};
    }
    if (!text.empty() || parts[1] > 23 || parts[2] > 59 || parts[3] > 59) return std::nullopt;
  }
  if (parts[0] > 10'675'199) return std::nullopt;
  const std::int64_t in_day =
      parts[1] * kHour.ticks + parts[2] * kMinute.ticks + parts[3] * kSecond.ticks + fraction;
  std::int64_t ticks = 0;
  if (__builtin_add_overflow(parts[0] * kDay.ticks, in_day, &ticks)) return std::nullopt;
  return negative ? -ticks : ticks;
}

}  // namespace picket::kql

#include "agent/kql/type.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

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
  static constexpr std::array<std::pair<std::string_view, Type>, 16> kNames = {
      {{"bool", Type::kBool},
       {"boolean", Type::kBool},
       {"int", Type::kInt},
       {"int32", Type::kInt},
       {"long", Type::kLong},
       {"int64", Type::kLong},
       {"real", Type::kReal},
       {"double", Type::kReal},
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

std::string FormatRealText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  std::array<char, 40> buffer{};
  const auto [end, code] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  std::string text(buffer.data(), end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::optional<std::int64_t> ParseTimespanText(std::string_view text) {
  text = Trim(text);
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
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
      if (!number(parts[1])) return std::nullopt;
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
  const std::int64_t ticks = parts[0] * kDay.ticks + parts[1] * kHour.ticks +
                             parts[2] * kMinute.ticks + parts[3] * kSecond.ticks + fraction;
  return negative ? -ticks : ticks;
}

}  // namespace picket::kql

#include "tests/kql/oracle/datum.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace picket::kql::oracle {

Datum Null(Type type) { return {.type = type, .null = type != Type::kString}; }
Datum Bool(bool value) { return Whole(Type::kBool, value ? 1 : 0); }
Datum Bool(std::optional<bool> value) { return value ? Bool(*value) : Null(Type::kBool); }
Datum Whole(Type type, std::int64_t value) { return {.type = type, .number = value}; }
Datum Long(std::int64_t value) { return Whole(Type::kLong, value); }
Datum Real(double value) { return {.type = Type::kReal, .real = value}; }
Datum Text(std::string value) { return {.type = Type::kString, .text = std::move(value)}; }
Datum Dynamic(Json value) {
  if (value.is_null()) return Null(Type::kDynamic);
  return {.type = Type::kDynamic, .json = std::make_shared<const Json>(std::move(value))};
}

double RealOf(const Datum& value) {
  return value.type == Type::kReal ? value.real : static_cast<double>(value.number);
}

std::string TextOfReal(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  const double size = std::fabs(value);
  if (size != 0 && (size < 1e-4 || size >= 1e15)) throw Unspecified{"exponents in texts"};
  std::array<char, 64> buffer{};
  for (int digits = 1; digits <= 17; ++digits) {
    // The real engine's seventeenth digit is not the nearest one: 0.1 + 0.2 ends with a 7.
    if (digits == 17) throw Unspecified{"the last digit of a real"};
    std::snprintf(buffer.data(), buffer.size(), "%.*g", digits, value);
    if (std::strtod(buffer.data(), nullptr) == value) break;
  }
  std::string text = buffer.data();
  if (text.find('e') != std::string::npos) {  // 1e+14: few digits, but no exponent is wanted
    std::snprintf(buffer.data(), buffer.size(), "%.0f", value);
    text = buffer.data();
  }
  if (text.find('.') == std::string::npos) text += ".0";
  return text;
}

std::string TextOfTimespan(std::int64_t ticks) {
  const bool negative = ticks < 0;
  std::uint64_t left =
      negative ? 0 - static_cast<std::uint64_t>(ticks) : static_cast<std::uint64_t>(ticks);
  const std::uint64_t fraction = left % kTicksOfSecond;
  left /= kTicksOfSecond;
  const auto seconds = static_cast<unsigned>(left % 60);
  const auto minutes = static_cast<unsigned>(left / 60 % 60);
  const auto hours = static_cast<unsigned>(left / 3600 % 24);
  const std::uint64_t days = left / 86'400;
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%02u:%02u:%02u", hours, minutes, seconds);
  std::string text = buffer.data();
  if (days > 0) text = std::to_string(days) + "." + text;
  if (fraction > 0) {
    std::snprintf(buffer.data(), buffer.size(), ".%07u", static_cast<unsigned>(fraction));
    text += buffer.data();
  }
  return negative ? "-" + text : text;
}

std::string TextOfDateTime(std::int64_t ticks) {
  const Date date = DateOf(ticks / kTicksOfDay);
  const std::int64_t rest = ticks % kTicksOfDay;
  const auto seconds = static_cast<int>(rest / kTicksOfSecond);
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%07dZ", date.year,
                date.month, date.day, seconds / 3600, seconds / 60 % 60, seconds % 60,
                static_cast<int>(rest % kTicksOfSecond));
  return buffer.data();
}

std::string TextOfJson(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  if (json.is_number_float()) {
    const double value = json.get<double>();
    // Whether 2.0 keeps its point within a dynamic is not known.
    if (std::floor(value) == value) throw Unspecified{"a whole real in a dynamic's text"};
    return TextOfReal(value);
  }
  if (json.is_structured()) {
    for (const Json& part : json) {
      if (!part.is_string()) (void)TextOfJson(part);
    }
  }
  return json.dump();
}

std::string TextOf(const Datum& value) {
  if (value.null) return "";
  switch (value.type) {
    case Type::kBool:
      return value.number != 0 ? "True" : "False";
    case Type::kInt:
    case Type::kLong:
      return std::to_string(value.number);
    case Type::kReal:
      return TextOfReal(value.real);
    case Type::kDateTime:
      return TextOfDateTime(value.number);
    case Type::kTimespan:
      return TextOfTimespan(value.number);
    case Type::kDynamic:
      return TextOfJson(*value.json);
    default:
      return value.text;
  }
}

Datum FromDynamic(const Json& json, Type type) {
  if (json.is_null()) return Null(type);
  switch (type) {
    case Type::kString:
      return Text(TextOfJson(json));
    case Type::kBool:
      if (json.is_boolean()) return Bool(json.get<bool>());
      break;
    case Type::kLong:
    case Type::kInt:
      if (json.is_number_integer()) return Whole(type, json.get<std::int64_t>());
      if (json.is_number_float() && std::fabs(json.get<double>()) < 1e9) {
        return Whole(type, static_cast<std::int64_t>(json.get<double>()));
      }
      break;
    case Type::kReal:
      if (json.is_number()) return Real(json.get<double>());
      break;
    default:
      break;
  }
  if (json.is_structured()) return Null(type);
  throw Unspecified{"a dynamic of another kind as a number"};
}

Json ToJson(const Datum& value) {
  if (value.null) return nullptr;
  switch (value.type) {
    case Type::kBool:
      return value.number != 0;
    case Type::kInt:
    case Type::kLong:
      return value.number;
    case Type::kReal:
      if (!std::isfinite(value.real)) throw Unspecified{"NaN in a dynamic"};
      return value.real;
    case Type::kString:
      return value.text;
    case Type::kDynamic:
      return *value.json;
    default:
      return TextOf(value);
  }
}

// Howard Hinnant's civil calendar, counted from 0001-01-01.
std::int64_t DaysOf(Date date) {
  const std::int64_t year = date.month <= 2 ? date.year - 1 : date.year;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t of_era = year - era * 400;
  const std::int64_t of_year =
      (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
  const std::int64_t day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
  return era * 146'097 + day_of_era - 306;
}

Date DateOf(std::int64_t days) {
  const std::int64_t shifted = days + 306;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const std::int64_t of_era = shifted - era * 146'097;
  const std::int64_t year_of_era =
      (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
  const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month = (5 * of_year + 2) / 153;
  const auto day = static_cast<int>(of_year - (153 * month + 2) / 5 + 1);
  const auto civil = static_cast<int>(month < 10 ? month + 3 : month - 9);
  return {static_cast<int>(year_of_era + era * 400 + (civil <= 2 ? 1 : 0)), civil, day};
}

namespace {

// A text against a number: the number's own text. A text that writes the number in another way
// ("007") is an open point.
bool TextIsNumber(const std::string& text, const Datum& number) {
  if (TextOf(number) == text) return true;
  char* end = nullptr;
  const double parsed = std::strtod(text.c_str(), &end);
  if (!text.empty() && *end == '\0' && parsed == RealOf(number)) {
    throw Unspecified{"a number in another writing"};
  }
  return false;
}

// A dynamic against something else.
bool HoldsValue(const Json& json, const Datum& value, bool ignore_case) {
  if (value.type == Type::kString) {
    const std::string text = TextOfJson(json);
    return ignore_case ? Lowered(text) == Lowered(value.text) : text == value.text;
  }
  if (IsNumeric(value.type) && json.is_number()) return json.get<double>() == RealOf(value);
  if (value.type == Type::kBool && json.is_boolean()) {
    return json.get<bool>() == (value.number != 0);
  }
  throw Unspecified{"a dynamic against another type"};
}

}  // namespace

std::optional<bool> Equals(const Datum& a, const Datum& b, bool ignore_case) {
  if (a.null && b.null) return std::nullopt;
  if (a.null || b.null) return false;
  if (a.type == Type::kDynamic) return HoldsValue(*a.json, b, ignore_case);
  if (b.type == Type::kDynamic) return HoldsValue(*b.json, a, ignore_case);
  if (a.type == Type::kString && b.type == Type::kString) {
    return ignore_case ? Lowered(a.text) == Lowered(b.text) : a.text == b.text;
  }
  if (a.type == Type::kString) return TextIsNumber(a.text, b);
  if (b.type == Type::kString) return TextIsNumber(b.text, a);
  if (a.type == Type::kReal || b.type == Type::kReal) return RealOf(a) == RealOf(b);
  return a.number == b.number;
}

std::optional<int> Order(const Datum& a, const Datum& b) {
  const auto sign = [](const auto& x, const auto& y) { return x < y ? -1 : y < x ? 1 : 0; };
  if (a.null || b.null) return std::nullopt;
  if (a.type == Type::kDynamic || b.type == Type::kDynamic) throw Unspecified{"order of dynamics"};
  if (a.type == Type::kString) return sign(a.text, b.text);
  if (a.type == Type::kReal || b.type == Type::kReal) {
    if (std::isnan(RealOf(a)) || std::isnan(RealOf(b))) return std::nullopt;
    return sign(RealOf(a), RealOf(b));
  }
  return sign(a.number, b.number);
}

bool Same(const Datum& a, const Datum& b) {
  if (a.null || b.null) return a.null && b.null;
  if (a.type == Type::kDynamic) return b.type == Type::kDynamic && *a.json == *b.json;
  if (a.type == Type::kString) return a.text == b.text;
  if (a.type != Type::kReal) return a.number == b.number;
  if (a.real == 0 && b.real == 0 && std::signbit(a.real) != std::signbit(b.real)) {
    throw Unspecified{"whether 0.0 and -0.0 are one key"};
  }
  return (std::isnan(a.real) && std::isnan(b.real)) || a.real == b.real;
}

}  // namespace picket::kql::oracle

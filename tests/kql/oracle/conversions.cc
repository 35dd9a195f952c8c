// Conversions, which never fail but give null; and what is null or empty.

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "tests/kql/oracle/evaluate.h"

namespace picket::kql::oracle {
namespace {

bool IsEmpty(const Datum& value) {
  return value.null || (value.type == Type::kString && value.text.empty());
}

// Plain decimal digits, or null; other writings of numbers are left alone.
Datum WholeOfText(const std::string& text, Type type) {
  const std::string digits = text.substr(text.find('-') == 0 ? 1 : 0);
  const bool plain =
      !digits.empty() && digits.size() < 10 &&
      std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (plain) return Whole(type, std::strtoll(text.c_str(), nullptr, 10));
  const bool odd = text.find_first_of("0123456789") != std::string::npos &&
                   text.find_first_not_of("0123456789+-.eExX ") == std::string::npos;
  if (odd && text.find('.') == std::string::npos) throw Unspecified{"an odd number's text"};
  return Null(type);
}

Datum RealOfText(const std::string& text) {
  if (text.empty()) return Null(Type::kReal);
  if (text.find_first_not_of("0123456789.-") == std::string::npos) {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (*end == '\0') return Real(value);
  }
  if (text.find_first_of("0123456789") != std::string::npos || text.find_first_of("nNiI") == 0) {
    throw Unspecified{"an odd number's text"};
  }
  return Null(Type::kReal);
}

Datum ToWhole(const Datum& value, Type type) {
  if (value.type == Type::kString) return WholeOfText(value.text, type);
  if (value.null) return Null(type);
  if (value.type == Type::kDynamic) return FromDynamic(*value.json, type);
  if (value.type == Type::kReal) {
    if (!(std::fabs(value.real) < 1e9)) throw Unspecified{"a real beyond whole numbers"};
    return Whole(type, static_cast<std::int64_t>(value.real));
  }
  if (type == Type::kInt && (value.number > INT32_MAX || value.number < INT32_MIN)) {
    throw Unspecified{"a long beyond int"};
  }
  return Whole(type, value.number);
}

Datum ToReal(const Datum& value) {
  if (value.type == Type::kString) return RealOfText(value.text);
  if (value.null) return Null(Type::kReal);
  if (value.type == Type::kDynamic) return FromDynamic(*value.json, Type::kReal);
  return Real(RealOf(value));
}

}  // namespace

std::optional<Datum> ConversionOf(const std::string& op, const Values& args) {
  const Datum& a = args[0];
  if (op == "tostring") return Text(TextOf(a));
  if (op == "tolong") return ToWhole(a, Type::kLong);
  if (op == "toint") return ToWhole(a, Type::kInt);
  if (op == "todouble" || op == "toreal") return ToReal(a);
  if (op == "tobool") {
    if (a.type == Type::kDynamic)
      return a.null ? Null(Type::kBool) : FromDynamic(*a.json, Type::kBool);
    throw Unspecified{"tobool() of texts and numbers"};
  }
  if (op == "isnull" || op == "isnotnull") {
    return Bool((op == "isnull") == (a.null && a.type != Type::kString));
  }
  if (op == "isempty") return Bool(IsEmpty(a));
  if (op == "isnotempty") return Bool(!IsEmpty(a));
  if (op == "coalesce") {
    for (const Datum& each : args) {
      if (!IsEmpty(each)) return each;
    }
    return args.back();
  }
  return std::nullopt;
}

}  // namespace picket::kql::oracle

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/time.h"

namespace picket::kql {

// Kusto's scalar types. A string is never null; every other type may be.
enum class Type : std::uint8_t {
  kBool,
  kInt,
  kLong,
  kReal,
  kDecimal,
  kString,
  kDateTime,
  kTimespan,
  kGuid,
  kDynamic,
};
std::string_view TypeName(Type type);
std::optional<Type> ParseType(std::string_view name);  // with Kusto's aliases
inline bool IsNumeric(Type type) {
  return type == Type::kInt || type == Type::kLong || type == Type::kReal;
}

// Numbers that are added, compared and so on with one another; a decimal is not kept as the others.
inline bool IsNumber(Type type) { return IsNumeric(type) || type == Type::kDecimal; }

// One scalar. bool, int, long, datetime and timespan (both in ticks) are integers; string, guid and
// decimal (canonical texts) are text; dynamic is JSON text.
struct Value {
  Type type = Type::kString;
  bool null = false;
  std::int64_t number = 0;
  double real = 0;
  std::string text;

  static Value Null(Type type) { return {.type = type, .null = type != Type::kString}; }
  static Value Bool(bool b) { return {.type = Type::kBool, .number = b ? 1 : 0}; }
  static Value Long(std::int64_t n) { return {.type = Type::kLong, .number = n}; }
  static Value Real(double d) { return {.type = Type::kReal, .real = d}; }
  static Value String(std::string s) { return {.type = Type::kString, .text = std::move(s)}; }
  static Value DateTime(Instant t) { return {.type = Type::kDateTime, .number = t.ticks}; }
  static Value Span(Timespan t) { return {.type = Type::kTimespan, .number = t.ticks}; }
  static Value Dynamic(std::string json) {
    return {.type = Type::kDynamic, .text = std::move(json)};
  }
};

struct ColumnSchema {
  std::string name;
  Type type = Type::kString;
  bool operator==(const ColumnSchema&) const = default;
};
using Schema = std::vector<ColumnSchema>;

// Kusto's texts: "1.02:03:04.5000000", "True", "42.0".
std::string FormatTimespanText(std::int64_t ticks);
// As tostring() gives it: "42.0", "0.1", "inf".
std::string RealAsString(double value);
// As JSON has it: the fewest digits that read back the same; "NaN", "Infinity", "-Infinity".
std::string RealAsJson(double value);
// "1.02:03:04.5", "02:03", "3" (days), "90s", "-1.5d".
std::optional<std::int64_t> ParseTimespanText(std::string_view text);
// What a unit of a timespan literal is in ticks: d, hours, ms, tick ….
std::optional<std::int64_t> UnitTicks(std::string_view unit);

}  // namespace picket::kql

#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/type.h"

// A second evaluator of KQL, slow and plain: a row at a time over trees that the generator makes,
// written from what is known of the language. It shares no evaluation code with agent/kql, so that
// both can only agree by being right, or by being wrong in the same way.
namespace picket::kql::oracle {

using Json = nlohmann::json;

// Thrown where the language does not say what the answer is (ties of arg_max, a sum that depends
// on the order of its terms …). The generator then asks for something else.
struct Unspecified {
  std::string why;
};

// One value. A string is never null.
struct Datum {
  Type type = Type::kString;
  bool null = false;
  std::int64_t number = 0;  // bool, int, long; ticks of datetime and timespan
  double real = 0;
  std::string text;
  std::shared_ptr<const Json> json;  // of a dynamic that is not null
};

Datum Null(Type type);  // '' for a string
Datum Bool(bool value);
Datum Bool(std::optional<bool> value);
Datum Whole(Type type, std::int64_t value);
Datum Long(std::int64_t value);
Datum Real(double value);
Datum Text(std::string value);
Datum Dynamic(Json value);  // JSON's null is the dynamic's null

// As tostring() has it.
std::string TextOf(const Datum& value);
std::string TextOfReal(double value);
std::string TextOfTimespan(std::int64_t ticks);
std::string TextOfDateTime(std::int64_t ticks);
std::string TextOfJson(const Json& json);  // not of a text: that is unquoted
double RealOf(const Datum& value);         // of int, long, real

// What a dynamic holds as `type`, as tolong() and its kin read it.
Datum FromDynamic(const Json& json, Type type);
// The value within a dynamic.
Json ToJson(const Datum& value);

// Days since 0001-01-01 of a date, and back.
struct Date {
  int year, month, day;
};
std::int64_t DaysOf(Date date);
Date DateOf(std::int64_t days);

inline constexpr std::int64_t kTicksOfSecond = 10'000'000;
inline constexpr std::int64_t kTicksOfDay = kTicksOfSecond * 86'400;
inline constexpr std::int64_t kLastTick = 3'155'378'975'999'999'999;

// Characters of a text, and their text.
std::u32string Characters(std::string_view text);
std::string FromCharacters(std::u32string_view characters);
// Of the scripts that the generator uses: Latin, Greek, Cyrillic, Han.
char32_t Lower(char32_t character);
char32_t Upper(char32_t character);
bool IsAlphanumeric(char32_t character);
std::u32string Lowered(std::string_view text);

// Kusto's ==: nullopt when both are null.
std::optional<bool> Equals(const Datum& a, const Datum& b, bool ignore_case);
// Of values of one type, or of numbers; nullopt when one is null, or NaN.
std::optional<int> Order(const Datum& a, const Datum& b);
// Whether they are the same group, or the same key of a join: nulls are, and NaNs.
bool Same(const Datum& a, const Datum& b);

}  // namespace picket::kql::oracle

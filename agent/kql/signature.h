#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/type.h"

namespace picket::kql {

// What may stand for a parameter. The single types take their own type; long and real also take the
// narrower numbers, and string a dynamic.
enum class ParameterKind : std::uint8_t {
  kBool,
  kLong,
  kReal,
  kString,
  kDateTime,
  kTimespan,
  kGuid,
  kScalar,      // anything
  kInteger,     // int, long
  kNumber,      // int, long, real
  kSummable,    // numbers, datetime, timespan
  kQuantity,    // the same, and decimals as they are
  kOrderable,   // all but guid and dynamic
  kNotDynamic,  // all but dynamic
  kText,        // string, dynamic
  kArray,       // a dynamic: an array, when the function is to give anything
  kBag,         // a dynamic: a property bag
  kFlag,        // a bool, or a number that stands for one
};

struct Parameter {
  std::string_view name;
  ParameterKind kind = ParameterKind::kScalar;
  bool optional = false;
};

// A function's name, parameters and result, as its row of the table writes it:
//   substring(text: scalar, start: integer, length: integer?): string
//   strcat(value: scalar, ... 64): string
//   bag_pack(key: string, value: scalar, ... in pairs): dynamic
// `?` marks what may be left out; `...` lets the last parameter come again, to the given number of
// arguments; `... in pairs` the last two. The result is a type, or a word for readers, when the
// function has a rule of its own. The text must outlive the signature.
struct Signature {
  std::string_view text;
  std::string_view name;
  std::vector<Parameter> parameters;
  std::size_t repeated = 0;  // how many of the last parameters come again; 0: none
  std::size_t least = 0;     // arguments
  std::size_t most = 0;
  std::optional<Type> result;
};
Signature ParseSignature(std::string_view text);

// The parameter that an argument is for; there must be one.
const Parameter& ParameterOf(const Signature& signature, std::size_t argument);

// Why arguments of these types do not fit, with Kusto's code; nullopt when they do.
struct Misfit {
  std::string code;
  std::string why;
};
std::optional<Misfit> FindMisfit(const Signature& signature, const std::vector<Type>& arguments);

}  // namespace picket::kql

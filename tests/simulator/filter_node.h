#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "tests/simulator/filter.h"

namespace picket::simulator {

enum class Operator : std::uint8_t { kEq, kNe, kGe, kGt, kLe, kLt, kStartsWith };

using Literal = std::variant<std::string, Instant, std::int64_t>;

struct Filter::Node {
  enum class Kind : std::uint8_t { kAnd, kOr, kNot, kCompare, kAny } kind = Kind::kCompare;
  std::vector<std::shared_ptr<const Node>> children{};
  // kCompare, kAny: the property; inside any(), the member after the variable, or "".
  std::string property{};
  bool is_list_time = false;
  Operator op = Operator::kEq;
  Literal literal{};
};

}  // namespace picket::simulator

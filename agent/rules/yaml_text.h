#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/rules/rule.h"

namespace YAML {  // NOLINT(readability-identifier-naming): the name of yaml-cpp
class Node;
}  // namespace YAML

namespace picket::rules {

// The characters of a YAML file, beside the nodes that yaml-cpp made of them: yaml-cpp tells where
// a node begins, but not how its text is laid out.
class YamlText {
 public:
  explicit YamlText(std::string_view text);  // must outlive it

  [[nodiscard]] FilePlace PlaceOf(const YAML::Node& node) const;  // the begin, when there is none
  // Of a member's scalar. It stands verbatim as a literal block (`|`), or on one line: plain, or
  // quoted without escapes.
  [[nodiscard]] QueryPlace PlaceOfScalar(const YAML::Node& mapping, std::string_view member) const;

 private:
  [[nodiscard]] std::string_view Line(std::size_t index) const;  // 0-based; without line break

  const std::vector<std::string_view> lines_;
};

}  // namespace picket::rules

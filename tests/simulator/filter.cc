#include "tests/simulator/filter.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "tests/simulator/filter_node.h"

namespace picket::simulator {
namespace {

using Json = nlohmann::ordered_json;
using Node = Filter::Node;

template <class T>
bool Compared(const T& value, Operator op, const T& wanted) {
  switch (op) {
    case Operator::kEq:
      return value == wanted;
    case Operator::kNe:
      return value != wanted;
    case Operator::kGe:
      return value >= wanted;
    case Operator::kGt:
      return value > wanted;
    case Operator::kLe:
      return value <= wanted;
    case Operator::kLt:
      return value < wanted;
    case Operator::kStartsWith:
      return false;
  }
  return false;
}

bool Test(const Json& value, const Node& node) {
  if (const auto* time = std::get_if<Instant>(&node.literal)) {
    if (!value.is_string()) return node.op == Operator::kNe;
    const Result<Instant> own = ParseRfc3339(value.get_ref<const std::string&>());
    return own && Compared(*own, node.op, *time);
  }
  if (const auto* number = std::get_if<std::int64_t>(&node.literal)) {
    if (!value.is_number_integer()) return node.op == Operator::kNe;
    return Compared(value.get<std::int64_t>(), node.op, *number);
  }
  if (!value.is_string()) return node.op == Operator::kNe;
  const auto& text = value.get_ref<const std::string&>();
  const auto& wanted = std::get<std::string>(node.literal);
  if (node.op == Operator::kStartsWith) {
    return EqualsIgnoreCase(std::string_view(text).substr(0, wanted.size()), wanted);
  }
  // With case: observed for userPrincipalName, whatever the docs say.
  return Compared(text, node.op, wanted);
}

const Json& At(const Json& record, std::string_view path) {
  static const Json kNull;
  const Json* at = &record;
  for (const std::string_view name : Split(path, '/')) {
    if (!at->is_object()) return kNull;
    const auto found = at->find(std::string(name));
    if (found == at->end()) return kNull;
    at = &*found;
  }
  return *at;
}

// A record whose JSON is parsed only if a condition needs it.
class View {
 public:
  explicit View(const RecordVersion& version) : version_(version) {}
  [[nodiscard]] const RecordVersion& version() const { return version_; }
  const Json& json() {
    if (json_.is_null()) json_ = Json::parse(version_.text, nullptr, /*allow_exceptions=*/false);
    return json_;
  }

 private:
  const RecordVersion& version_;
  Json json_;
};

bool TestElement(const Json& element, const Node& node) {
  switch (node.kind) {
    case Node::Kind::kAnd:
      return std::all_of(node.children.begin(), node.children.end(),
                         [&](const auto& child) { return TestElement(element, *child); });
    case Node::Kind::kOr:
      return std::any_of(node.children.begin(), node.children.end(),
                         [&](const auto& child) { return TestElement(element, *child); });
    case Node::Kind::kNot:
      return !TestElement(element, *node.children.front());
    case Node::Kind::kCompare:
      return Test(node.property.empty() ? element : At(element, node.property), node);
    case Node::Kind::kAny:
      return false;
  }
  return false;
}

bool TestAny(View& view, const Node& node) {
  const Node& inner = *node.children.front();
  if (node.property == "signInEventTypes") {
    const auto& types = view.version().event_types;
    return std::any_of(types.begin(), types.end(),
                       [&](const std::string& type) { return TestElement(Json(type), inner); });
  }
  const Json& elements = At(view.json(), node.property);
  return elements.is_array() &&
         std::any_of(elements.begin(), elements.end(),
                     [&](const Json& element) { return TestElement(element, inner); });
}

bool TestRecord(View& view, const Node& node) {
  switch (node.kind) {
    case Node::Kind::kAnd:
      return std::all_of(node.children.begin(), node.children.end(),
                         [&](const auto& child) { return TestRecord(view, *child); });
    case Node::Kind::kOr:
      return std::any_of(node.children.begin(), node.children.end(),
                         [&](const auto& child) { return TestRecord(view, *child); });
    case Node::Kind::kNot:
      return !TestRecord(view, *node.children.front());
    case Node::Kind::kCompare:
      if (node.is_list_time) {
        return Compared(view.version().time, node.op, std::get<Instant>(node.literal));
      }
      return Test(At(view.json(), node.property), node);
    case Node::Kind::kAny:
      return TestAny(view, node);
  }
  return false;
}

bool Mentions(const Node& node, std::string_view property) {
  return node.property == property ||
         std::any_of(node.children.begin(), node.children.end(),
                     [&](const auto& child) { return Mentions(*child, property); });
}

}  // namespace

bool Filter::Matches(const RecordVersion& version) const {
  if (root_ == nullptr) return true;
  View view(version);
  return TestRecord(view, *root_);
}

bool Filter::Names(std::string_view property) const {
  return root_ != nullptr && Mentions(*root_, property);
}

}  // namespace picket::simulator

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "tests/simulator/filter_node.h"

namespace picket::simulator {
namespace {

using Node = Filter::Node;
using NodePtr = std::shared_ptr<const Node>;

constexpr int kMaxDepth = 20;
constexpr std::size_t kMaxFilter = 8000;

tl::unexpected<Error> Invalid(std::string message) {
  return Fail({.kind = ErrorKind::kRefused, .message = std::move(message)});
}

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '/' || c == '.' || c == '-' || c == '+';
}

// "2026-01-02", "2026-01-02T03:04Z" and what RFC 3339 has.
Result<Instant> ParseTime(std::string_view text) {
  constexpr std::size_t kWithMinutes = 17;
  if (text.size() == kWithMinutes && text.back() == 'Z') {
    return ParseRfc3339(std::string(text.substr(0, kWithMinutes - 1)) + ":00Z");
  }
  return ParseRfc3339(text);
}

class Parser {
 public:
  Parser(std::string_view text, const ListSpec& list, bool beta)
      : text_(text), list_(list), beta_(beta) {}

  Result<NodePtr> Whole() {
    PK_ASSIGN_OR_RETURN(NodePtr node, Alternatives(0));
    SkipSpace();
    if (at_ != text_.size()) return Invalid("Invalid filter clause");
    return node;
  }

 private:
  void SkipSpace() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool Take(char c) {
    SkipSpace();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string_view Peek() {
    SkipSpace();
    std::size_t end = at_;
    while (end < text_.size() && (IsWordCharacter(text_[end]) || ColonOfTime(end))) ++end;
    return text_.substr(at_, end - at_);
  }
  // A colon inside a time, not the one after the variable of any().
  [[nodiscard]] bool ColonOfTime(std::size_t at) const {
    return text_[at] == ':' && at > 0 && at + 1 < text_.size() && text_[at - 1] >= '0' &&
           text_[at - 1] <= '9' && text_[at + 1] >= '0' && text_[at + 1] <= '9';
  }
  std::string_view Word() {
    const std::string_view word = Peek();
    at_ += word.size();
    return word;
  }
  bool TakeWord(std::string_view wanted) {
    if (Peek() != wanted) return false;
    at_ += wanted.size();
    return true;
  }

  Result<NodePtr> Alternatives(int depth) { return Chain(depth, "or", Node::Kind::kOr); }

  Result<NodePtr> Chain(int depth, std::string_view word, Node::Kind kind) {
    if (depth > kMaxDepth) return Invalid("The filter is too deep.");
    std::vector<NodePtr> parts;
    do {
      Result<NodePtr> part =
          kind == Node::Kind::kOr ? Chain(depth, "and", Node::Kind::kAnd) : Factor(depth + 1);
      if (!part) return part;
      parts.push_back(*std::move(part));
    } while (TakeWord(word));
    if (parts.size() == 1) return parts.front();
    return std::make_shared<Node>(Node{.kind = kind, .children = std::move(parts)});
  }

  Result<NodePtr> Factor(int depth) {
    if (depth > kMaxDepth) return Invalid("The filter is too deep.");
    if (Take('(')) {
      PK_ASSIGN_OR_RETURN(NodePtr inner, Alternatives(depth + 1));
      if (!Take(')')) return Invalid("Invalid filter clause: ')' expected");
      return inner;
    }
    if (TakeWord("not")) {
      PK_ASSIGN_OR_RETURN(NodePtr inner, Factor(depth + 1));
      return std::make_shared<Node>(Node{.kind = Node::Kind::kNot, .children = {inner}});
    }
    const std::string_view word = Word();
    if (word == "startsWith" || word == "startswith") return StartsWith();
    if (word.ends_with("/any")) return Any(word.substr(0, word.size() - 4), depth);
    return Compare(word);
  }

  // The property of this name, or that of the variable inside any().
  [[nodiscard]] const Property* Find(std::string_view name) const {
    std::string full(name);
    if (!variable_.empty()) {
      if (name == variable_) {
        full = collection_;
      } else if (name.substr(0, variable_.size() + 1) == variable_ + "/") {
        full = collection_ + "/" + std::string(name.substr(variable_.size() + 1));
      } else {
        return nullptr;
      }
    }
    const auto found = std::find_if(
        list_.properties.begin(), list_.properties.end(), [&](const Property& property) {
          return property.name == full && (beta_ || !property.beta_only);
        });
    if (found == list_.properties.end()) return nullptr;
    const bool collection =
        found->type == PropertyType::kTexts || found->type == PropertyType::kObjects;
    return collection == variable_.empty() ? nullptr : &*found;
  }

  static bool Allows(const Property& property, std::string_view op) {
    const auto words = Split(property.operators, ' ');
    return std::find(words.begin(), words.end(), op) != words.end();
  }

  Result<NodePtr> Finish(std::string_view name, std::string_view op_name, Operator op) {
    const Property* property = Find(name);
    if (property == nullptr) {
      return Invalid("Invalid filter clause: Could not find a property named '" +
                     std::string(name) + "'.");
    }
    if (!Allows(*property, op_name)) return Invalid("Invalid filter clause");
    Node node{.op = op};
    node.property = variable_.empty()   ? std::string(property->name)
                    : name == variable_ ? std::string()
                                        : std::string(name.substr(variable_.size() + 1));
    node.is_list_time = property->name == list_.time;
    PK_ASSIGN_OR_RETURN(node.literal, LiteralOf(*property));
    return std::make_shared<Node>(std::move(node));
  }

  Result<NodePtr> Compare(std::string_view name) {
    static constexpr std::pair<std::string_view, Operator> kOperators[] = {
        {"eq", Operator::kEq}, {"ne", Operator::kNe}, {"ge", Operator::kGe},
        {"gt", Operator::kGt}, {"le", Operator::kLe}, {"lt", Operator::kLt}};
    const std::string_view word = Word();
    for (const auto& [op_name, op] : kOperators) {
      if (word == op_name) return Finish(name, op_name, op);
    }
    return Invalid("Invalid filter clause");
  }

  Result<NodePtr> StartsWith() {
    if (!Take('(')) return Invalid("Invalid filter clause");
    const std::string_view name = Word();
    if (!Take(',')) return Invalid("Invalid filter clause");
    Result<NodePtr> node = Finish(name, "startsWith", Operator::kStartsWith);
    if (node && !Take(')')) return Invalid("Invalid filter clause");
    return node;
  }

  Result<NodePtr> Any(std::string_view collection, int depth) {
    if (!variable_.empty() || !Take('(')) return Invalid("Invalid filter clause");
    variable_ = std::string(Word());
    collection_ = std::string(collection);
    if (variable_.empty() || !Take(':')) return Invalid("Invalid filter clause");
    PK_ASSIGN_OR_RETURN(NodePtr inner, Alternatives(depth + 1));
    if (!Take(')')) return Invalid("Invalid filter clause");
    variable_.clear();
    return std::make_shared<Node>(Node{.kind = Node::Kind::kAny,
                                       .children = {std::move(inner)},
                                       .property = std::exchange(collection_, {})});
  }

  Result<Literal> LiteralOf(const Property& property) {
    SkipSpace();
    switch (property.type) {
      case PropertyType::kTime: {
        Result<Instant> time = ParseTime(Word());
        if (!time) return Invalid("Invalid filter clause: a date without quotes is expected");
        return Literal(*time);
      }
      case PropertyType::kNumber: {
        const std::string_view word = Word();
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
        if (error != std::errc() || end != word.data() + word.size()) {
          return Invalid("Invalid filter clause: a number is expected");
        }
        return Literal(number);
      }
      default:
        return Quoted();
    }
  }

  Result<Literal> Quoted() {
    if (!Take('\'')) return Invalid("Invalid filter clause: a text in quotes is expected");
    std::string value;
    while (at_ < text_.size()) {
      if (text_[at_] != '\'') {
        value += text_[at_++];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '\'') {
        value += '\'';
        at_ += 2;
      } else {
        ++at_;
        return Literal(std::move(value));
      }
    }
    return Invalid("Invalid filter clause: a quote is open");
  }

  const std::string_view text_;
  const ListSpec& list_;
  const bool beta_;
  std::size_t at_ = 0;
  std::string variable_, collection_;  // inside any()
};

void Narrow(const Node& node, Instant& from, Instant& to) {
  if (node.kind == Node::Kind::kAnd) {
    for (const NodePtr& child : node.children) Narrow(*child, from, to);
  }
  if (node.kind != Node::Kind::kCompare || !node.is_list_time) return;
  const Instant time = std::get<Instant>(node.literal);
  if (node.op == Operator::kEq || node.op == Operator::kGe || node.op == Operator::kGt) {
    from = std::max(from, time);
  }
  if (node.op == Operator::kEq || node.op == Operator::kLe || node.op == Operator::kLt) {
    to = std::min(to, time);
  }
}

}  // namespace

Result<Filter> Filter::Parse(std::string_view text, const ListSpec& list, bool beta) {
  if (text.size() > kMaxFilter) return Invalid("The filter is too long.");
  Parser parser(text, list, beta);
  Filter filter;
  PK_ASSIGN_OR_RETURN(filter.root_, parser.Whole());
  Narrow(*filter.root_, filter.from_, filter.to_);
  return filter;
}

}  // namespace picket::simulator

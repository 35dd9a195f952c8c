// Expressions, by precedence: or, and, equality, order, + -, * / %, has …, sign, paths.

#include <fmt/format.h>

#include <algorithm>

#include "agent/kql/parser_core.h"
#include "agent/kql/reserved_names.h"

namespace picket::kql {
namespace {

// Chains such as a + b + c … lean to the left: a tree as deep as they are long, without nesting.
constexpr int kMaxTreeDepth = 1000;

bool IsListOperator(std::string_view name) {
  return IsOneOf(name, {"in", "!in", "in~", "!in~", "has_any", "has_all"});
}

bool IsTextOperator(std::string_view name) {
  if (!name.empty() && name.front() == '!') name.remove_prefix(1);
  return IsOneOf(name, {"has", "has_cs", "contains", "contains_cs", "containscs", "startswith",
                        "startswith_cs", "endswith", "endswith_cs", "hasprefix", "hasprefix_cs",
                        "hassuffix", "hassuffix_cs", "like", "notlike"});
}

}  // namespace

AstPtr Parser::Node(AstKind kind, Span span, std::string text) {
  auto node = std::make_unique<Ast>();
  node->kind = kind;
  node->span = span;
  node->text = std::move(text);
  return node;
}

void Parser::Adopt(Ast& parent, AstPtr child) {
  parent.depth = std::max(parent.depth, child->depth + 1);
  if (parent.depth > kMaxTreeDepth) FailAt(child->span, "PK003", "the query is nested too deep");
  parent.children.push_back(std::move(child));
}

AstPtr Parser::Binary(std::string name, AstPtr left, AstPtr right) {
  AstPtr node = Node(AstKind::kCall, {left->span.begin, right->span.end}, std::move(name));
  Adopt(*node, std::move(left));
  Adopt(*node, std::move(right));
  return node;
}

AstPtr Parser::TableNode(std::unique_ptr<Pipeline> pipeline, std::size_t begin) const {
  AstPtr node = Node(AstKind::kTable, {begin, at_ > 0 ? tokens_[at_ - 1].span.end : begin});
  node->table = std::move(pipeline);
  return node;
}

AstPtr Parser::Expression() {
  const Nesting nesting(*this);
  std::vector<AstPtr> parts;
  do {
    parts.push_back(And());
  } while (TakeName("or"));
  return Balanced("or", parts, 0, parts.size());
}

AstPtr Parser::And() {
  std::vector<AstPtr> parts;
  do {
    parts.push_back(Comparison());
  } while (TakeName("and"));
  return Balanced("and", parts, 0, parts.size());
}

// Lists of indicators make chains of thousands; as a balanced tree they mean the same.
AstPtr Parser::Balanced(const std::string& name, std::vector<AstPtr>& parts, std::size_t begin,
                        std::size_t end) {
  if (end - begin == 1) return std::move(parts[begin]);
  // Short ones stay as they are read.
  const std::size_t middle = end - begin < 16 ? end - 1 : begin + (end - begin) / 2;
  AstPtr left = Balanced(name, parts, begin, middle);
  return Binary(name, std::move(left), Balanced(name, parts, middle, end));
}

// Equality, and what takes a list. Comparisons do not chain: `a == b == c` is an error.
AstPtr Parser::Comparison() {
  AstPtr left = Relation();
  const Token& token = Peek();
  if (token.kind == TokenKind::kPunct && IsOneOf(token.text, {"==", "!=", "<>"})) {
    std::string name = Take().text;
    if (name == "<>") name = "!=";
    return Binary(std::move(name), std::move(left), Relation());
  }
  if (token.kind == TokenKind::kName && IsListOperator(token.text)) {
    std::string name = Take().text;
    return Binary(std::move(name), std::move(left), List());
  }
  if (IsName("between") || IsName("!between")) return Between(std::move(left));
  return left;
}

AstPtr Parser::Relation() {
  AstPtr left = Additive();
  const Token& token = Peek();
  if (token.kind != TokenKind::kPunct || !IsOneOf(token.text, {"<", ">", "<=", ">="})) return left;
  std::string name = Take().text;
  return Binary(std::move(name), std::move(left), Additive());
}

// has and its like, =~ and !~: tighter than arithmetic, so that `a == b has c` compares a with
// whether b has c.
AstPtr Parser::TextComparison() {
  AstPtr left = Unary();
  const Token& token = Peek();
  if (token.kind == TokenKind::kPunct && IsOneOf(token.text, {"=~", "!~"})) {
    std::string name = Take().text;
    return Binary(std::move(name), std::move(left), Unary());
  }
  if (searching_ && TakeMark(":")) return Binary(":", std::move(left), Unary());
  if (token.kind == TokenKind::kName && IsTextOperator(token.text)) {
    std::string name = Take().text;
    if (name == "containscs") name = "contains_cs";
    return Binary(std::move(name), std::move(left), Unary());
  }
  if (IsName("matches") && IsName("regex", 1)) {
    Take();
    Take();
    return Binary("matches regex", std::move(left), Unary());
  }
  return left;
}

AstPtr Parser::Between(AstPtr left) {
  AstPtr node = Node(AstKind::kCall, left->span, Take().text);
  Adopt(*node, std::move(left));
  ExpectMark("(");
  Adopt(*node, Expression());
  ExpectMark("..");
  Adopt(*node, Expression());
  node->span.end = Peek().span.end;
  ExpectMark(")");
  return node;
}

AstPtr Parser::List() {
  AstPtr node = Node(AstKind::kList, Peek().span);
  ExpectMark("(");
  for (AstPtr& argument : Arguments()) Adopt(*node, std::move(argument));
  node->span.end = Peek().span.end;
  ExpectMark(")");
  return node;
}

AstPtr Parser::Additive() {
  AstPtr left = Multiplicative();
  while (IsMark("+") || IsMark("-")) {
    std::string name = Take().text;
    left = Binary(std::move(name), std::move(left), Multiplicative());
  }
  return left;
}

AstPtr Parser::Multiplicative() {
  AstPtr left = TextComparison();
  while (IsMark("*") || IsMark("/") || IsMark("%")) {
    std::string name = Take().text;
    left = Binary(std::move(name), std::move(left), TextComparison());
  }
  return left;
}

AstPtr Parser::Unary() {
  if (!IsMark("-") && !IsMark("+")) return Postfix();
  const Nesting nesting(*this);
  const Token sign = Take();
  AstPtr operand = Unary();
  // The least long is no literal but in a datatable.
  if (query_.substr(operand->span.begin, operand->span.end - operand->span.begin) ==
      "9223372036854775808") {
    FailAt(operand->span, "KS001", "the number is too large for a long");
  }
  if (sign.text == "+") return operand;
  if (operand->kind == AstKind::kLiteral && !operand->value.null &&
      (operand->value.type == Type::kLong || operand->value.type == Type::kReal)) {
    // Wraps for the least long, which the lexer gives as it is.
    operand->value.number =
        static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(operand->value.number));
    operand->value.real = -operand->value.real;
    operand->span.begin = sign.span.begin;
    return operand;
  }
  AstPtr node = Node(AstKind::kCall, {sign.span.begin, operand->span.end}, "negate");
  Adopt(*node, std::move(operand));
  return node;
}

AstPtr Parser::Postfix() {
  AstPtr node = Primary();
  while (true) {
    if (IsMark(".") && IsMark("[", 1)) Take();  // a.[0]
    if (TakeMark(".")) {
      const Span span{node->span.begin, Peek().span.end};
      AstPtr member = Node(AstKind::kMember, span, AnyName("a member's name"));
      Adopt(*member, std::move(node));
      node = std::move(member);
      if (IsMark("(")) Fail("PK100", "calls on other clusters and databases are not supported");
    } else if (Peek().kind == TokenKind::kQuoted &&
               Peek().span.begin == tokens_[at_ - 1].span.end) {
      AstPtr member = Node(AstKind::kMember, {node->span.begin, Peek().span.end}, Take().text);
      Adopt(*member, std::move(node));
      node = std::move(member);
    } else if (IsMark("[")) {
      Take();
      AstPtr index = Node(AstKind::kIndex, node->span);
      Adopt(*index, std::move(node));
      Adopt(*index, Expression());
      index->span.end = Peek().span.end;
      ExpectMark("]");
      node = std::move(index);
    } else {
      return node;
    }
  }
}

AstPtr Parser::Primary() {
  const Token& token = Peek();
  if (token.kind == TokenKind::kLiteral) {
    AstPtr node = Node(AstKind::kLiteral, token.span);
    node->value = Take().value;
    return node;
  }
  if (TakeMark("(")) {
    const Nesting nesting(*this);
    AstPtr inside = Argument();
    ExpectMark(")");
    return inside;
  }
  if (IsMark("*")) return Node(AstKind::kStar, Take().span);
  if (!IsAnyName()) Unexpected();
  if (IsMark("(", 1) && token.kind == TokenKind::kName) return Call();
  CheckReferred(token);
  const Span span = token.span;
  std::string text = Take().text;
  return Node(AstKind::kName, span, std::move(text));
}

AstPtr Parser::Call() {
  const Nesting nesting(*this);
  const Token name = Take();
  if (name.text == "typeof") {
    AstPtr type = Node(AstKind::kTyped, name.span);
    ExpectMark("(");
    type->type = TypeHere();
    ExpectMark(")");
    return type;
  }
  if (IsOperatorName(name.text)) {
    FailAt(name.span, "KS006", fmt::format("'{}' is an operator, not a function", name.text));
  }
  AstPtr call = Node(AstKind::kCall, name.span, name.text);
  ExpectMark("(");
  for (AstPtr& argument : Arguments()) Adopt(*call, std::move(argument));
  call->span.end = Peek().span.end;
  ExpectMark(")");
  if (name.text == "materialize" && call->children.size() == 1 &&
      call->children[0]->kind == AstKind::kTable) {
    return std::move(call->children[0]);
  }
  return call;
}

std::vector<AstPtr> Parser::Arguments() {
  std::vector<AstPtr> arguments;
  if (IsMark(")")) return arguments;
  do {
    arguments.push_back(Argument());
  } while (TakeMark(","));
  return arguments;
}

AstPtr Parser::Argument() {
  const std::size_t begin = Peek().span.begin;
  if (StartsTable()) return TableNode(Pipe(), begin);
  AstPtr expression = Column();
  if (!IsMark("|")) return expression;
  return TableNode(PipeAfter(std::move(expression)), begin);
}

bool Parser::StartsTuple() const {
  if (!IsMark("(") || !IsAnyName(1)) return false;
  std::size_t ahead = 2;
  while (IsMark(",", ahead) && IsAnyName(ahead + 1)) ahead += 2;
  return IsMark(")", ahead) && IsMark("=", ahead + 1);
}

AstPtr Parser::Column() {
  const Span span = Peek().span;
  if (IsAnyName() && IsMark("=", 1)) {
    CheckNamed(Peek());
    AstPtr node = Node(AstKind::kAssign, span, Take().text);
    node->names.push_back(node->text);
    Take();
    Adopt(*node, Expression());
    node->span.end = node->children[0]->span.end;
    return node;
  }
  if (!StartsTuple()) return Expression();
  AstPtr node = Node(AstKind::kAssign, span);
  do {
    Take();
    node->names.push_back(Take().text);
  } while (IsMark(","));
  node->text = node->names[0];
  ExpectMark(")");
  ExpectMark("=");
  Adopt(*node, Expression());
  node->span.end = node->children[0]->span.end;
  return node;
}

std::vector<AstPtr> Parser::ColumnList() {
  std::vector<AstPtr> columns;
  do {
    columns.push_back(Column());
  } while (TakeMark(","));
  return columns;
}

}  // namespace picket::kql

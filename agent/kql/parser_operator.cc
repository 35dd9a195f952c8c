// Operators: the plain ones, and those that join tables.

#include <fmt/format.h>

#include <array>

#include "agent/kql/parser_core.h"
#include "base/text.h"

namespace picket::kql {

OperatorAst Parser::Operator() {
  const Nesting nesting(*this);
  OperatorAst op;
  op.span = Peek().span;
  op.name = AnyName("an operator");
  if (op.name == "filter") op.name = "where";
  if (op.name == "limit") op.name = "take";
  if (op.name == "order") op.name = "sort";
  if (op.name == "mvexpand") op.name = "mv-expand";
  if (op.name == "mvapply") op.name = "mv-apply";
  Hints(op);
  if (!PlainOperator(op) && !ReshapingOperator(op)) RefuseOperator(op);
  return op;
}

bool Parser::PlainOperator(OperatorAst& op) {
  const std::string_view name = op.name;
  if (name == "where") {
    do {
      op.expressions.push_back(Expression());
    } while (TakeMark(","));
  } else if (IsOneOf(name, {"extend", "project", "project-rename", "serialize"})) {
    // May be empty at the end of a pipeline: no column, or only an order.
    if (!AtOperatorEnd()) op.expressions = ColumnList();
  } else if (IsOneOf(name, {"project-away", "project-keep", "distinct"})) {
    op.expressions = NamePatterns(/*ordered=*/false);
  } else if (name == "project-reorder") {
    op.expressions = NamePatterns(/*ordered=*/true);
  } else if (name == "summarize") {
    Summarize(op);
  } else if (name == "sort") {
    ExpectName("by");
    op.sort = SortKeys();
  } else if (name == "top") {
    op.count = Expression();
    ExpectName("by");
    op.sort = SortKeys();
  } else if (name == "take" || name == "sample") {
    op.count = Expression();
  } else if (name == "union") {
    Union(op);
  } else if (name == "join" || name == "lookup") {
    Join(op);
  } else if (name == "render") {
    while (!AtOperatorEnd() || IsMark(",")) {
      if (IsMark("(") || IsName("with")) {
        WithOptions(op);
      } else {
        Take();
      }
    }
  } else if (name == "as") {
    op.target = AnyName("a name");
  } else if (name == "count") {
    if (TakeName("as")) op.target = AnyName("a name");
  } else {
    return name == "getschema" || name == "consume";
  }
  return true;
}

void Parser::RefuseOperator(const OperatorAst& op) {
  static const std::vector<std::string_view> kKnown = {
      "where",     "extend",      "project",  "project-away",    "project-keep",
      "summarize", "sort",        "top",      "project-rename",  "project-reorder",
      "take",      "distinct",    "count",    "union",           "join",
      "lookup",    "mv-expand",   "mv-apply", "parse",           "parse-where",
      "parse-kv",  "make-series", "evaluate", "invoke",          "serialize",
      "render",    "as",          "sample",   "sample-distinct", "top-nested",
      "getschema", "search",      "limit",    "order",           "filter"};
  const std::string_view nearest = Nearest(op.name, kKnown);
  FailAt(op.span, "KS006", fmt::format("'{}' is no operator", EscapeTerminal(op.name)),
         nearest.empty() ? "" : fmt::format("Did you mean '{}'?", nearest));
}

// hint.strategy=shuffle: how the work is shared among nodes; nothing to us.
void Parser::Hints(OperatorAst& op) {
  while (IsName("hint") && IsMark(".", 1)) {
    Take();
    Take();
    OptionAst hint;
    hint.name = "hint." + AnyName("a hint");
    ExpectMark("=");
    hint.text = Take().text;
    op.options.push_back(std::move(hint));
  }
}

// kind=inner, isfuzzy=true, withsource=Name
void Parser::Options(OperatorAst& op, std::initializer_list<std::string_view> known) {
  Hints(op);
  while (Peek().kind == TokenKind::kName && IsMark("=", 1) && IsOneOf(Peek().text, known)) {
    OptionAst option;
    option.name = Take().text;
    Take();
    Token value = Take();
    option.text = value.kind == TokenKind::kLiteral && value.value.type == Type::kString
                      ? value.value.text
                      : value.text;
    op.options.push_back(std::move(option));
    Hints(op);
  }
}

// with (format="csv", ignoreFirstRecord=true), also without `with` and after render's kind.
void Parser::WithOptions(OperatorAst& op) {
  if (!TakeName("with") && !IsMark("(")) return;
  ExpectMark("(");
  while (!IsMark(")")) {
    OptionAst option;
    option.name = AnyName("an option");
    ExpectMark("=");
    option.value = Expression();
    while (TakeMark(",") && !(IsAnyName() && IsMark("=", 1))) {
      if (IsMark(")")) break;
      Expression();  // render's ycolumns=a,b
    }
    op.options.push_back(std::move(option));
  }
  ExpectMark(")");
}

void Parser::Union(OperatorAst& op) {
  Options(op, {"kind", "isfuzzy", "withsource", "with_source"});
  do {
    op.tables.push_back(Leg());
  } while (TakeMark(","));
}

void Parser::Join(OperatorAst& op) {
  Options(op, {"kind"});
  op.tables.push_back(Leg());
  if (!TakeName("on")) {
    if (op.name == "lookup") Fail("KS006", "'on' is missing here");
    return;
  }
  do {
    op.by.push_back(Expression());
  } while (TakeMark(","));
}

void Parser::Summarize(OperatorAst& op) {
  if (!IsName("by")) op.expressions = ColumnList();
  if (TakeName("by")) op.by = ColumnList();
}

std::vector<SortKey> Parser::SortKeys() {
  std::vector<SortKey> keys;
  do {
    SortKey key;
    key.expression = Column();
    if (TakeName("asc")) {
      key.ascending = true;
    } else {
      TakeName("desc");
    }
    key.nulls_first = key.ascending;
    if (TakeName("nulls")) {
      if (TakeName("first")) {
        key.nulls_first = true;
      } else if (TakeName("last")) {
        key.nulls_first = false;
      } else {
        Unexpected();
      }
    }
    keys.push_back(std::move(key));
  } while (TakeMark(","));
  return keys;
}

// Columns, or patterns of them: `*`, `a*`, `*b`, `a*b`; for project-reorder with an order.
std::vector<AstPtr> Parser::NamePatterns(bool ordered) {
  std::vector<AstPtr> columns;
  do {
    const Span span = Peek().span;
    const auto joined = [this](std::size_t ahead) {
      return Peek(ahead).span.begin == Peek(ahead - 1).span.end;
    };
    const bool pattern = IsMark("*") || (IsAnyName() && IsMark("*", 1) && joined(1));
    if (!pattern) {
      columns.push_back(Column());
    } else {
      std::string text = Take().text;
      while ((IsMark("*") || IsAnyName()) && Peek().span.begin == tokens_[at_ - 1].span.end) {
        text += Take().text;
      }
      const AstKind kind = text == "*" ? AstKind::kStar : AstKind::kName;
      columns.push_back(Node(kind, {span.begin, tokens_[at_ - 1].span.end}, std::move(text)));
    }
    const bool direction =
        IsName("asc") || IsName("desc") || IsName("granny-asc") || IsName("granny-desc");
    if (ordered && direction) columns.back()->names.push_back(Take().text);
  } while (TakeMark(","));
  return columns;
}

}  // namespace picket::kql

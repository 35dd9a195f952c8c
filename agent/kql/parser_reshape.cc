// Operators that take values apart or change the shape of the table.

#include <fmt/format.h>

#include "agent/kql/parser_core.h"

namespace picket::kql {

bool Parser::ReshapingOperator(OperatorAst& op) {
  const std::string_view name = op.name;
  if (name == "mv-expand") {
    MvExpand(op);
  } else if (name == "mv-apply") {
    MvApply(op);
  } else if (name == "parse" || name == "parse-where") {
    ParseText(op);
  } else if (name == "parse-kv") {
    ParseKv(op);
  } else if (name == "make-series") {
    MakeSeries(op);
  } else if (name == "evaluate" || name == "invoke") {
    Evaluate(op);
  } else if (name == "top-nested") {
    TopNested(op);
  } else if (name == "sample-distinct" || name == "top-hitters") {
    op.count = Expression();
    ExpectName("of");
    op.expressions.push_back(Expression());
    if (TakeName("by")) op.by.push_back(Expression());
  } else if (name == "search") {
    Search(op);
  } else if (name == "find") {
    Find(op);
  } else if (IsOneOf(name, {"reduce", "scan", "facet", "fork", "partition", "make-graph",
                            "graph-match", "graph-to-table", "graph-shortest-paths",
                            "graph-mark-components", "macro-expand", "assert-schema",
                            "project-by-names", "project-smart", "execute_and_cache"})) {
    SkipOperator(op);
  } else {
    return false;
  }
  return true;
}

AstPtr Parser::Expanded() {
  AstPtr column = Column();
  if (!IsName("to") || !IsName("typeof", 1)) return column;
  Take();
  Take();
  ExpectMark("(");
  AstPtr typed = Node(AstKind::kTyped, column->span);
  typed->type = TypeHere();
  typed->span.end = Peek().span.end;
  ExpectMark(")");
  Adopt(*typed, std::move(column));
  return typed;
}

void Parser::MvExpand(OperatorAst& op) {
  Options(op, {"kind", "bagexpansion", "with_itemindex"});
  do {
    op.expressions.push_back(Expanded());
  } while (TakeMark(","));
  if (TakeName("limit")) op.count = Expression();
}

void Parser::MvApply(OperatorAst& op) {
  Options(op, {"with_itemindex"});
  do {
    op.expressions.push_back(Expanded());
  } while (TakeMark(","));
  if (TakeName("limit")) op.count = Expression();
  ExpectName("on");
  op.tables.push_back(InnerPipe());
}

void Parser::ParseText(OperatorAst& op) {
  Options(op, {"kind", "flags"});
  op.count = Expression();
  ExpectName("with");
  ParsePattern(op);
}

// `* "from " name:type " to " *`: each a star, a text, or a name with an optional type.
void Parser::ParsePattern(OperatorAst& op) {
  while (!AtOperatorEnd()) {
    const Token token = Take();
    if (token.kind == TokenKind::kPunct && token.text == "*") {
      op.expressions.push_back(Node(AstKind::kStar, token.span));
    } else if (token.kind == TokenKind::kLiteral && token.value.type == Type::kString) {
      AstPtr text = Node(AstKind::kLiteral, token.span);
      text->value = token.value;
      op.expressions.push_back(std::move(text));
    } else if (token.kind == TokenKind::kName || token.kind == TokenKind::kQuoted) {
      CheckNamed(token);
      CheckReferred(token);
      AstPtr name = Node(AstKind::kTyped, token.span, token.text);
      if (TakeMark(":")) name->type = TypeHere();
      op.expressions.push_back(std::move(name));
    } else {
      FailAt(token.span, "KS006", "a pattern is made of texts, names and '*'");
    }
  }
  if (op.expressions.empty()) Fail("KS006", "a pattern is missing here");
}

void Parser::ParseKv(OperatorAst& op) {
  op.count = Expression();
  ExpectName("as");
  op.columns = Columns();
  if (IsName("with")) WithOptions(op);
}

void Parser::MakeSeries(OperatorAst& op) {
  Options(op, {"kind"});
  do {
    AstPtr series = Column();
    OptionAst fallback;  // one for each series, in order
    fallback.name = "default";
    if (TakeName("default")) {
      ExpectMark("=");
      fallback.value = Expression();
    }
    op.options.push_back(std::move(fallback));
    op.expressions.push_back(std::move(series));
  } while (TakeMark(","));
  ExpectName("on");
  op.count = Additive();
  if (TakeName("in")) {  // the older form: in range(from, to, step)
    ExpectName("range");
    ExpectMark("(");
    for (const std::string_view word : {"from", "to", "step"}) {
      if (word != "from") ExpectMark(",");
      OptionAst option;
      option.name = word;
      option.value = Expression();
      op.options.push_back(std::move(option));
    }
    ExpectMark(")");
  }
  for (const std::string_view word : {"from", "to", "step"}) {
    if (!TakeName(word)) continue;
    OptionAst option;
    option.name = word;
    option.value = Expression();
    op.options.push_back(std::move(option));
  }
  if (op.Option("step") == nullptr) Fail("KS006", "'step' is missing here");
  if (TakeName("by")) op.by = ColumnList();
}

void Parser::Evaluate(OperatorAst& op) {
  op.target = AnyName("a function's name");
  ExpectMark("(");
  op.expressions = Arguments();
  ExpectMark(")");
  if (op.name == "evaluate" && TakeMark(":")) op.columns = Columns();
}

void Parser::TopNested(OperatorAst& op) {
  do {
    if (!op.expressions.empty()) ExpectName("top-nested");
    AstPtr level = Node(AstKind::kCall, Peek().span, "top-nested");
    if (!IsName("of")) Adopt(*level, Expression());
    ExpectName("of");
    Adopt(*level, Column());
    if (TakeName("with")) {
      ExpectName("others");
      ExpectMark("=");
      Adopt(*level, Expression());
    }
    ExpectName("by");
    Adopt(*level, Column());
    if (!TakeName("asc")) TakeName("desc");
    op.expressions.push_back(std::move(level));
  } while (TakeMark(","));
}

// in (T, …)
void Parser::SearchedTables(OperatorAst& op) {
  if (!TakeName("in")) return;
  ExpectMark("(");
  do {
    op.tables.push_back(Leg());
  } while (TakeMark(","));
  ExpectMark(")");
}

// A condition in which a bare text searches every column.
void Parser::SearchCondition(OperatorAst& op) {
  const bool outer = std::exchange(searching_, true);
  op.expressions.push_back(Expression());
  searching_ = outer;
}

void Parser::Search(OperatorAst& op) {
  Options(op, {"kind"});
  SearchedTables(op);
  SearchCondition(op);
}

void Parser::Find(OperatorAst& op) {
  Options(op, {"withsource"});
  SearchedTables(op);
  TakeName("where");
  SearchCondition(op);
  if (!AtOperatorEnd()) SkipOperator(op);  // project …
}

// Operators that no rule uses: their words are passed by, up to the next `|`.
void Parser::SkipOperator(OperatorAst& op) {
  int depth = 0;
  while (Peek().kind != TokenKind::kEnd) {
    if (depth == 0 && (IsMark("|") || IsMark(";") || IsMark(")") || IsMark("}"))) break;
    if (IsMark("(") || IsMark("[") || IsMark("{")) ++depth;
    if (IsMark(")") || IsMark("]") || IsMark("}")) --depth;
    Take();
  }
  op.span.end = tokens_[at_ - 1].span.end;
}

}  // namespace picket::kql

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
  } else if (name == "scan") {
    Scan(op);
  } else if (name == "partition") {
    Partition(op);
  } else if (IsOneOf(name,
                     {"reduce", "facet", "fork", "make-graph", "graph-match", "graph-to-table",
                      "graph-shortest-paths", "graph-mark-components", "macro-expand",
                      "assert-schema", "project-by-names", "project-smart", "execute_and_cache"})) {
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
  if (op.name == "evaluate" && TakeMark(":")) {
    const bool star = IsMark("(") && IsMark("*", 1);
    op.columns = Columns();
    if (star) op.columns.insert(op.columns.begin(), {"*", Type::kDynamic});
  }
}

// [n] of key [with others = …] by aggregate [asc|desc]: an entry of `by`, `expressions`, `options`
// and `sort` for each level.
void Parser::TopNested(OperatorAst& op) {
  do {
    if (!op.expressions.empty()) ExpectName("top-nested");
    OptionAst& count = op.options.emplace_back();
    count.name = "count";
    if (!IsName("of")) count.value = Expression();
    ExpectName("of");
    op.by.push_back(Column());
    if (TakeName("with")) {
      ExpectName("others");
      ExpectMark("=");
      Expression();
      count.text = "others";
    }
    ExpectName("by");
    op.expressions.push_back(Column());
    SortKey& order = op.sort.emplace_back();
    order.ascending = TakeName("asc");
    if (!order.ascending) TakeName("desc");
  } while (TakeMark(","));
}

// partition [hint…] by column (operators)
void Parser::Partition(OperatorAst& op) {
  Hints(op);
  ExpectName("by");
  const Span span = Peek().span;
  op.by.push_back(Node(AstKind::kName, span, AnyName("a column's name")));
  if (IsMark("{")) Fail("PK100", "partition by … {…} is not supported");
  op.tables.push_back(InnerPipe());
}

// scan [with_match_id = id] [declare (a:long = 0, …)] with (step s: condition => a = …; …)
void Parser::Scan(OperatorAst& op) {
  Options(op, {"with_match_id"});
  if (TakeName("declare")) {
    ExpectMark("(");
    do {
      CheckNamed(Peek());
      ParameterAst column = Parameter();
      if (!column.type) FailAt(column.span, "KS006", "a scalar column is needed here");
      op.columns.push_back({column.name, *column.type});
      op.by.push_back(std::move(column.fallback));
    } while (TakeMark(","));
    ExpectMark(")");
  }
  ExpectName("with");
  ExpectMark("(");
  while (!IsMark(")")) {
    ExpectName("step");
    AstPtr step = Node(AstKind::kCall, Peek().span, AnyName("a step's name"));
    if (TakeName("output")) {
      ExpectMark("=");
      const Token shown = Take();
      if (shown.text == "none") step->names.push_back("none");
      if (shown.text == "last") FailAt(shown.span, "PK100", "output=last is not supported");
    }
    ExpectMark(":");
    Adopt(*step, Expression());
    if (TakeMark("=>")) {
      for (AstPtr& assigned : ColumnList()) Adopt(*step, std::move(assigned));
    }
    op.expressions.push_back(std::move(step));
    ExpectMark(";");
  }
  ExpectMark(")");
  if (op.expressions.empty()) Fail("KS006", "a step is missing here");
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

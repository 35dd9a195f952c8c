// Where a pipeline's rows come from.

#include <fmt/format.h>

#include "agent/kql/parser_core.h"

namespace picket::kql {

bool Parser::StartsTable() const {
  if (Peek().kind != TokenKind::kName) return false;
  const std::string& word = Peek().text;
  if (IsOneOf(word, {"datatable", "externaldata", "external_data"})) return IsMark("(", 1);
  if (word == "range") return IsAnyName(1) && IsName("from", 2);
  if (!IsOneOf(word, {"print", "union", "search", "find", "evaluate"})) return false;
  // Else a column or let of that name.
  return IsAnyName(1) || Peek(1).kind == TokenKind::kLiteral || IsMark("(", 1) ||
         (word == "print" && (IsMark("-", 1) || IsMark("+", 1))) ||
         (IsMark("*", 1) && word != "print");
}

std::unique_ptr<Pipeline> Parser::Pipe() {
  const Nesting nesting(*this);
  auto pipeline = std::make_unique<Pipeline>();
  pipeline->source = Source();
  OperatorsOf(*pipeline);
  return pipeline;
}

std::unique_ptr<Pipeline> Parser::PipeAfter(AstPtr source) {
  const Nesting nesting(*this);
  auto pipeline = std::make_unique<Pipeline>();
  pipeline->source = SourceFrom(std::move(source));
  OperatorsOf(*pipeline);
  return pipeline;
}

void Parser::OperatorsOf(Pipeline& pipeline) {
  while (TakeMark("|")) pipeline.operators.push_back(Operator());
}

std::unique_ptr<Pipeline> Parser::InnerPipe() {
  const Nesting nesting(*this);
  auto pipeline = std::make_unique<Pipeline>();
  pipeline->source.kind = SourceAst::Kind::kInput;
  pipeline->source.span = Peek().span;
  ExpectMark("(");
  TakeMark("|");
  pipeline->operators.push_back(Operator());
  OperatorsOf(*pipeline);
  ExpectMark(")");
  return pipeline;
}

// A union's leg or a join's right side: a `|` after it belongs to the pipeline around.
std::unique_ptr<Pipeline> Parser::Leg() {
  const Nesting nesting(*this);
  auto leg = std::make_unique<Pipeline>();
  if (IsAnyName() && IsMark("*", 1) && Peek(1).span.begin == Peek().span.end) {
    leg->source.span = Peek().span;
    leg->source.name = Take().text + "*";
    leg->source.span.end = Take().span.end;
  } else if (IsMark("*")) {
    leg->source.span = Peek().span;
    leg->source.name = Take().text;
  } else if (StartsTable() && !IsName("union")) {
    leg->source = Source();
  } else {
    leg->source = SourceFrom(Postfix());
  }
  return leg;
}

SourceAst Parser::Source() {
  if (!StartsTable()) return SourceFrom(Postfix());
  SourceAst source;
  source.span = Peek().span;
  if (IsOneOf(Peek().text, {"union", "search", "find", "evaluate"})) {
    source.kind = SourceAst::Kind::kOperator;
    source.first = std::make_unique<OperatorAst>(Operator());
  } else if (TakeName("datatable")) {
    Datatable(source);
  } else if (TakeName("externaldata") || TakeName("external_data")) {
    ExternalData(source);
  } else if (TakeName("range")) {
    Range(source);
  } else {
    Take();
    source.kind = SourceAst::Kind::kPrint;
    source.arguments = ColumnList();
  }
  source.span.end = tokens_[at_ - 1].span.end;
  return source;
}

// What was read as an expression is a table's name, a function's call or a pipeline in parentheses.
SourceAst Parser::SourceFrom(AstPtr ast) {
  SourceAst source;
  source.span = ast->span;
  if (ast->kind == AstKind::kName) {
    source.name = ast->text;
  } else if (ast->kind == AstKind::kTable) {
    source.kind = SourceAst::Kind::kPipeline;
    source.inner = std::move(ast->table);
  } else if (ast->kind == AstKind::kCall && ast->depth < 64) {
    source.kind = SourceAst::Kind::kCall;
    source.name = ast->text;
    source.arguments = std::move(ast->children);
  } else {
    FailAt(ast->span, "KS006", "a table is needed here, not an expression");
  }
  return source;
}

// `["text"]` reads as a quoted name; as a cell it is the text.
AstPtr Parser::QuotedCell() {
  const Span span = Peek().span;
  AstPtr cell = Node(AstKind::kLiteral, span);
  cell->value = Value::String(Take().text);
  return cell;
}

// A literal, perhaps with a sign.
AstPtr Parser::Cell() {
  const std::size_t begin = Peek().span.begin;
  const bool negative = TakeMark("-");
  if (!negative) TakeMark("+");
  if (Peek().kind != TokenKind::kLiteral) Fail("KS005", "a datatable takes literals only");
  AstPtr cell = Primary();
  cell->span.begin = begin;
  const Type type = cell->value.type;
  if (!negative) return cell;
  if (type != Type::kLong && type != Type::kReal && type != Type::kTimespan) Unexpected();
  cell->value.number =
      static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(cell->value.number));
  cell->value.real = -cell->value.real;
  return cell;
}

void Parser::Datatable(SourceAst& source) {
  source.kind = SourceAst::Kind::kDatatable;
  source.columns = Columns();
  if (Peek().kind == TokenKind::kQuoted) {
    source.values.push_back(QuotedCell());
  } else {
    ExpectMark("[");
    while (!IsMark("]")) {
      source.values.push_back(Cell());
      if (!TakeMark(",")) break;
    }
    ExpectMark("]");
  }
  if (source.columns.empty() || source.values.size() % source.columns.size() != 0) {
    FailAt(source.span, "KS173", "the datatable's values do not fill its rows");
  }
}

void Parser::ExternalData(SourceAst& source) {
  source.kind = SourceAst::Kind::kExternalData;
  source.columns = Columns();
  if (Peek().kind == TokenKind::kQuoted) {
    source.values.push_back(QuotedCell());
  } else {
    ExpectMark("[");
    do {
      source.values.push_back(Expression());
    } while (TakeMark(","));
    ExpectMark("]");
  }
  source.first = std::make_unique<OperatorAst>();
  WithOptions(*source.first);
}

void Parser::Range(SourceAst& source) {
  source.kind = SourceAst::Kind::kRange;
  source.name = AnyName("a column's name");
  for (const std::string_view word : {"from", "to", "step"}) {
    ExpectName(word);
    source.arguments.push_back(Expression());
  }
}

}  // namespace picket::kql

#include "agent/kql/parser.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/kql/parser_core.h"
#include "agent/kql/reserved_names.h"
#include "base/text.h"

namespace picket::kql {
namespace {

// A level costs up to eight frames of the parser; this many fit into the 1 MiB stack of a thread,
// with a sanitizer too.
constexpr int kMaxNesting = 200;

}  // namespace

bool IsOneOf(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Parser::Nesting::Nesting(Parser& parser) : parser_(parser) {
  if (parser_.nesting_ >= kMaxNesting) parser_.Fail("PK003", "the query is nested too deep");
  ++parser_.nesting_;
}

const Token& Parser::Peek(std::size_t ahead) const {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

bool Parser::IsMark(std::string_view mark, std::size_t ahead) const {
  return Peek(ahead).kind == TokenKind::kPunct && Peek(ahead).text == mark;
}

bool Parser::IsName(std::string_view name, std::size_t ahead) const {
  return Peek(ahead).kind == TokenKind::kName && Peek(ahead).text == name;
}

bool Parser::IsAnyName(std::size_t ahead) const {
  const Token& token = Peek(ahead);
  return token.kind == TokenKind::kQuoted ||
         (token.kind == TokenKind::kName && token.text.front() != '!');
}

bool Parser::AtOperatorEnd() const {
  return IsMark("|") || IsMark(";") || IsMark(")") || IsMark("}") || IsMark(",") ||
         Peek().kind == TokenKind::kEnd;
}

Token Parser::Take() {
  Token token = Peek();
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool Parser::TakeMark(std::string_view mark) {
  if (!IsMark(mark)) return false;
  Take();
  return true;
}

bool Parser::TakeName(std::string_view name) {
  if (!IsName(name)) return false;
  Take();
  return true;
}

void Parser::ExpectMark(std::string_view mark) {
  if (!TakeMark(mark)) Fail("KS006", fmt::format("'{}' is missing here", mark));
}

void Parser::ExpectName(std::string_view name) {
  if (!TakeName(name)) Fail("KS006", fmt::format("'{}' is missing here", name));
}

std::string Parser::AnyName(std::string_view what) {
  if (!IsAnyName()) Fail("KS006", fmt::format("{} is missing here", what));
  return Take().text;
}

void Parser::CheckNamed(const Token& token) {
  if (token.kind != TokenKind::kName || MayNameColumn(token.text)) return;
  FailAt(token.span, "KS228",
         fmt::format("'{0}' is a keyword; as a name, write ['{0}']", token.text));
}

void Parser::CheckReferred(const Token& token) {
  if (token.kind != TokenKind::kName || MayReferToColumn(token.text)) return;
  FailAt(token.span, "KS228",
         fmt::format("'{0}' is a keyword; as a name, write ['{0}']", token.text));
}

Type Parser::TypeHere() {
  const Token token = Peek();
  const std::string name = AnyName("a type");
  const std::optional<Type> type = ParseType(name);
  if (!type) FailAt(token.span, "KS160", fmt::format("'{}' is no type", EscapeTerminal(name)));
  return *type;
}

Schema Parser::Columns() {
  Schema columns;
  ExpectMark("(");
  while (!IsMark(")")) {
    if (TakeMark("*")) {  // any further columns
      TakeMark(",");
      continue;
    }
    CheckNamed(Peek());
    std::string name = AnyName("a column's name");
    ExpectMark(":");
    columns.push_back({std::move(name), TypeHere()});
    if (!TakeMark(",")) break;
  }
  ExpectMark(")");
  return columns;
}

void Parser::Fail(std::string code, std::string message, std::string hint) {
  FailAt(Peek().span, std::move(code), std::move(message), std::move(hint));
}

void Parser::FailAt(Span span, std::string code, std::string message, std::string hint) {
  Diagnostic diagnostic{.code = std::move(code),
                        .message = std::move(message),
                        .span = span,
                        .hint = std::move(hint)};
  Locate(diagnostic, query_);
  throw ParseStop{std::move(diagnostic)};
}

void Parser::Unexpected() {
  const Token& token = Peek();
  if (token.kind == TokenKind::kEnd) Fail("KS006", "the query ends too early");
  // Cut where a character begins.
  std::size_t length = std::min<std::size_t>(40, token.span.end - token.span.begin);
  while (length < token.span.end - token.span.begin &&
         (static_cast<unsigned char>(query_[token.span.begin + length]) & 0xC0U) == 0x80U) {
    ++length;
  }
  Fail("KS006", fmt::format("'{}' is not expected here",
                            EscapeTerminal(query_.substr(token.span.begin, length))));
}

QueryAst Parser::Query() {
  QueryAst query = Statements(/*in_function=*/false);
  if (!query.body) Fail("KS006", "the query has no tabular expression");
  return query;
}

QueryAst Parser::Statements(bool in_function) {
  QueryAst query;
  while (true) {
    while (TakeMark(";")) {
    }
    if (Peek().kind == TokenKind::kEnd || (in_function && IsMark("}"))) return query;
    const bool has_body = query.body || query.scalar;
    if (IsName("let") && IsAnyName(1)) {
      query.lets.push_back(Let());
    } else if (!in_function && IsName("set") && IsAnyName(1)) {
      SetOption(query);
    } else if (IsOneOf(Peek().text, {"set", "declare", "alias", "restrict"}) && IsAnyName(1)) {
      Fail("PK100", fmt::format("the statement '{}' is not supported", Peek().text));
    } else if (has_body) {
      Fail("PK100", "a query of several results is not supported");
    } else if (StartsTable() || !in_function) {
      query.body = Pipe();
    } else {
      AstPtr expression = Expression();
      if (IsMark("|")) {
        query.body = PipeAfter(std::move(expression));
      } else {
        query.scalar = std::move(expression);
      }
    }
    const bool end = Peek().kind == TokenKind::kEnd || (in_function && IsMark("}"));
    if (!end && !IsMark(";")) Unexpected();
  }
}

// `set NAME = VALUE`: most options tell Kusto's cluster how to run the query and change no answer.
// Those of bin_auto() become lets, under names that no query can write.
void Parser::SetOption(QueryAst& query) {
  LetAst let;
  let.span = Take().span;
  const std::string option = AnyName("an option");
  if (option == "query_now" || option == "query_datetimescope_to") {
    Fail("PK100", fmt::format("the option '{}' is not supported; the query's clock is set from "
                              "outside",
                              option));
  }
  if (TakeMark("=")) let.scalar = Expression();
  if (!let.scalar || !option.starts_with("query_bin_auto_")) return;
  let.span.end = tokens_[at_ - 1].span.end;
  let.name = "set " + option;
  std::erase_if(query.lets, [&](const LetAst& each) { return each.name == let.name; });
  query.lets.push_back(std::move(let));
}

LetAst Parser::Let() {
  LetAst let;
  let.span = Take().span;
  let.name = AnyName("a name");
  let.span.end = tokens_[at_ - 1].span.end;
  ExpectMark("=");
  if (StartsFunction()) {
    let.function = Function();
  } else if (StartsTable()) {
    let.table = Pipe();
  } else {
    let.scalar = Expression();
    if (IsMark("|")) let.table = PipeAfter(std::move(let.scalar));
  }
  return let;
}

// `(a:long, T:(*)) {`: seen by what may only stand there.
bool Parser::StartsFunction() const {
  const std::size_t open = IsName("view") && IsMark("(", 1) ? 1 : 0;
  if (!IsMark("(", open)) return false;
  if (IsMark(")", open + 1)) return IsMark("{", open + 2);
  return IsAnyName(open + 1) && IsMark(":", open + 2);
}

std::unique_ptr<FunctionAst> Parser::Function() {
  const Nesting nesting(*this);
  auto function = std::make_unique<FunctionAst>();
  function->view = TakeName("view");
  ExpectMark("(");
  while (!IsMark(")")) {
    function->parameters.push_back(Parameter());
    if (!TakeMark(",")) break;
  }
  ExpectMark(")");
  const Span open = Peek().span;
  ExpectMark("{");
  function->body = std::make_unique<QueryAst>(Statements(/*in_function=*/true));
  ExpectMark("}");
  if (!function->body->body && !function->body->scalar) {
    FailAt(open, "KS006", "the function gives nothing");
  }
  return function;
}

ParameterAst Parser::Parameter() {
  ParameterAst parameter;
  parameter.span = Peek().span;
  parameter.name = AnyName("a parameter's name");
  ExpectMark(":");
  if (IsMark("(")) {
    parameter.columns = Columns();
  } else {
    parameter.type = TypeHere();
    if (TakeMark("=")) parameter.fallback = Expression();
  }
  return parameter;
}

ParseResult Parse(std::string_view query) {
  ParseResult result;
  LexResult lexed = Lex(query);
  if (lexed.error) {
    result.error = std::move(lexed.error);
    return result;
  }
  try {
    result.query = Parser(query, std::move(lexed.tokens)).Query();
  } catch (ParseStop& stop) {
    result.error = std::move(stop.diagnostic);
  }
  return result;
}

}  // namespace picket::kql

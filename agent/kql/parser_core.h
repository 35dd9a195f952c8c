#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/ast.h"
#include "agent/kql/lexer.h"

namespace picket::kql {

// Thrown within the parser's files only; Parse() catches it.
struct ParseStop {
  Diagnostic diagnostic;
};

// Recursive descent over the tokens, without going back: what may be an expression or a table is
// read as an expression, and becomes the pipeline's source when a `|` follows.
class Parser {
 public:
  Parser(std::string_view query, std::vector<Token> tokens)
      : query_(query), tokens_(std::move(tokens)) {}

  QueryAst Query();

 private:
  class Nesting {
   public:
    explicit Nesting(Parser& parser);
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    ~Nesting() { --parser_.nesting_; }

   private:
    Parser& parser_;
  };

  // Tokens (parser.cc).
  [[nodiscard]] const Token& Peek(std::size_t ahead = 0) const;
  [[nodiscard]] bool IsMark(std::string_view mark, std::size_t ahead = 0) const;
  [[nodiscard]] bool IsName(std::string_view name, std::size_t ahead = 0) const;
  [[nodiscard]] bool IsAnyName(std::size_t ahead = 0) const;
  [[nodiscard]] bool AtOperatorEnd() const;
  Token Take();
  bool TakeMark(std::string_view mark);
  bool TakeName(std::string_view name);
  void ExpectMark(std::string_view mark);
  void ExpectName(std::string_view name);
  std::string AnyName(std::string_view what);
  // Keywords are no names, unless in brackets.
  void CheckNamed(const Token& token);
  void CheckReferred(const Token& token);
  Type TypeHere();
  Schema Columns();  // (name:type, …)
  [[noreturn]] void Fail(std::string code, std::string message, std::string hint = {});
  [[noreturn]] void FailAt(Span span, std::string code, std::string message, std::string hint = {});
  [[noreturn]] void Unexpected();

  // Statements (parser.cc).
  QueryAst Statements(bool in_function);
  void SetOption(QueryAst& query);
  LetAst Let();
  [[nodiscard]] bool StartsFunction() const;
  std::unique_ptr<FunctionAst> Function();
  ParameterAst Parameter();

  // Expressions (parser_expression.cc).
  static AstPtr Node(AstKind kind, Span span, std::string text = {});
  void Adopt(Ast& parent, AstPtr child);  // the only way to a child: it counts the depth
  AstPtr Binary(std::string name, AstPtr left, AstPtr right);
  AstPtr TableNode(std::unique_ptr<Pipeline> pipeline, std::size_t begin) const;
  AstPtr Expression();
  AstPtr And();
  AstPtr Balanced(const std::string& name, std::vector<AstPtr>& parts, std::size_t begin,
                  std::size_t end);
  AstPtr Comparison();
  AstPtr Relation();
  AstPtr TextComparison();
  AstPtr Between(AstPtr left);
  AstPtr List();
  AstPtr Additive();
  AstPtr Multiplicative();
  AstPtr Unary();
  AstPtr Postfix();
  AstPtr Primary();
  AstPtr Call();
  // An expression, or `name = expression`, or `(a, b) = expression`.
  AstPtr Column();
  // An expression, or a tabular one.
  AstPtr Argument();
  std::vector<AstPtr> ColumnList();
  std::vector<AstPtr> Arguments();  // between the parentheses
  [[nodiscard]] bool StartsTuple() const;

  // Where rows come from (parser_source.cc).
  [[nodiscard]] bool StartsTable() const;
  std::unique_ptr<Pipeline> Pipe();
  std::unique_ptr<Pipeline> PipeAfter(AstPtr source);
  void OperatorsOf(Pipeline& pipeline);
  std::unique_ptr<Pipeline> Leg();        // (T | …), T, f(…)
  std::unique_ptr<Pipeline> InnerPipe();  // operators alone: the rows come from around
  SourceAst Source();
  SourceAst SourceFrom(AstPtr ast);
  void Datatable(SourceAst& source);
  void ExternalData(SourceAst& source);
  void Range(SourceAst& source);
  AstPtr QuotedCell();
  AstPtr Cell();

  // Operators (parser_operator.cc, parser_reshape.cc).
  OperatorAst Operator();
  bool PlainOperator(OperatorAst& op);
  bool ReshapingOperator(OperatorAst& op);
  [[noreturn]] void RefuseOperator(const OperatorAst& op);
  void Hints(OperatorAst& op);
  void Options(OperatorAst& op, std::initializer_list<std::string_view> known);
  void WithOptions(OperatorAst& op);
  void Union(OperatorAst& op);
  void Join(OperatorAst& op);
  void Summarize(OperatorAst& op);
  void MvExpand(OperatorAst& op);
  void MvApply(OperatorAst& op);
  void ParseText(OperatorAst& op);
  void ParsePattern(OperatorAst& op);
  void ParseKv(OperatorAst& op);
  void MakeSeries(OperatorAst& op);
  void Evaluate(OperatorAst& op);
  void TopNested(OperatorAst& op);
  void Partition(OperatorAst& op);
  void Scan(OperatorAst& op);
  void SearchedTables(OperatorAst& op);
  void SearchCondition(OperatorAst& op);
  void Search(OperatorAst& op);
  void Find(OperatorAst& op);
  void SkipOperator(OperatorAst& op);
  std::vector<SortKey> SortKeys();
  std::vector<AstPtr> NamePatterns(bool ordered);
  AstPtr Expanded();  // mv-expand's `name = expression to typeof(type)`

  const std::string_view query_;
  const std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int nesting_ = 0;
  bool searching_ = false;  // `column: "term"` may stand here
};

bool IsOneOf(std::string_view word, std::initializer_list<std::string_view> words);

}  // namespace picket::kql

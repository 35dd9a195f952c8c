#include "agent/kql/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "agent/kql/lexer.h"
#include "base/text.h"

namespace picket::kql {
namespace {

constexpr int kMaxNesting = 200;

// Thrown within this file only; Parse() catches it.
struct Stop {
  Diagnostic diagnostic;
};

bool IsOneOf(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool IsListOperator(std::string_view name) {
  return IsOneOf(name, {"in", "!in", "in~", "!in~", "has_any", "has_all"});
}

bool IsTextOperator(std::string_view name) {
  return IsOneOf(name, {"has", "!has", "has_cs", "!has_cs", "contains", "!contains", "contains_cs",
                        "!contains_cs", "startswith", "!startswith", "startswith_cs",
                        "!startswith_cs", "endswith", "!endswith", "endswith_cs", "!endswith_cs",
                        "hasprefix", "!hasprefix", "hasprefix_cs", "!hasprefix_cs", "hassuffix",
                        "!hassuffix", "hassuffix_cs", "!hassuffix_cs"});
}

class Parser {
 public:
  Parser(std::string_view query, std::vector<Token> tokens)
      : query_(query), tokens_(std::move(tokens)) {}

  QueryAst Query() {
    QueryAst query;
    while (true) {
      while (TakeMark(";")) {
      }
      if (IsName("let")) {
        query.lets.push_back(Let());
      } else if (Peek().kind == TokenKind::kEnd) {
        if (!query.body) Fail("KS006", "the query has no tabular expression");
        return query;
      } else if (IsName("set") || IsName("declare") || IsName("alias") || IsName("restrict")) {
        Fail("PK100", fmt::format("the statement '{}' is not supported", Peek().text));
      } else {
        if (query.body) Fail("KS006", "the query has a second tabular expression");
        query.body = Pipe();
      }
      if (!TakeMark(";") && Peek().kind != TokenKind::kEnd) Unexpected();
    }
  }

 private:
  class Nesting {
   public:
    explicit Nesting(Parser& parser) : parser_(parser) {
      if (++parser_.nesting_ > kMaxNesting) parser_.Fail("PK003", "the query is nested too deep");
    }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    ~Nesting() { --parser_.nesting_; }

   private:
    Parser& parser_;
  };

  [[nodiscard]] const Token& Peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  [[nodiscard]] bool IsMark(std::string_view mark, std::size_t ahead = 0) const {
    return Peek(ahead).kind == TokenKind::kPunct && Peek(ahead).text == mark;
  }
  [[nodiscard]] bool IsName(std::string_view name, std::size_t ahead = 0) const {
    return Peek(ahead).kind == TokenKind::kName && Peek(ahead).text == name;
  }
  Token Take() {
    Token token = Peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  bool TakeMark(std::string_view mark) {
    if (!IsMark(mark)) return false;
    Take();
    return true;
  }
  bool TakeName(std::string_view name) {
    if (!IsName(name)) return false;
    Take();
    return true;
  }
  void ExpectMark(std::string_view mark) {
    if (!TakeMark(mark)) {
      Fail("KS006", fmt::format("'{}' is missing here", mark));
    }
  }
  std::string AnyName(std::string_view what) {
    if (Peek().kind != TokenKind::kName && Peek().kind != TokenKind::kQuoted) {
      Fail("KS006", fmt::format("{} is missing here", what));
    }
    return Take().text;
  }

  [[noreturn]] void Fail(std::string code, std::string message, std::string hint = {}) {
    FailAt(Peek().span, std::move(code), std::move(message), std::move(hint));
  }
  [[noreturn]] void FailAt(Span span, std::string code, std::string message,
                           std::string hint = {}) {
    Diagnostic diagnostic{.code = std::move(code),
                          .message = std::move(message),
                          .span = span,
                          .hint = std::move(hint)};
    Locate(diagnostic, query_);
    throw Stop{std::move(diagnostic)};
  }
  [[noreturn]] void Unexpected() {
    if (Peek().kind == TokenKind::kEnd) Fail("KS006", "the query ends too early");
    Fail("KS006", fmt::format("'{}' is not expected here",
                              EscapeTerminal(query_.substr(Peek().span.begin,
                                                           std::min<std::size_t>(
                                                               40, Peek().span.end -
                                                                       Peek().span.begin)))));
  }

  static AstPtr Node(AstKind kind, Span span, std::string text = {}) {
    auto node = std::make_unique<Ast>();
    node->kind = kind;
    node->span = span;
    node->text = std::move(text);
    return node;
  }
  static AstPtr Binary(std::string name, AstPtr left, AstPtr right) {
    AstPtr node = Node(AstKind::kCall, {left->span.begin, right->span.end}, std::move(name));
    node->children.push_back(std::move(left));
    node->children.push_back(std::move(right));
    return node;
  }

  LetAst Let() {
    LetAst let;
    let.span = Take().span;
    let.name = AnyName("a name");
    ExpectMark("=");
    if (IsMark("(") && LooksLikeFunction()) {
      Fail("PK100", "functions by let are not supported yet");
    }
    if (StartsTable()) {
      let.table = Pipe();
      return let;
    }
    const std::size_t start = at_;
    let.scalar = Expression();
    if (IsMark("|")) {
      at_ = start;
      let.scalar.reset();
      let.table = Pipe();
    }
    return let;
  }

  // `let f = (a:long) { … }`
  [[nodiscard]] bool LooksLikeFunction() const {
    int depth = 0;
    for (std::size_t ahead = 0; Peek(ahead).kind != TokenKind::kEnd; ++ahead) {
      if (IsMark("(", ahead)) ++depth;
      if (IsMark(")", ahead) && --depth == 0) return IsMark("{", ahead + 1);
    }
    return false;
  }

  [[nodiscard]] bool StartsTable() const {
    if (IsName("datatable") || IsName("print") || IsName("union")) return true;
    return IsName("range") && !IsMark("(", 1);
  }

  std::unique_ptr<Pipeline> Pipe() {
    const Nesting nesting(*this);
    auto pipeline = std::make_unique<Pipeline>();
    pipeline->source = Source();
    while (TakeMark("|")) pipeline->operators.push_back(Operator());
    return pipeline;
  }

  SourceAst Source() {
    SourceAst source;
    source.span = Peek().span;
    if (TakeMark("(")) {
      source.kind = SourceAst::Kind::kPipeline;
      source.inner = Pipe();
      ExpectMark(")");
    } else if (TakeName("datatable")) {
      Datatable(source);
    } else if (IsName("range") && !IsMark("(", 1)) {
      Range(source);
    } else if (TakeName("print")) {
      source.kind = SourceAst::Kind::kPrint;
      source.arguments = Columns();
    } else if (IsName("union")) {
      source.kind = SourceAst::Kind::kUnion;
      source.union_legs = Union();
    } else if (Peek().kind == TokenKind::kName || Peek().kind == TokenKind::kQuoted) {
      TableName(source);
    } else {
      Unexpected();
    }
    return source;
  }

  void TableName(SourceAst& source) {
    const Token name = Take();
    source.name = name.text;
    if (IsOneOf(name.text, {"externaldata", "search", "find", "evaluate", "materialize"}) &&
        name.kind == TokenKind::kName && !(name.text == "materialize" && IsMark("("))) {
      FailAt(name.span, "PK100", fmt::format("'{}' is not supported yet", name.text));
    }
    if (name.text == "materialize" && TakeMark("(")) {
      source.kind = SourceAst::Kind::kPipeline;
      source.inner = Pipe();
      ExpectMark(")");
      return;
    }
    if (name.text == "table" && TakeMark("(")) {
      if (Peek().kind != TokenKind::kLiteral || Peek().value.type != Type::kString) {
        Fail("KS006", "table() takes the name of a table as a text");
      }
      source.name = Take().value.text;
      ExpectMark(")");
      return;
    }
    if (IsMark("(")) FailAt(name.span, "PK100", "calls of functions that give tables are not supported yet");
  }

  void Datatable(SourceAst& source) {
    source.kind = SourceAst::Kind::kDatatable;
    ExpectMark("(");
    while (!IsMark(")")) {
      std::string name = AnyName("a column's name");
      ExpectMark(":");
      const Token type_token = Peek();
      const std::optional<Type> type = ParseType(AnyName("a type"));
      if (!type) FailAt(type_token.span, "KS003", "no type of Kusto, or not supported yet");
      source.columns.emplace_back(std::move(name), *type);
      if (!TakeMark(",")) break;
    }
    ExpectMark(")");
    ExpectMark("[");
    while (!IsMark("]")) {
      source.values.push_back(Expression());
      if (!TakeMark(",")) break;
    }
    ExpectMark("]");
    if (source.columns.empty() || source.values.size() % source.columns.size() != 0) {
      FailAt(source.span, "KS208", "the datatable's values do not fill its rows");
    }
  }

  void Range(SourceAst& source) {
    source.kind = SourceAst::Kind::kRange;
    Take();
    source.name = AnyName("a column's name");
    for (const std::string_view word : {"from", "to", "step"}) {
      if (!TakeName(word)) Fail("KS006", fmt::format("'{}' is missing here", word));
      source.arguments.push_back(Expression());
    }
  }

  // kind=inner, isfuzzy=true, withsource=Name
  void Options(OperatorAst& op, std::initializer_list<std::string_view> known) {
    while (Peek().kind == TokenKind::kName && IsMark("=", 1) && IsOneOf(Peek().text, known)) {
      std::string name = Take().text;
      ExpectMark("=");
      op.options.emplace_back(std::move(name), Take().text);
    }
  }

  OperatorAst Union() {
    OperatorAst op;
    op.name = "union";
    op.span = Take().span;
    Options(op, {"kind", "isfuzzy", "withsource", "with_source"});
    do {
      if (IsMark("(")) {
        Take();
        op.tables.push_back(Pipe());
        ExpectMark(")");
      } else {
        auto leg = std::make_unique<Pipeline>();
        leg->source = Source();
        op.tables.push_back(std::move(leg));
      }
    } while (TakeMark(","));
    return op;
  }

  OperatorAst Operator() {
    const Nesting nesting(*this);
    OperatorAst op;
    op.span = Peek().span;
    if (IsName("union")) return Union();
    op.name = AnyName("an operator");
    if (op.name == "filter") op.name = "where";
    if (op.name == "limit") op.name = "take";
    if (op.name == "order") op.name = "sort";
    if (op.name == "where") {
      op.expressions.push_back(Expression());
      while (TakeMark(",")) op.expressions.push_back(Expression());
    } else if (op.name == "extend" || op.name == "project" || op.name == "project-rename") {
      op.expressions = Columns();
    } else if (op.name == "project-away" || op.name == "project-keep" || op.name == "distinct") {
      op.expressions = NamesOrStar();
    } else if (op.name == "summarize") {
      Summarize(op);
    } else if (op.name == "sort") {
      if (!TakeName("by")) Fail("KS006", "'by' is missing here");
      op.sort = SortKeys();
    } else if (op.name == "top") {
      op.count = Expression();
      if (!TakeName("by")) Fail("KS006", "'by' is missing here");
      op.sort = SortKeys();
    } else if (op.name == "take") {
      op.count = Expression();
    } else if (op.name == "render") {
      while (!IsMark("|") && !IsMark(";") && !IsMark(")") && Peek().kind != TokenKind::kEnd) Take();
    } else if (op.name == "as") {
      AnyName("a name");
    } else if (op.name != "count" && op.name != "serialize") {
      RefuseOperator(op);
    }
    return op;
  }

  [[noreturn]] void RefuseOperator(const OperatorAst& op) {
    static const std::vector<std::string_view> kKnown = {
        "where",        "extend", "project", "project-away", "project-keep", "project-rename",
        "summarize",    "sort",   "top",     "take",         "distinct",     "count",
        "union",        "render", "as",      "serialize"};
    static constexpr std::array<std::string_view, 22> kLater = {
        "join",      "lookup",     "mv-expand",   "mv-apply",   "parse",   "parse-where",
        "parse-kv",  "make-series", "evaluate",   "invoke",     "sample",  "sample-distinct",
        "top-nested", "reduce",    "scan",        "search",     "find",    "facet",
        "fork",      "getschema",  "project-reorder", "partition"};
    if (std::find(kLater.begin(), kLater.end(), op.name) != kLater.end()) {
      FailAt(op.span, "PK100", fmt::format("the operator '{}' is not supported yet", op.name));
    }
    const std::string_view nearest = Nearest(op.name, kKnown);
    FailAt(op.span, "KS006", fmt::format("'{}' is no operator", EscapeTerminal(op.name)),
           nearest.empty() ? "" : fmt::format("Did you mean '{}'?", nearest));
  }

  void Summarize(OperatorAst& op) {
    if (!IsName("by")) op.expressions = Columns();
    if (TakeName("by")) op.by = Columns();
  }

  std::vector<SortKey> SortKeys() {
    std::vector<SortKey> keys;
    do {
      SortKey key;
      key.expression = Expression();
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

  // `a, b = expr, (c, d) = expr`
  std::vector<AstPtr> Columns() {
    std::vector<AstPtr> columns;
    do {
      columns.push_back(Column());
    } while (TakeMark(","));
    return columns;
  }

  AstPtr Column() {
    const Span span = Peek().span;
    const bool name = Peek().kind == TokenKind::kName || Peek().kind == TokenKind::kQuoted;
    if (name && IsMark("=", 1)) {
      AstPtr node = Node(AstKind::kAssign, span, Take().text);
      Take();
      node->children.push_back(Expression());
      return node;
    }
    return Expression();
  }

  std::vector<AstPtr> NamesOrStar() {
    std::vector<AstPtr> columns;
    do {
      if (IsMark("*")) {
        columns.push_back(Node(AstKind::kStar, Take().span));
      } else if (IsMark("*", 1) && Peek(1).span.begin == Peek().span.end) {
        AstPtr node = Node(AstKind::kName, Peek().span, Take().text + "*");
        Take();
        columns.push_back(std::move(node));
      } else {
        columns.push_back(Column());
      }
    } while (TakeMark(","));
    return columns;
  }

  AstPtr Expression() {
    const Nesting nesting(*this);
    AstPtr left = And();
    while (TakeName("or")) left = Binary("or", std::move(left), And());
    return left;
  }

  AstPtr And() {
    AstPtr left = Comparison();
    while (TakeName("and")) left = Binary("and", std::move(left), Comparison());
    return left;
  }

  AstPtr Comparison() {
    AstPtr left = Additive();
    while (true) {
      const Token& token = Peek();
      if (token.kind == TokenKind::kPunct &&
          IsOneOf(token.text, {"==", "!=", "<>", "=~", "!~", "<", ">", "<=", ">="})) {
        std::string name = Take().text;
        if (name == "<>") name = "!=";
        left = Binary(std::move(name), std::move(left), Additive());
      } else if (token.kind == TokenKind::kName && IsListOperator(token.text)) {
        std::string name = Take().text;
        left = Binary(std::move(name), std::move(left), List());
      } else if (token.kind == TokenKind::kName && IsTextOperator(token.text)) {
        std::string name = Take().text;
        left = Binary(std::move(name), std::move(left), Additive());
      } else if (IsName("matches") && IsName("regex", 1)) {
        Take();
        Take();
        left = Binary("matches regex", std::move(left), Additive());
      } else if (IsName("between") || IsName("!between")) {
        left = Between(std::move(left));
      } else {
        return left;
      }
    }
  }

  AstPtr Between(AstPtr left) {
    AstPtr node = Node(AstKind::kCall, left->span, Take().text);
    node->children.push_back(std::move(left));
    ExpectMark("(");
    node->children.push_back(Expression());
    ExpectMark("..");
    node->children.push_back(Expression());
    node->span.end = Peek().span.end;
    ExpectMark(")");
    return node;
  }

  AstPtr List() {
    AstPtr node = Node(AstKind::kList, Peek().span);
    ExpectMark("(");
    const std::size_t start = at_;
    if (!IsMark(")")) {
      do {
        node->children.push_back(Expression());
      } while (TakeMark(","));
    }
    if (IsMark("|")) {
      at_ = start;
      FailAt(node->span, "PK100", "a tabular expression in 'in (…)' is not supported yet");
    }
    node->span.end = Peek().span.end;
    ExpectMark(")");
    return node;
  }

  AstPtr Additive() {
    AstPtr left = Multiplicative();
    while (IsMark("+") || IsMark("-")) {
      std::string name = Take().text;
      left = Binary(std::move(name), std::move(left), Multiplicative());
    }
    return left;
  }

  AstPtr Multiplicative() {
    AstPtr left = Unary();
    while (IsMark("*") || IsMark("/") || IsMark("%")) {
      std::string name = Take().text;
      left = Binary(std::move(name), std::move(left), Unary());
    }
    return left;
  }

  AstPtr Unary() {
    const Nesting nesting(*this);
    if (IsMark("-") || IsMark("+")) {
      const Token sign = Take();
      AstPtr operand = Unary();
      if (sign.text == "+") return operand;
      AstPtr node = Node(AstKind::kCall, {sign.span.begin, operand->span.end}, "negate");
      node->children.push_back(std::move(operand));
      return node;
    }
    return Postfix();
  }

  AstPtr Postfix() {
    AstPtr node = Primary();
    while (true) {
      if (IsMark(".")) {
        Take();
        AstPtr member = Node(AstKind::kMember, {node->span.begin, Peek().span.end},
                             AnyName("a member's name"));
        member->children.push_back(std::move(node));
        node = std::move(member);
      } else if (Peek().kind == TokenKind::kQuoted && Peek().span.begin == node->span.end) {
        AstPtr member =
            Node(AstKind::kMember, {node->span.begin, Peek().span.end}, Take().text);
        member->children.push_back(std::move(node));
        node = std::move(member);
      } else if (IsMark("[")) {
        Take();
        AstPtr index = Node(AstKind::kIndex, node->span);
        index->children.push_back(std::move(node));
        index->children.push_back(Expression());
        index->span.end = Peek().span.end;
        ExpectMark("]");
        node = std::move(index);
      } else {
        return node;
      }
    }
  }

  AstPtr Primary() {
    const Token& token = Peek();
    if (token.kind == TokenKind::kLiteral) {
      AstPtr node = Node(AstKind::kLiteral, token.span);
      node->value = Take().value;
      return node;
    }
    if (TakeMark("(")) {
      AstPtr inside = Expression();
      if (IsMark("|")) Fail("PK100", "a tabular expression is not supported here yet");
      inside->span.end = Peek().span.end;
      ExpectMark(")");
      return inside;
    }
    if (IsMark("*")) return Node(AstKind::kStar, Take().span);
    if (token.kind == TokenKind::kQuoted) return Node(AstKind::kName, token.span, Take().text);
    if (token.kind != TokenKind::kName || token.text.front() == '!') Unexpected();
    const Token name = Take();
    if (!IsMark("(")) return Node(AstKind::kName, name.span, name.text);
    Take();
    AstPtr call = Node(AstKind::kCall, name.span, name.text);
    if (!IsMark(")")) {
      do {
        call->children.push_back(Column());
      } while (TakeMark(","));
    }
    if (IsMark("|")) {
      FailAt(name.span, "PK100", fmt::format("'{}' over a table is not supported yet", name.text));
    }
    call->span.end = Peek().span.end;
    ExpectMark(")");
    return call;
  }

  const std::string_view query_;
  const std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int nesting_ = 0;
};

}  // namespace

ParseResult Parse(std::string_view query) {
  ParseResult result;
  LexResult lexed = Lex(query);
  if (lexed.error) {
    result.error = std::move(lexed.error);
    return result;
  }
  try {
    result.query = Parser(query, std::move(lexed.tokens)).Query();
  } catch (Stop& stop) {
    result.error = std::move(stop.diagnostic);
  }
  return result;
}

}  // namespace picket::kql

// search, and `where * has …`: conditions on any column.

#include <fmt/format.h>

#include <array>

#include "agent/kql/bind_core.h"

namespace picket::kql {
namespace {

// The test for a term with stars at its ends: "web*" is a prefix of a term.
struct TermTest {
  std::string_view op;
  std::string term;
};

TermTest TestOf(std::string term, bool case_sensitive) {
  static constexpr std::array<std::array<std::string_view, 2>, 4> kTests = {
      {{"has", "has_cs"},
       {"hasprefix", "hasprefix_cs"},
       {"hassuffix", "hassuffix_cs"},
       {"contains", "contains_cs"}}};
  const bool after = term.size() > 1 && term.back() == '*';
  if (after) term.pop_back();
  const bool before = term.size() > 1 && term.front() == '*';
  if (before) term.erase(0, 1);
  const std::size_t test = (after ? 1U : 0U) + (before ? 2U : 0U);
  return {.op = kTests.at(test).at(case_sensitive ? 1 : 0), .term = std::move(term)};
}

Expression CallOf(std::string_view op, Span span, Expression a, Expression b) {
  std::vector<Expression> arguments;
  arguments.push_back(std::move(a));
  arguments.push_back(std::move(b));
  return Apply(op, span, std::move(arguments));
}

}  // namespace

// The operator over every column: of `!has` and the like all must hold, of the others one.
Expression OnAnyColumn(std::string_view op, const Schema& schema, const Expression& value,
                       Span span) {
  const bool all = op.front() == '!';
  const bool equality = op == "==" || op == "!=" || op == "=~" || op == "!~";
  std::optional<Expression> joined;
  for (std::size_t i = 0; i < schema.size(); ++i) {
    const Type type = schema[i].type;
    if (equality && type != value.type && type != Type::kDynamic) continue;
    // Terms are looked for in what is text or a whole number.
    const bool searched = IsText(type) || type == Type::kInt || type == Type::kLong;
    if (!equality && !searched) continue;
    Expression one = CallOf(op, span, ColumnOf(schema, i), value);
    joined = joined ? CallOf(all ? "and" : "or", span, *std::move(joined), std::move(one))
                    : std::move(one);
  }
  return joined ? *std::move(joined) : Literal(Value::Bool(all));
}

// A condition of search: bare literals are looked for in every column.
Expression Binder::SearchCondition(const Ast& ast, const Schema& schema, const Scope* scope,
                                   bool case_sensitive) {
  const Step step(*this, ast.span);
  const auto text = [](const Ast& literal) {
    return literal.value.type == Type::kString
               ? literal.value.text
               : Convert(Literal(literal.value), Type::kString, literal.span).value.text;
  };
  if (ast.kind == AstKind::kLiteral && ast.value.type != Type::kBool) {
    const TermTest test = TestOf(text(ast), case_sensitive);
    return OnAnyColumn(test.op, schema, Literal(Value::String(test.term)), ast.span);
  }
  ExpressionBinder binder(*this, schema, scope);
  if (ast.kind == AstKind::kCall && ast.text == ":") {
    if (ast.children[1]->kind != AstKind::kLiteral) {
      Refuse(ast.children[1]->span, "KS006", "a literal must follow ':'");
    }
    const TermTest test = TestOf(text(*ast.children[1]), case_sensitive);
    Expression term = Literal(Value::String(test.term));
    if (ast.children[0]->kind == AstKind::kStar) {
      return OnAnyColumn(test.op, schema, term, ast.span);
    }
    return CallOf(test.op, ast.span, binder.Bind(*ast.children[0]), std::move(term));
  }
  if (ast.kind == AstKind::kCall && (ast.text == "and" || ast.text == "or" || ast.text == "not")) {
    std::vector<Expression> parts;
    for (const AstPtr& child : ast.children) {
      parts.push_back(SearchCondition(*child, schema, scope, case_sensitive));
    }
    return Apply(ast.text, ast.span, std::move(parts));
  }
  return binder.BindCondition(ast);
}

PlanPtr Binder::Search(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  if (!input && op.tables.empty()) {
    Refuse(op.span, "PK100", "search over every table is not supported; name them: search in (…)");
  }
  const OptionAst* kind = op.Option("kind");
  const bool case_sensitive = kind != nullptr && kind->text == "case_sensitive";
  const auto found = [&](PlanPtr rows, std::string name) {
    PlanPtr filter = PlanOver(std::move(rows), Plan::Kind::kFilter);
    filter->lists.emplace_back().push_back(
        SearchCondition(*op.expressions[0], filter->schema, scope, case_sensitive));
    return WithSource(std::move(filter), "$table", std::move(name));
  };
  if (input) return found(std::move(input), "search_arg0");
  auto plan = std::make_unique<Plan>();
  plan->kind = Plan::Kind::kUnion;
  for (std::size_t i = 0; i < op.tables.size(); ++i) {
    PlanPtr leg = Pipe(*op.tables[i], scope);
    std::string name = SourceName(*leg, fmt::format("search_arg{}", i));
    plan->inputs.push_back(found(std::move(leg), std::move(name)));
  }
  UnionSchema(*plan, /*inner=*/false);
  return plan;
}

}  // namespace picket::kql

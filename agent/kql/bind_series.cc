// make-series.

#include <fmt/format.h>

#include "agent/kql/bind_aggregate.h"
#include "agent/kql/bind_core.h"

namespace picket::kql {
namespace {

const OptionAst* DefaultOf(const OperatorAst& op, std::size_t series) {
  for (const OptionAst& option : op.options) {
    if (option.name == "default" && series-- == 0) return &option;
  }
  return nullptr;
}

}  // namespace

// A bound of the grid: given, or null where the rows decide.
Expression Binder::GridBound(const OperatorAst& op, std::string_view name, const Scope* scope,
                             Type axis) {
  const OptionAst* option = op.Option(name);
  if (option == nullptr || !option->value) return Literal(Value::Null(axis));
  Expression bound = Constant(*option->value, scope);
  const bool time = axis == Type::kDateTime || axis == Type::kTimespan;
  const Type wanted = time && name == "step" ? Type::kTimespan : axis;
  const bool fits = time ? bound.type == wanted : IsNumeric(bound.type);
  if (!fits) {
    Refuse(option->value->span, "KS106",
           fmt::format("make-series: {} of a {} axis must not be a {}", name, TypeName(axis),
                       TypeName(bound.type)));
  }
  if (!time && bound.type != Type::kReal && axis == Type::kReal) {
    return Convert(std::move(bound), Type::kReal, option->value->span);
  }
  return bound;
}

PlanPtr Binder::MakeSeries(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kMakeSeries);
  plan->schema.clear();
  ExpressionBinder rows(*this, plan->inputs[0]->schema, scope);
  plan->lists.resize(3);
  const OptionAst* kind = op.Option("kind");
  plan->nonempty = kind != nullptr && kind->text == "nonempty";
  int unnamed = 0;
  for (const AstPtr& ast : op.by) AddKey(*plan, plan->lists[0], rows, *ast, unnamed);
  AggregateBinder aggregates(*plan, rows, op.by);
  for (std::size_t i = 0; i < op.expressions.size(); ++i) {
    const Ast& ast = *op.expressions[i];
    const Ast& inside = Inside(ast);
    std::string name = ColumnName(ast, unnamed);
    if (IsAggregateCall(inside)) {
      const std::size_t at = plan->schema.size();
      const Schema outputs = aggregates.Add(inside);
      plan->schema.resize(at);
      if (outputs.size() != 1)
        Refuse(ast.span, "KS141", "an aggregate of one value is needed here");
      if (ast.kind != AstKind::kAssign) name = outputs[0].name;
    } else if (inside.kind == AstKind::kLiteral) {
      // The same wherever there is a row.
      BoundAggregate any{.function = FindAggregate("take_any"), .arguments = {}};
      any.arguments.push_back(Constant(inside, scope));
      plan->aggregates.push_back(std::move(any));
    } else {
      Refuse(ast.span, "PK100", "make-series is supported over aggregates alone");
    }
    plan->schema.push_back({UniqueName(plan->schema, std::move(name)), Type::kDynamic});
    const OptionAst* given = DefaultOf(op, i);
    Expression fallback =
        given != nullptr && given->value ? Constant(*given->value, scope) : Literal(Value::Long(0));
    plan->lists[2].push_back(std::move(fallback));
  }
  const Ast& axis_ast = Inside(*op.count);
  Expression axis = rows.Bind(axis_ast);
  const bool ordered =
      IsNumeric(axis.type) || axis.type == Type::kDateTime || axis.type == Type::kTimespan;
  if (!ordered) {
    Refuse(op.count->span, "KS106",
           fmt::format("make-series needs numbers or times on its axis, not a {}",
                       TypeName(axis.type)));
  }
  const Type type = axis.type;
  plan->lists[1].push_back(std::move(axis));
  for (const std::string_view bound : {"from", "to", "step"}) {
    plan->lists[1].push_back(GridBound(op, bound, scope, type));
  }
  plan->schema.push_back(
      {UniqueName(plan->schema, ColumnName(*op.count, unnamed)), Type::kDynamic});
  return plan;
}

}  // namespace picket::kql

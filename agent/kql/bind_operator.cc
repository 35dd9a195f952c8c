// Operators that keep their input's columns, and invoke.

#include <fmt/format.h>

#include "agent/kql/bind_core.h"
#include "base/text.h"

namespace picket::kql {
namespace {

// .NET's names of the types, as getschema shows them.
std::string_view DataTypeName(Type type) {
  switch (type) {
    case Type::kBool:
      return "System.SByte";
    case Type::kInt:
      return "System.Int32";
    case Type::kLong:
      return "System.Int64";
    case Type::kReal:
      return "System.Double";
    case Type::kDecimal:
      return "System.Data.SqlTypes.SqlDecimal";
    case Type::kString:
      return "System.String";
    case Type::kDateTime:
      return "System.DateTime";
    case Type::kTimespan:
      return "System.TimeSpan";
    case Type::kGuid:
      return "System.Guid";
    case Type::kDynamic:
      return "System.Object";
  }
  return "System.Object";
}

}  // namespace

PlanPtr Binder::Where(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  for (const AstPtr& ast : op.expressions) {
    PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kFilter);
    ExpressionBinder binder(*this, plan->inputs[0]->schema, scope);
    plan->lists.emplace_back().push_back(binder.BindCondition(*ast));
    input = std::move(plan);
  }
  return input;
}

Expression Binder::Limit(const Ast& ast, const Scope* scope) {
  Expression limit = Constant(ast, scope);
  if (limit.type != Type::kLong && limit.type != Type::kInt) {
    Refuse(ast.span, "KS134", "a number of rows is needed");
  }
  return limit;
}

PlanPtr Binder::Take(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kTake);
  plan->limit = Limit(*op.count, scope);
  return plan;
}

PlanPtr Binder::Sort(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kSort);
  ExpressionBinder binder(*this, plan->inputs[0]->schema, scope);
  for (const SortKey& key : op.sort) {
    BoundSortKey bound{.expression = binder.Bind(Inside(*key.expression)),
                       .ascending = key.ascending,
                       .nulls_first = key.nulls_first};
    if (bound.expression.type == Type::kDynamic) {
      Refuse(key.expression->span, "KS116", "a dynamic has no order; convert it first");
    }
    plan->sort.push_back(std::move(bound));
  }
  if (op.count) plan->limit = Limit(*op.count, scope);
  return plan;
}

PlanPtr Binder::Count(PlanPtr input, const OperatorAst& op, const Scope* /*scope*/) {
  PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kCount);
  plan->schema = {{op.target.empty() ? "Count" : op.target, Type::kLong}};
  return plan;
}

PlanPtr Binder::GetSchema(PlanPtr input, const OperatorAst& /*op*/, const Scope* /*scope*/) {
  auto plan = std::make_unique<Plan>();
  plan->kind = Plan::Kind::kRows;
  plan->schema = {{"ColumnName", Type::kString},
                  {"ColumnOrdinal", Type::kLong},
                  {"DataType", Type::kString},
                  {"ColumnType", Type::kString}};
  for (std::size_t i = 0; i < input->schema.size(); ++i) {
    const ColumnSchema& column = input->schema[i];
    std::vector<Expression>& row = plan->lists.emplace_back();
    row.push_back(Literal(Value::String(column.name)));
    row.push_back(Literal(Value::Long(static_cast<std::int64_t>(i))));
    row.push_back(Literal(Value::String(std::string(DataTypeName(column.type)))));
    row.push_back(Literal(Value::String(std::string(TypeName(column.type)))));
  }
  return plan;
}

PlanPtr Binder::Invoke(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  const Scope* function = FindName(scope, op.target);
  if (function == nullptr || function->kind != Scope::Kind::kFunction) {
    UnknownFunction(op.target, op.span);
  }
  std::vector<const Ast*> arguments;
  for (const AstPtr& each : op.expressions) arguments.push_back(each.get());
  return CallTable(*function, op.span, arguments, scope, std::move(input));
}

}  // namespace picket::kql

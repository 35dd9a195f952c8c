// mv-expand and mv-apply.

#include <fmt/format.h>

#include "agent/kql/bind_core.h"

namespace picket::kql {
namespace {

bool GivesPairs(const OperatorAst& op) {
  const OptionAst* option = op.Option("bagexpansion");
  if (option == nullptr) option = op.Option("kind");
  return option != nullptr && option->text == "array";
}

}  // namespace

// The made columns: names and types, in order.
Schema Binder::Expansion(Plan& plan, const OperatorAst& op, const Scope* scope) {
  Schema made;
  ExpressionBinder binder(*this, plan.inputs[0]->schema, scope);
  plan.lists.emplace_back();
  plan.expand.pairs = GivesPairs(op);
  int unnamed = 0;
  for (const AstPtr& each : op.expressions) {
    const bool typed = each->kind == AstKind::kTyped;
    const Ast& column = typed ? *each->children[0] : *each;
    Expression expression = binder.Bind(Inside(column));
    if (expression.type != Type::kDynamic) {
      Refuse(column.span, "KS106",
             fmt::format("{} takes a dynamic apart, not a {}", op.name, TypeName(expression.type)));
    }
    const Type type = typed ? each->type : Type::kDynamic;
    made.push_back({ColumnName(column, unnamed), type});
    plan.expand.types.push_back(type);
    plan.lists[0].push_back(std::move(expression));
  }
  const OptionAst* index = op.Option("with_itemindex");
  if (index != nullptr) {
    made.push_back({index->text, Type::kLong});
    plan.expand.types.push_back(Type::kLong);
    plan.expand.index = true;
  }
  if (op.count) plan.limit = Limit(*op.count, scope);
  return made;
}

void AddMade(Plan& plan, const Schema& made) {
  auto& picked = plan.picked.emplace_back();
  const std::size_t source = plan.schema.size();
  for (std::size_t i = 0; i < source; ++i) picked.emplace_back(i);
  for (std::size_t i = 0; i < made.size(); ++i) {
    if (const auto place = FindColumn(plan.schema, made[i].name)) {
      plan.schema[*place].type = made[i].type;
      picked[*place] = source + i;
    } else {
      plan.schema.push_back(made[i]);
      picked.emplace_back(source + i);
    }
  }
}

PlanPtr Binder::MvExpand(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kMvExpand);
  AddMade(*plan, Expansion(*plan, op, scope));
  return plan;
}

PlanPtr Binder::MvApply(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kMvApply);
  const Schema made = Expansion(*plan, op, scope);
  Schema source = plan->schema;
  for (const ColumnSchema& column : made) {
    // Inside, the element hides the column that it is named after; outside, it takes its place.
    if (const auto place = FindColumn(source, column.name)) source[*place].name.clear();
  }
  Schema inner = source;
  inner.insert(inner.end(), made.begin(), made.end());
  inner_rows_.push_back(std::move(inner));
  plan->inputs.push_back(Pipe(*op.tables[0], scope));
  inner_rows_.pop_back();

  const Schema& result = plan->inputs[1]->schema;
  plan->schema.clear();
  auto& picked = plan->picked.emplace_back();
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i].name.empty()) continue;
    const auto passed = FindColumn(result, source[i].name);
    plan->schema.push_back({source[i].name, passed ? result[*passed].type : source[i].type});
    picked.emplace_back(passed ? source.size() + *passed : i);
  }
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (result[i].name.empty() || FindColumn(plan->schema, result[i].name)) continue;
    plan->schema.push_back(result[i]);
    picked.emplace_back(source.size() + i);
  }
  return plan;
}

}  // namespace picket::kql

#include "agent/kql/bind_scope.h"

namespace picket::kql {

const Scope* FindName(const Scope* scope, std::string_view name) {
  for (; scope != nullptr; scope = scope->parent) {
    if (scope->kind != Scope::Kind::kFunctionStart && scope->name == name) return scope;
  }
  return nullptr;
}

PlanPtr ClonePlan(const Plan& plan) {
  auto copy = std::make_unique<Plan>();
  copy->kind = plan.kind;
  copy->schema = plan.schema;
  for (const PlanPtr& input : plan.inputs) copy->inputs.push_back(ClonePlan(*input));
  copy->table = plan.table;
  copy->name = plan.name;
  copy->scan_columns = plan.scan_columns;
  copy->lists = plan.lists;
  copy->sort = plan.sort;
  copy->limit = plan.limit;
  copy->aggregates = plan.aggregates;
  copy->join = plan.join;
  copy->expand = plan.expand;
  copy->parse = plan.parse;
  copy->plugin = plan.plugin;
  copy->stored = plan.stored;
  copy->lacks = plan.lacks;
  copy->held = plan.held;
  copy->nonempty = plan.nonempty;
  copy->steps = plan.steps;
  copy->match_id = plan.match_id;
  copy->picked = plan.picked;
  copy->whole = plan.whole;
  copy->ordered = plan.ordered;
  return copy;
}

}  // namespace picket::kql

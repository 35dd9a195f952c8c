#include "agent/kql/prune.h"

namespace picket::kql {
namespace {

void Mark(const Expression& expression, std::vector<bool>& used) {
  if (expression.kind == Expression::Kind::kColumn) used[expression.column] = true;
  for (const Expression& argument : expression.arguments) Mark(argument, used);
}

void Renumber(Expression& expression, const std::vector<std::size_t>& to) {
  if (expression.kind == Expression::Kind::kColumn) expression.column = to[expression.column];
  for (Expression& argument : expression.arguments) Renumber(argument, to);
}

std::vector<bool> Used(const Plan& plan, const std::vector<Plan*>& between, std::size_t columns) {
  std::vector<bool> used(columns, false);
  const auto mark_all = [&used](const Plan& p) {
    for (const auto& list : p.lists) {
      for (const Expression& expression : list) Mark(expression, used);
    }
    for (const BoundSortKey& key : p.sort) Mark(key.expression, used);
    for (const BoundAggregate& aggregate : p.aggregates) {
      for (const Expression& argument : aggregate.arguments) Mark(argument, used);
    }
  };
  mark_all(plan);
  for (const Plan* p : between) mark_all(*p);
  return used;
}

void RenumberAll(Plan& p, const std::vector<std::size_t>& to) {
  for (auto& list : p.lists) {
    for (Expression& expression : list) Renumber(expression, to);
  }
  for (BoundSortKey& key : p.sort) Renumber(key.expression, to);
  for (BoundAggregate& aggregate : p.aggregates) {
    for (Expression& argument : aggregate.arguments) Renumber(argument, to);
  }
}

void Narrow(Plan& plan, const std::vector<Plan*>& between, Plan& scan) {
  const std::vector<bool> used = Used(plan, between, scan.schema.size());
  std::vector<std::size_t> to(scan.schema.size(), 0);
  Schema schema;
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) continue;
    to[i] = schema.size();
    schema.push_back(scan.schema[i]);
    columns.push_back(scan.scan_columns[i]);
  }
  scan.schema = std::move(schema);
  scan.scan_columns = std::move(columns);
  RenumberAll(plan, to);
  for (Plan* p : between) {
    RenumberAll(*p, to);
    p->schema = scan.schema;
  }
}

void PruneProject(Plan& plan, const std::vector<Plan*>& between, Plan& project) {
  const std::vector<bool> used = Used(plan, between, project.schema.size());
  std::vector<std::size_t> to(project.schema.size(), 0);
  Schema schema;
  std::vector<Expression> list;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) continue;
    to[i] = schema.size();
    schema.push_back(project.schema[i]);
    list.push_back(std::move(project.lists[0][i]));
  }
  project.schema = std::move(schema);
  project.lists[0] = std::move(list);
  RenumberAll(plan, to);
  for (Plan* p : between) {
    RenumberAll(*p, to);
    p->schema = project.schema;
  }
}

}  // namespace

// From the top down: what a project no longer computes is not asked of its input either.
void PruneColumns(Plan& plan) {
  const bool narrows = plan.kind == Plan::Kind::kProject || plan.kind == Plan::Kind::kSummarize ||
                       plan.kind == Plan::Kind::kCount;
  if (narrows && plan.inputs.size() == 1) {
    std::vector<Plan*> between;
    Plan* below = plan.inputs[0].get();
    while (below->kind == Plan::Kind::kFilter || below->kind == Plan::Kind::kSort ||
           below->kind == Plan::Kind::kTake) {
      between.push_back(below);
      below = below->inputs[0].get();
    }
    if (below->kind == Plan::Kind::kScan) Narrow(plan, between, *below);
    if (below->kind == Plan::Kind::kProject) PruneProject(plan, between, *below);
  }
  for (const PlanPtr& input : plan.inputs) PruneColumns(*input);
}

}  // namespace picket::kql

#include "agent/kql/prune.h"

#include <algorithm>

namespace picket::kql {
namespace {

// Which columns of a plan's output are wanted, and where each then is (what is dropped is nowhere).
using Wanted = std::vector<bool>;
using Moved = std::vector<std::size_t>;

void Mark(const Expression& expression, Wanted& wanted) {
  if (expression.kind == Expression::Kind::kColumn) wanted[expression.column] = true;
  for (const Expression& argument : expression.arguments) Mark(argument, wanted);
}

void Renumber(Expression& expression, const Moved& moved) {
  if (expression.kind == Expression::Kind::kColumn) expression.column = moved[expression.column];
  for (Expression& argument : expression.arguments) Renumber(argument, moved);
}

void RenumberAll(Plan& plan, const Moved& moved) {
  ForEachExpression(plan, [&](Expression& expression) { Renumber(expression, moved); });
}

Wanted UsedBy(const Plan& plan, std::size_t columns) {
  Wanted wanted(columns, false);
  ForEachExpression(plan, [&](const Expression& expression) { Mark(expression, wanted); });
  return wanted;
}

Wanted All(std::size_t columns) { return Wanted(columns, true); }

// Keeps the wanted ones of the lists, which run side by side.
template <class... Lists>
Moved Keep(const Wanted& wanted, Lists&... lists) {
  Moved moved(wanted.size(), 0);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    moved[i] = kept;
    if (!wanted[i]) continue;
    ((kept == i ? void() : void(lists[kept] = std::move(lists[i]))), ...);
    ++kept;
  }
  (lists.resize(kept), ...);
  return moved;
}

Moved Prune(Plan& plan, Wanted wanted);

// The operator gives its input's columns: they are what it is asked for and what it uses itself.
Moved PruneSame(Plan& plan, Wanted wanted) {
  const Wanted used = UsedBy(plan, wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = wanted[i] || used[i];
  Moved moved = Prune(*plan.inputs[0], std::move(wanted));
  RenumberAll(plan, moved);
  plan.schema = plan.inputs[0]->schema;
  return moved;
}

Moved PruneProject(Plan& plan, const Wanted& wanted) {
  Moved moved = Keep(wanted, plan.schema, plan.lists[0]);
  Plan& input = *plan.inputs[0];
  RenumberAll(plan, Prune(input, UsedBy(plan, input.schema.size())));
  return moved;
}

Moved PruneRows(Plan& plan, const Wanted& wanted) {
  for (std::vector<Expression>& row : plan.lists) Keep(wanted, row);
  return Keep(wanted, plan.schema);
}

Moved PruneUnion(Plan& plan, const Wanted& wanted) {
  Moved moved = Keep(wanted, plan.schema);
  for (std::size_t i = 0; i < plan.inputs.size(); ++i) {
    Keep(wanted, plan.picked[i]);
    Plan& input = *plan.inputs[i];
    Wanted of_input(input.schema.size(), false);
    for (const auto& picked : plan.picked[i]) {
      if (picked) of_input[*picked] = true;
    }
    const Moved input_moved = Prune(input, std::move(of_input));
    for (auto& picked : plan.picked[i]) {
      if (picked) picked = input_moved[*picked];
    }
  }
  return moved;
}

Moved PruneJoin(Plan& plan, const Wanted& wanted) {
  Moved moved = Keep(wanted, plan.schema, plan.picked[0]);
  const std::size_t left_columns = plan.inputs[0]->schema.size();
  Wanted left(left_columns, false);
  Wanted right(plan.inputs[1]->schema.size(), false);
  for (const Expression& key : plan.lists[0]) Mark(key, left);
  for (const Expression& key : plan.lists[1]) Mark(key, right);
  for (const auto& picked : plan.picked[0]) {
    (*picked < left_columns ? left[*picked] : right[*picked - left_columns]) = true;
  }
  const Moved left_moved = Prune(*plan.inputs[0], std::move(left));
  const Moved right_moved = Prune(*plan.inputs[1], std::move(right));
  for (Expression& key : plan.lists[0]) Renumber(key, left_moved);
  for (Expression& key : plan.lists[1]) Renumber(key, right_moved);
  for (auto& picked : plan.picked[0]) {
    picked = *picked < left_columns
                 ? left_moved[*picked]
                 : plan.inputs[0]->schema.size() + right_moved[*picked - left_columns];
  }
  return moved;
}

// mv-expand, parse: what they make stays, what they pass on may go.
Moved PrunePicked(Plan& plan, Wanted wanted) {
  Plan& input = *plan.inputs[0];
  const std::size_t before = input.schema.size();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    wanted[i] = wanted[i] || *plan.picked[0][i] >= before;
  }
  Moved moved = Keep(wanted, plan.schema, plan.picked[0]);
  Wanted of_input = UsedBy(plan, before);
  for (const auto& picked : plan.picked[0]) {
    if (*picked < before) of_input[*picked] = true;
  }
  const Moved input_moved = Prune(input, std::move(of_input));
  RenumberAll(plan, input_moved);
  for (auto& picked : plan.picked[0]) {
    picked = *picked < before ? input_moved[*picked] : *picked - before + input.schema.size();
  }
  return moved;
}

// The operator uses what its expressions name, and gives columns of its own.
Moved PruneInput(Plan& plan) {
  Plan& input = *plan.inputs[0];
  RenumberAll(plan, Prune(input, UsedBy(plan, input.schema.size())));
  return Keep(All(plan.schema.size()));
}

Moved Prune(Plan& plan, Wanted wanted) {
  switch (plan.kind) {
    case Plan::Kind::kScan:
      return Keep(wanted, plan.schema, plan.scan_columns);
    case Plan::Kind::kRows:
      return PruneRows(plan, wanted);
    case Plan::Kind::kFilter:
    case Plan::Kind::kSort:
    case Plan::Kind::kTake:
      return PruneSame(plan, std::move(wanted));
    case Plan::Kind::kProject:
      return PruneProject(plan, wanted);
    case Plan::Kind::kUnion:
      return PruneUnion(plan, wanted);
    case Plan::Kind::kJoin:
    case Plan::Kind::kIpLookup:
    case Plan::Kind::kGeoLookup:
      return PruneJoin(plan, wanted);
    case Plan::Kind::kMvExpand:
    case Plan::Kind::kParse:
      return PrunePicked(plan, std::move(wanted));
    case Plan::Kind::kCount:
    case Plan::Kind::kTopNested:
    case Plan::Kind::kSummarize:
    case Plan::Kind::kMakeSeries:
      return PruneInput(plan);
    case Plan::Kind::kPlugin:
    case Plan::Kind::kScanSteps:
      Prune(*plan.inputs[0], All(plan.inputs[0]->schema.size()));
      break;
    case Plan::Kind::kPartition:
    case Plan::Kind::kMvApply:
      // The inner operators may name any column.
      for (const PlanPtr& input : plan.inputs) Prune(*input, All(input->schema.size()));
      break;
    case Plan::Kind::kRange:
    case Plan::Kind::kHeld:
    case Plan::Kind::kStored:
    case Plan::Kind::kInput:
      break;
  }
  return Keep(All(plan.schema.size()));
}

}  // namespace

void PruneColumns(Plan& plan) { Prune(plan, All(plan.schema.size())); }

}  // namespace picket::kql

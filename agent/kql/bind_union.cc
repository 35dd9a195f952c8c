// union: columns by name and type.

#include <fmt/format.h>

#include <algorithm>

#include "agent/kql/bind_core.h"

namespace picket::kql {
namespace {

// What a leg is called in the column that withsource adds: a table's own name, else its number.
std::string LegName(const Pipeline& leg, const Plan& plan, std::size_t at) {
  const bool table = leg.source.kind == SourceAst::Kind::kName && leg.operators.empty() &&
                     plan.kind == Plan::Kind::kScan && plan.table == leg.source.name;
  return table ? leg.source.name : fmt::format("union_arg{}", at);
}

PlanPtr WithSource(PlanPtr input, const std::string& column, std::string name) {
  PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kProject);
  const Schema& before = plan->inputs[0]->schema;
  std::vector<Expression>& list = plan->lists.emplace_back();
  list.push_back(Literal(Value::String(std::move(name))));
  for (std::size_t i = 0; i < before.size(); ++i) list.push_back(ColumnOf(before, i));
  plan->schema.insert(plan->schema.begin(), {column, Type::kString});
  return plan;
}

struct NamedTypes {
  std::string name;
  std::vector<Type> types;
};

std::vector<NamedTypes> Names(const std::vector<PlanPtr>& inputs) {
  std::vector<NamedTypes> names;
  for (const PlanPtr& input : inputs) {
    for (const ColumnSchema& column : input->schema) {
      auto found = std::find_if(names.begin(), names.end(),
                                [&](const NamedTypes& each) { return each.name == column.name; });
      if (found == names.end()) {
        names.push_back({column.name, {}});
        found = names.end() - 1;
      }
      if (std::find(found->types.begin(), found->types.end(), column.type) == found->types.end()) {
        found->types.push_back(column.type);
      }
    }
  }
  return names;
}

// One name with several types becomes name_type of each. kind=inner: only what every leg has by
// name.
void UnionSchema(Plan& plan, bool inner) {
  plan.picked.resize(plan.inputs.size());
  for (const NamedTypes& column : Names(plan.inputs)) {
    const auto& name = column.name;
    const auto& types = column.types;
    const bool everywhere =
        std::all_of(plan.inputs.begin(), plan.inputs.end(),
                    [&](const PlanPtr& input) { return FindColumn(input->schema, name); });
    if (inner && !everywhere) continue;
    for (const Type type : types) {
      std::string unique = types.size() > 1 ? fmt::format("{}_{}", name, TypeName(type)) : name;
      plan.schema.push_back({UniqueName(plan.schema, std::move(unique)), type});
      for (std::size_t i = 0; i < plan.inputs.size(); ++i) {
        auto place = FindColumn(plan.inputs[i]->schema, name);
        if (place && plan.inputs[i]->schema[*place].type != type) place.reset();
        plan.picked[i].push_back(place);
      }
    }
  }
}

}  // namespace

PlanPtr Binder::Union(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  auto plan = std::make_unique<Plan>();
  plan->kind = Plan::Kind::kUnion;
  const OptionAst* fuzzy = op.Option("isfuzzy");
  const OptionAst* kind = op.Option("kind");
  const OptionAst* source = op.Option("withsource");
  if (source == nullptr) source = op.Option("with_source");
  std::size_t leg_number = 0;
  const auto add = [&](PlanPtr leg, std::string name) {
    if (source != nullptr) leg = WithSource(std::move(leg), source->text, std::move(name));
    plan->inputs.push_back(std::move(leg));
  };
  if (input) {
    std::string name = input->kind == Plan::Kind::kScan ? input->table : "union_arg0";
    add(std::move(input), std::move(name));
    ++leg_number;
  }
  for (const auto& leg : op.tables) {
    try {
      PlanPtr bound = Pipe(*leg, scope);
      std::string name = LegName(*leg, *bound, leg_number++);
      add(std::move(bound), std::move(name));
    } catch (const BindStop& stop) {
      // A fuzzy union does without tables that are not there; other errors stay errors.
      const bool no_table = stop.diagnostic.code == "KS204" || stop.diagnostic.code == "KS211";
      if (fuzzy == nullptr || (fuzzy->text != "true" && fuzzy->text != "True") || !no_table) throw;
    }
  }
  if (plan->inputs.empty()) Refuse(op.span, "KS204", "none of the union's tables is known");
  UnionSchema(*plan, kind != nullptr && kind->text == "inner");
  return plan;
}

}  // namespace picket::kql

// union: columns by name and type.

#include <fmt/format.h>

#include <algorithm>

#include "agent/kql/bind_core.h"
#include "base/text.h"

namespace picket::kql {
namespace {

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

// `*` in a pattern stands for any text.
bool FitsPattern(std::string_view pattern, std::string_view name) {
  const std::size_t star = pattern.find('*');
  const std::string_view head = pattern.substr(0, star);
  const std::string_view tail = pattern.substr(star + 1);
  return name.size() >= head.size() + tail.size() && name.substr(0, head.size()) == head &&
         name.substr(name.size() - tail.size()) == tail;
}

}  // namespace

std::string SourceName(const Plan& plan, std::string other) {
  if (!plan.name.empty()) return plan.name;
  if (plan.kind == Plan::Kind::kScan) return plan.table;
  return other;
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

// One name with several types becomes name_type of each, after the names that are taken as they
// are. kind=inner: only what every leg has by name.
void UnionSchema(Plan& plan, bool inner) {
  std::vector<NamedTypes> names = Names(plan.inputs);
  if (inner) {
    std::erase_if(names, [&](const NamedTypes& column) {
      return !std::all_of(plan.inputs.begin(), plan.inputs.end(), [&](const PlanPtr& input) {
        return FindColumn(input->schema, column.name).has_value();
      });
    });
  }
  Schema plain;
  for (const NamedTypes& column : names) {
    if (column.types.size() == 1) plain.push_back({column.name, column.types[0]});
  }
  plan.picked.resize(plan.inputs.size());
  for (const NamedTypes& column : names) {
    for (const Type type : column.types) {
      std::string name = column.name;
      if (column.types.size() > 1) {
        name = UniqueName(plain, fmt::format("{}_{}", name, TypeName(type)));
        plain.push_back({name, type});
      }
      plan.schema.push_back({std::move(name), type});
      for (std::size_t i = 0; i < plan.inputs.size(); ++i) {
        auto place = FindColumn(plan.inputs[i]->schema, column.name);
        if (place && plan.inputs[i]->schema[*place].type != type) place.reset();
        plan.picked[i].push_back(place);
      }
    }
  }
}

// The views of the name that were declared before, and the tables. A pattern that fits none is no
// error in a fuzzy union.
void Binder::NamedLegs(const Pipeline& leg, const Scope* scope,
                       const std::function<void(PlanPtr, std::string)>& add) {
  const std::string& pattern = leg.source.name;
  std::vector<const Scope*> views;
  for (const Scope* each = scope; each != nullptr; each = each->parent) {
    const bool view = each->kind == Scope::Kind::kFunction && each->function->view;
    if (view && FitsPattern(pattern, each->name)) views.push_back(each);
  }
  std::reverse(views.begin(), views.end());
  for (const Scope* view : views) {
    add(CallTable(*view, leg.source.span, {}, scope, nullptr), std::string(view->name));
  }
  std::vector<std::string_view> tables = catalog_.Names();
  std::erase_if(tables, [&](std::string_view name) { return !FitsPattern(pattern, name); });
  const auto empty = [&](std::string_view name) { return !catalog_.MayHaveRows(name); };
  if (!views.empty() || !std::all_of(tables.begin(), tables.end(), empty)) {
    std::erase_if(tables, empty);
  }
  for (const std::string_view name : tables) {
    add(CatalogTable(name, leg.source.span), std::string(name));
  }
  if (views.empty() && tables.empty()) {
    Refuse(leg.source.span, "KS204",
           fmt::format("no table is called '{}'", EscapeTerminal(pattern)));
  }
}

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
    std::string name = SourceName(*input, "union_arg0");
    add(std::move(input), std::move(name));
    ++leg_number;
  }
  for (const auto& leg : op.tables) {
    try {
      if (leg->source.kind == SourceAst::Kind::kName &&
          leg->source.name.find('*') != std::string::npos) {
        NamedLegs(*leg, scope, add);
        continue;
      }
      PlanPtr bound = Pipe(*leg, scope);
      std::string name = SourceName(*bound, fmt::format("union_arg{}", leg_number++));
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

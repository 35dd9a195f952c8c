// summarize and distinct.

#include <fmt/format.h>

#include <algorithm>

#include "agent/kql/bind_core.h"
#include "base/text.h"

namespace picket::kql {
namespace {

void AddKey(Plan& plan, std::vector<Expression>& keys, ExpressionBinder& binder, const Ast& ast,
            int& unnamed) {
  Expression key = binder.Bind(Inside(ast));
  if (key.type == Type::kDynamic) {
    Refuse(ast.span, "KS116", "a dynamic cannot be a key; convert it, as by tostring()");
  }
  plan.schema.push_back({UniqueName(plan.schema, ColumnName(ast, unnamed)), key.type});
  keys.push_back(std::move(key));
}

bool IsAggregateCall(const Ast& ast) {
  const std::string_view name = FunctionName(ast.text);
  return ast.kind == AstKind::kCall && FindFunction(name) == nullptr &&
         FindAggregate(name) != nullptr;
}

bool IsArgExtreme(std::string_view name) { return name == "arg_max" || name == "arg_min"; }

// Adds one aggregate to a summarize plan; its outputs stand at the end of the plan's schema.
class AggregateBinder {
 public:
  AggregateBinder(Plan& plan, ExpressionBinder& rows, const OperatorAst& op)
      : plan_(plan), rows_(rows), op_(op) {}

  // The outputs, with the names that Kusto gives them, not yet made unique.
  Schema Add(const Ast& call) {
    const std::string_view name = FunctionName(call.text);
    BoundAggregate aggregate{.function = FindAggregate(name), .arguments = {}, .outputs = 1};
    Schema outputs;
    for (std::size_t i = 0; i < call.children.size(); ++i) {
      const Ast& child = Inside(*call.children[i]);
      if (child.kind == AstKind::kStar) {
        if (!IsArgExtreme(name)) {
          Refuse(child.span, "PK100", fmt::format("{}(*) is not supported yet", name));
        }
        AddAllColumns(call, aggregate, outputs);
        continue;
      }
      aggregate.arguments.push_back(rows_.Bind(child));
      if (IsArgExtreme(name)) AddArgOutput(child, i, aggregate, outputs);
    }
    const Type type = Check(call, aggregate);
    if (!IsArgExtreme(name)) outputs.push_back({OutputName(call), type});
    aggregate.outputs = outputs.size();
    plan_.schema.insert(plan_.schema.end(), outputs.begin(), outputs.end());
    plan_.aggregates.push_back(std::move(aggregate));
    return outputs;
  }

 private:
  static std::string OutputName(const Ast& call) {
    std::string name = AutomaticName(call);
    if (!name.empty() || call.children.empty()) return name;
    return fmt::format("{}_arg0", call.text == "take_any" ? "any" : call.text);
  }

  static void AddArgOutput(const Ast& child, std::size_t at, const BoundAggregate& aggregate,
                           Schema& outputs) {
    std::string name = AutomaticName(child);
    const std::string prefix(aggregate.function->prefix);
    if (name.empty()) name = at == 0 ? prefix : fmt::format("{}arg{}", prefix, at);
    outputs.push_back({std::move(name), aggregate.arguments.back().type});
  }

  static Type Check(const Ast& call, const BoundAggregate& aggregate) {
    const AggregateFunction& function = *aggregate.function;
    if (aggregate.arguments.size() < function.min_arguments ||
        aggregate.arguments.size() > function.max_arguments) {
      // take_any(a, b) is Kusto's too, but not ours yet.
      const bool several = function.name == "take_any" || function.name == "any";
      Refuse(
          call.span, several ? "PK100" : "KS119",
          fmt::format("{}() takes {} to {} arguments here, not {}", function.name,
                      function.min_arguments, function.max_arguments, aggregate.arguments.size()));
    }
    std::vector<Type> types;
    for (const Expression& argument : aggregate.arguments) types.push_back(argument.type);
    std::string why;
    const std::optional<Type> type = function.bind(types, why);
    if (!type) Refuse(call.span, "KS106", fmt::format("{}(): {}", function.name, why));
    return *type;
  }

  // arg_max(x, *): every column that is no key and not x itself.
  void AddAllColumns(const Ast& call, BoundAggregate& aggregate, Schema& outputs) {
    const Schema& before = plan_.inputs[0]->schema;
    for (std::size_t i = 0; i < before.size(); ++i) {
      const auto is_column = [&](const Ast& ast) {
        return ast.kind == AstKind::kName && ast.text == before[i].name;
      };
      const bool key = std::any_of(op_.by.begin(), op_.by.end(),
                                   [&](const AstPtr& by) { return is_column(Inside(*by)); });
      if (key || is_column(Inside(*call.children[0]))) continue;
      aggregate.arguments.push_back(ColumnOf(before, i));
      outputs.push_back(before[i]);
    }
  }

  Plan& plan_;
  ExpressionBinder& rows_;
  const OperatorAst& op_;
};

// One column of the result: an aggregate's output, or a calculation over outputs.
struct Output {
  std::string name;
  Expression value;  // over the summarize plan's columns
};

void NameArgOutputs(const Ast& ast, Schema& outputs) {
  if (ast.kind != AstKind::kAssign) return;
  if (ast.names.size() > outputs.size()) {
    Refuse(ast.span, "KS006", "more names than columns");
  }
  for (std::size_t i = 0; i < ast.names.size(); ++i) outputs[i].name = ast.names[i];
}

// Without calculations the summarize plan itself has the result's columns.
bool InOrder(const std::vector<Output>& outputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Expression& value = outputs[i].value;
    if (value.kind != Expression::Kind::kColumn || value.column != i) return false;
  }
  return true;
}

PlanPtr Finish(PlanPtr plan, std::vector<Output> outputs) {
  if (outputs.size() == plan->schema.size() && InOrder(outputs)) {
    for (std::size_t i = 0; i < outputs.size(); ++i) plan->schema[i].name = outputs[i].name;
    return plan;
  }
  PlanPtr project = PlanOver(std::move(plan), Plan::Kind::kProject);
  project->schema.clear();
  std::vector<Expression>& list = project->lists.emplace_back();
  for (Output& output : outputs) {
    project->schema.push_back({std::move(output.name), output.value.type});
    list.push_back(std::move(output.value));
  }
  return project;
}

}  // namespace

PlanPtr Binder::Distinct(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kSummarize);
  const Schema& before = plan->inputs[0]->schema;
  std::vector<Expression>& keys = plan->lists.emplace_back();
  plan->schema.clear();
  ExpressionBinder binder(*this, before, scope);
  int unnamed = 0;
  for (const AstPtr& ast : op.expressions) {
    if (ast->kind != AstKind::kStar) {
      AddKey(*plan, keys, binder, *ast, unnamed);
      continue;
    }
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (before[i].type == Type::kDynamic) {
        Refuse(ast->span, "KS116",
               fmt::format("the dynamic column '{}' cannot be a key; project it away or convert it",
                           EscapeTerminal(before[i].name)));
      }
      keys.push_back(ColumnOf(before, i));
      plan->schema.push_back(before[i]);
    }
  }
  return plan;
}

PlanPtr Binder::Summarize(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kSummarize);
  std::vector<Expression> keys;
  plan->schema.clear();
  ExpressionBinder rows(*this, plan->inputs[0]->schema, scope);
  int unnamed = 0;
  for (const AstPtr& ast : op.by) AddKey(*plan, keys, rows, *ast, unnamed);
  plan->lists.push_back(std::move(keys));

  Schema names;  // of the result so far, to keep them unique
  std::vector<Output> outputs;
  const auto add = [&](std::string name, Expression value) {
    name = UniqueName(names, std::move(name));
    names.push_back({name, value.type});
    outputs.push_back({std::move(name), std::move(value)});
  };
  for (std::size_t i = 0; i < plan->schema.size(); ++i) {
    add(plan->schema[i].name, ColumnOf(plan->schema, i));
  }

  AggregateBinder aggregates(*plan, rows, op);
  ExpressionBinder results(*this, kNoColumns, scope);
  results.SetAggregates([&](const Ast& call) -> std::optional<Expression> {
    if (!IsAggregateCall(call)) return std::nullopt;
    const std::size_t at = plan->schema.size();
    aggregates.Add(call);
    return ColumnOf(plan->schema, at);
  });
  for (const AstPtr& ast : op.expressions) {
    const Ast& inside = Inside(*ast);
    if (IsAggregateCall(inside)) {
      const std::size_t at = plan->schema.size();
      Schema named = aggregates.Add(inside);
      NameArgOutputs(*ast, named);
      for (std::size_t i = 0; i < named.size(); ++i) {
        add(named[i].name, ColumnOf(plan->schema, at + i));
      }
    } else {
      Expression value = results.Bind(inside);
      add(ColumnName(*ast, unnamed), std::move(value));
    }
  }
  return Finish(std::move(plan), std::move(outputs));
}

}  // namespace picket::kql

// summarize and distinct.

#include <fmt/format.h>

#include <algorithm>

#include "agent/kql/bind_aggregate.h"
#include "agent/kql/bind_core.h"
#include "base/text.h"

namespace picket::kql {

void AddKey(Plan& plan, std::vector<Expression>& keys, ExpressionBinder& binder, const Ast& ast,
            int& unnamed) {
  Expression key = binder.Bind(Inside(ast));
  if (key.type == Type::kDynamic) {
    Refuse(ast.span, "KS116", "a dynamic cannot be a key; convert it, as by tostring()");
  }
  plan.schema.push_back({UniqueName(plan.schema, ColumnName(ast, unnamed)), key.type});
  keys.push_back(std::move(key));
}

namespace {

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

// Any of the distinct values will do: the first ones.
PlanPtr Binder::SampleDistinct(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  PlanPtr plan = PlanOver(Distinct(std::move(input), op, scope), Plan::Kind::kTake);
  plan->limit = Limit(*op.count, scope);
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

  AggregateBinder aggregates(*plan, rows, op.by);
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

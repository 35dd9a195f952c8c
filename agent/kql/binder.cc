#include "agent/kql/binder.h"

#include <fmt/format.h>

#include "agent/kql/bind_core.h"
#include "agent/kql/prune.h"
#include "base/text.h"

namespace picket::kql {
namespace {

// Expressions, pipelines and calls inside one another, after lets and functions are expanded.
constexpr int kMostNested = 1200;
// Parts of the whole plan.
constexpr std::size_t kMostSteps = 500'000;
// Operators of the whole plan, which may all stand in one row.
constexpr std::size_t kMostOperators = 2'000;

}  // namespace

Binder::Step::Step(Binder& binder, Span span) : binder_(binder) {
  if (binder_.depth_ >= kMostNested) {
    Refuse(span, "PK003", "lets, functions and expressions are nested too deep");
  }
  if (++binder_.steps_ > kMostSteps) Refuse(span, "PK004", "the query expands to too many parts");
  ++binder_.depth_;
}

void Binder::Charge(const Expression& copied, Span span) {
  if (++steps_ > kMostSteps) Refuse(span, "PK004", "the query expands to too many parts");
  for (const Expression& argument : copied.arguments) Charge(argument, span);
}

PlanPtr Binder::Run(const QueryAst& query) {
  const Scope* scope = Declare(query.lets, nullptr);
  PlanPtr plan = Pipe(*query.body, scope);
  PruneColumns(*plan);
  return plan;
}

PlanPtr Binder::Pipe(const Pipeline& pipeline, const Scope* scope) {
  const Step step(*this, pipeline.source.span);
  PlanPtr plan = Source(pipeline.source, scope);
  for (const OperatorAst& op : pipeline.operators) {
    if (++operators_ > kMostOperators) {
      Refuse(op.span, "PK004", "the query expands to too many operators");
    }
    plan = Operator(std::move(plan), op, scope);
  }
  return plan;
}

PlanPtr PlanOver(PlanPtr input, Plan::Kind kind) {
  auto plan = std::make_unique<Plan>();
  plan->kind = kind;
  plan->schema = input->schema;
  plan->inputs.push_back(std::move(input));
  return plan;
}

PlanPtr Binder::Operator(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  if (op.name == "where") return Where(std::move(input), op, scope);
  if (op.name == "extend" || op.name == "serialize") return Extend(std::move(input), op, scope);
  if (op.name == "project") return Project(std::move(input), op, scope);
  if (op.name == "project-away" || op.name == "project-keep") {
    return ProjectSome(std::move(input), op);
  }
  if (op.name == "project-rename") return Rename(std::move(input), op, scope);
  if (op.name == "project-reorder") return Reorder(std::move(input), op);
  if (op.name == "distinct") return Distinct(std::move(input), op, scope);
  if (op.name == "summarize") return Summarize(std::move(input), op, scope);
  if (op.name == "sort" || op.name == "top") return Sort(std::move(input), op, scope);
  if (op.name == "take") return Take(std::move(input), op, scope);
  if (op.name == "union") return Union(std::move(input), op, scope);
  if (op.name == "invoke") return Invoke(std::move(input), op, scope);
  if (op.name == "getschema") return GetSchema(*input);
  if (op.name == "count") {
    PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kCount);
    plan->schema = {{op.target.empty() ? "Count" : op.target, Type::kLong}};
    return plan;
  }
  if (op.name == "render" || op.name == "as") return input;  // they change no row
  Refuse(op.span, "PK100", fmt::format("the operator '{}' is not supported yet", op.name));
}

BindResult Bind(const QueryAst& query, std::string_view text, const Catalog& catalog) {
  BindResult result;
  try {
    result.plan = Binder(catalog).Run(query);
  } catch (BindStop& stop) {
    Locate(stop.diagnostic, text);
    result.error = std::move(stop.diagnostic);
  }
  return result;
}

}  // namespace picket::kql

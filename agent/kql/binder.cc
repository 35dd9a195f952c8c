#include "agent/kql/binder.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

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

// Whether a function in it looks at the rows around a row.
bool LooksAround(const Expression& expression) {
  if (expression.function != nullptr && expression.function->window) return true;
  return std::any_of(expression.arguments.begin(), expression.arguments.end(), &LooksAround);
}

}  // namespace

bool IsOrdered(const Plan& plan) {
  switch (plan.kind) {
    case Plan::Kind::kSort:
    case Plan::Kind::kRange:
    case Plan::Kind::kInput:
      return true;
    case Plan::Kind::kFilter:
    case Plan::Kind::kProject:
    case Plan::Kind::kTake:
    case Plan::Kind::kMvExpand:
    case Plan::Kind::kParse:
      return plan.ordered || IsOrdered(*plan.inputs[0]);
    default:
      return plan.ordered;
  }
}

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
    if (op.name != "as") continue;
    // What follows knows the rows by the name.
    plan->name = op.target;
    Scope* link = Link(scope, Scope::Kind::kRows, op.target);
    link->rows = ClonePlan(*plan);
    scope = link;
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
  using Method = PlanPtr (Binder::*)(PlanPtr, const OperatorAst&, const Scope*);
  static const std::map<std::string_view, Method> kOperators = {
      {"where", &Binder::Where},
      {"extend", &Binder::Extend},
      {"serialize", &Binder::Extend},
      {"project", &Binder::Project},
      {"project-away", &Binder::ProjectSome},
      {"project-keep", &Binder::ProjectSome},
      {"project-rename", &Binder::Rename},
      {"project-reorder", &Binder::Reorder},
      {"distinct", &Binder::Distinct},
      {"summarize", &Binder::Summarize},
      {"sort", &Binder::Sort},
      {"top", &Binder::Sort},
      {"take", &Binder::Take},
      {"sample", &Binder::Take},
      {"sample-distinct", &Binder::SampleDistinct},
      {"union", &Binder::Union},
      {"search", &Binder::Search},
      {"join", &Binder::Join},
      {"lookup", &Binder::Join},
      {"mv-expand", &Binder::MvExpand},
      {"mv-apply", &Binder::MvApply},
      {"parse", &Binder::Parse},
      {"parse-where", &Binder::Parse},
      {"parse-kv", &Binder::Parse},
      {"make-series", &Binder::MakeSeries},
      {"evaluate", &Binder::Evaluate},
      {"partition", &Binder::Partition},
      {"scan", &Binder::Scan},
      {"top-hitters", &Binder::TopHitters},
      {"top-nested", &Binder::TopNested},
      {"invoke", &Binder::Invoke},
      {"getschema", &Binder::GetSchema},
      {"count", &Binder::Count},
  };
  if (op.name == "render" || op.name == "as" || op.name == "consume") return input;
  const auto found = kOperators.find(op.name);
  if (found == kOperators.end()) {
    Refuse(op.span, "PK100", fmt::format("the operator '{}' is not supported yet", op.name));
  }
  PlanPtr plan = (this->*found->second)(std::move(input), op, scope);
  bool window = false;
  ForEachExpression(*plan, [&](const Expression& each) { window = window || LooksAround(each); });
  if (window && plan->kind != Plan::Kind::kProject) {
    Refuse(op.span, "PK100",
           fmt::format("functions over other rows, such as prev(), are not supported in '{}'; "
                       "compute them in an extend before it",
                       op.name));
  }
  plan->whole = window;
  plan->ordered = plan->ordered || op.name == "serialize";
  if (window && op.name != "serialize" && !IsOrdered(*plan->inputs[0])) {
    Refuse(op.span, "PK101",
           "functions over other rows need rows in an order: sort them, or serialize");
  }
  return plan;
}

BindResult Bind(const QueryAst& query, std::string_view text, const Catalog& catalog,
                const std::vector<Schema>& known) {
  BindResult result;
  try {
    result.plan = Binder(catalog, known).Run(query);
  } catch (BindStage& stage) {
    result.plan = std::move(stage.plugin);
    PruneColumns(*result.plan);
  } catch (BindStop& stop) {
    Locate(stop.diagnostic, text);
    result.error = std::move(stop.diagnostic);
  }
  return result;
}

}  // namespace picket::kql

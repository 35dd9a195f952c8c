#include "agent/kql/meter.h"

#include <chrono>

#include "agent/kql/explain.h"

namespace picket::kql {
namespace {

class Metered final : public Operator {
 public:
  Metered(OperatorPtr inner, OperatorStats& stats) : inner_(std::move(inner)), stats_(stats) {}
  Result<Batch> Next() override {
    const auto begin = std::chrono::steady_clock::now();
    Result<Batch> batch = inner_->Next();
    stats_.time += std::chrono::steady_clock::now() - begin;
    if (batch) stats_.rows += batch->rows;
    return batch;
  }

 private:
  OperatorPtr inner_;
  OperatorStats& stats_;
};

}  // namespace

void Meter::EnterTables(const Expression& expression, std::size_t depth) {
  for (const Expression& argument : expression.arguments) EnterTables(argument, depth);
  if (expression.table) Enter(*expression.table, depth);
}

void Meter::Enter(const Plan& plan, std::size_t depth) {
  if (entries_.contains(&plan)) return;
  OperatorStats& stats = stats_.operators.emplace_back();
  entries_.emplace(&plan, &stats);
  stats.name = OperatorName(plan);
  stats.detail = Describe(plan);
  stats.depth = depth;
  ForEachExpression(plan, [&](const Expression& each) { EnterTables(each, depth + 1); });
  for (const PlanPtr& input : plan.inputs) Enter(*input, depth + 1);
}

OperatorStats* Meter::Of(const Plan& plan) {
  const auto found = entries_.find(&plan);
  return found == entries_.end() ? nullptr : found->second;
}

OperatorPtr Meter::Measured(const Plan& plan, OperatorPtr inner) {
  OperatorStats* stats = Of(plan);
  if (stats == nullptr) return inner;
  return std::make_unique<Metered>(std::move(inner), *stats);
}

}  // namespace picket::kql

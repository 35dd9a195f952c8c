#pragma once

#include <map>

#include "agent/kql/evaluator.h"

namespace picket::kql {

// Counts what the operators of a run give, and their time. An operator that runs again and again
// (within mv-apply) has one entry for all its runs.
class Meter {
 public:
  explicit Meter(RunStats& stats) : stats_(stats) {}
  // Enters a plan and what is below it, if it is not there.
  void Enter(const Plan& plan) { Enter(plan, 0); }
  // nullptr: the plan was not entered.
  [[nodiscard]] OperatorStats* Of(const Plan& plan);
  [[nodiscard]] OperatorPtr Measured(const Plan& plan, OperatorPtr inner);

 private:
  void Enter(const Plan& plan, std::size_t depth);
  void EnterTables(const Expression& expression, std::size_t depth);

  RunStats& stats_;
  std::map<const Plan*, OperatorStats*> entries_;
};

}  // namespace picket::kql

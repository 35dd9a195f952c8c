#pragma once

#include <memory>

#include "agent/kql/engine.h"
#include "agent/kql/plan.h"
#include "agent/kql/table_source.h"

namespace picket::kql {

// What all operators of one run share.
struct RunState {
  const RunOptions& options;
  TableSource& source;
  EvalContext context;
  std::size_t memory = 0;  // charged so far

  // kLimit by the operator's name when the budget is gone.
  [[nodiscard]] Status Charge(std::size_t bytes, const char* operator_name);
  [[nodiscard]] Status CheckStop() const;
};

// The expression over the batch.
ColumnPtr Evaluate(const Expression& expression, const Batch& batch, const EvalContext& context);
// A constant expression's value.
Value EvaluateConstant(const Expression& expression, const EvalContext& context);
bool IsConstant(const Expression& expression);

// A running operator: pulls batches from its input. A batch without rows is the end.
class Operator {
 public:
  virtual ~Operator() = default;
  [[nodiscard]] virtual Result<Batch> Next() = 0;
};

Result<std::unique_ptr<Operator>> MakeOperator(const Plan& plan, RunState& state);
// The operators that hold rows: sort, summarize.
std::unique_ptr<Operator> MakeSort(const Plan& plan, std::unique_ptr<Operator> input,
                                   RunState& state);
std::unique_ptr<Operator> MakeSummarize(const Plan& plan, std::unique_ptr<Operator> input,
                                        RunState& state);
// A scan with what the filters above it let it skip.
Result<std::unique_ptr<Operator>> MakeScan(const Plan& plan,
                                           const std::vector<const Expression*>& filters,
                                           RunState& state);

}  // namespace picket::kql

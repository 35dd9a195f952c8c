#pragma once

#include <vector>

#include "agent/kql/evaluator.h"

namespace picket::kql {

// evaluate …_lookup: the rows of inputs[0] enriched with rows of inputs[1], which are held. What
// matches is told by the kinds, from the values of lists[0] and lists[1].
class TableLookup : public Operator {
 public:
  TableLookup(const Plan& plan, OperatorPtr left, OperatorPtr right, RunState& state);
  Result<Batch> Next() override;

 protected:
  // Takes in the rows of inputs[1], batch by batch.
  virtual void Hold(const Arguments& keys, std::size_t rows, std::uint32_t batch) = 0;
  // Adds the rows of inputs[1] that belong to the row.
  virtual void Find(const Arguments& keys, std::size_t row, std::vector<Place>& found) = 0;

  const Plan& plan_;

 private:
  Status Build();
  void Emit(const Batch& batch, std::size_t row, const Place* match, BatchBuilder& out);
  void KeepBytes(const Batch& batch, BatchBuilder& out) const;

  const std::size_t left_columns_;
  OperatorPtr left_;
  OperatorPtr right_;
  RunState& state_;
  std::vector<Program> left_keys_;
  std::vector<Program> right_keys_;
  std::vector<Batch> held_;
};

}  // namespace picket::kql

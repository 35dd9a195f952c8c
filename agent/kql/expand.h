#pragma once

#include "agent/kql/evaluator.h"

namespace picket::kql {

// Takes a row's dynamic values apart, several side by side: for mv-expand and mv-apply.
class Expander {
 public:
  Expander(const Plan& plan, const EvalContext& context);
  // The expressions over a batch, for Open and Write.
  Status Read(const Batch& batch);
  // Takes the row apart; how many rows it becomes, at most the operator's limit.
  std::size_t Open(std::size_t row);
  // The opened row's elements [from, until), into the columns of `out` that are named.
  void Write(std::size_t from, std::size_t until, BatchBuilder& out,
             const std::vector<std::size_t>& columns) const;
  [[nodiscard]] std::size_t outputs() const { return plan_.expand.types.size(); }

 private:
  // The elements of the i-th value.
  void Elements(std::size_t i, std::string_view json);

  const Plan& plan_;
  std::vector<Program> programs_;
  std::size_t limit_;
  Arguments values_;
  std::vector<Column> elements_;                // dynamic, views
  std::vector<std::vector<std::string>> bags_;  // what elements of bags point to
};

}  // namespace picket::kql

#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "agent/kql/engine.h"
#include "agent/kql/plan.h"
#include "agent/kql/program.h"
#include "agent/kql/table_source.h"

namespace picket::kql {

class Meter;
class SharedScans;

// What all operators of one run share.
struct RunState {
  RunState(const RunOptions& run_options, TableSource& table_source);
  ~RunState();
  RunState(const RunState&) = delete;
  RunState& operator=(const RunState&) = delete;

  const RunOptions& options;
  TableSource& source;
  EvalContext context;
  std::deque<ResultTable> stored;           // what plugins gave, for kStored
  std::map<const Plan*, ColumnPtr> tables;  // values of tables in expressions
  const Batch* input = nullptr;             // what kInput gives
  std::size_t memory = 0;                   // charged now
  std::uint64_t scanned = 0;                // rows that the source gave
  std::vector<std::string> lineage_tables;  // by number, when the run has lineage
  std::unique_ptr<SharedScans> scans;
  std::unique_ptr<Meter> meter;  // if the run is to be measured

  // kLimit by the operator's name when the budget is gone.
  [[nodiscard]] Status Charge(std::size_t bytes, const char* operator_name);
  void Release(std::size_t bytes) { memory -= bytes < memory ? bytes : memory; }
  [[nodiscard]] Status CheckStop() const;
  // What tells the table in an event's key; nothing when the run has no lineage.
  [[nodiscard]] std::int64_t TableBits(std::string_view table);
};

// A running operator: pulls batches from its input. A batch without rows is the end.
class Operator {
 public:
  virtual ~Operator() = default;
  [[nodiscard]] virtual Result<Batch> Next() = 0;
};
using OperatorPtr = std::unique_ptr<Operator>;

Result<OperatorPtr> MakeOperator(const Plan& plan, RunState& state);

// For operators that need all of their input: `take` gets each batch, and its error ends it.
template <class F>
Status ForEachBatch(Operator& input, const RunState& state, F take) {
  while (true) {
    PK_RETURN_IF_ERROR(state.CheckStop());
    PK_ASSIGN_OR_RETURN(Batch batch, input.Next());
    if (batch.rows == 0) return {};
    PK_RETURN_IF_ERROR(take(std::move(batch)));
  }
}

// The kinds, each by its file. row_operators.cc:
Result<OperatorPtr> MakeRowOperator(const Plan& plan, std::vector<OperatorPtr> inputs,
                                    RunState& state);
OperatorPtr MakeSort(const Plan& plan, OperatorPtr input, RunState& state);
OperatorPtr MakeSummarize(const Plan& plan, OperatorPtr input, RunState& state);
OperatorPtr MakeJoin(const Plan& plan, OperatorPtr left, OperatorPtr right, RunState& state);
OperatorPtr MakeIpLookup(const Plan& plan, OperatorPtr left, OperatorPtr right, RunState& state);
OperatorPtr MakeGeoLookup(const Plan& plan, OperatorPtr left, OperatorPtr right, RunState& state);
OperatorPtr MakeTopNested(const Plan& plan, OperatorPtr input, RunState& state);
OperatorPtr MakePartition(const Plan& plan, OperatorPtr input, RunState& state);
OperatorPtr MakeScanSteps(const Plan& plan, OperatorPtr input, RunState& state);
OperatorPtr MakeStored(const Plan& plan, RunState& state);
OperatorPtr MakeMvExpand(const Plan& plan, OperatorPtr input, RunState& state);
OperatorPtr MakeMvApply(const Plan& plan, OperatorPtr input, RunState& state);
OperatorPtr MakeParse(const Plan& plan, OperatorPtr input, RunState& state);
OperatorPtr MakeSeries(const Plan& plan, OperatorPtr input, RunState& state);
// plugin.cc: a kPlugin plan's rows, with the columns that the data gave them.
Result<ResultTable> RunPlugin(const Plan& plan, RunState& state);
// A project over the whole input at once: its functions look at other rows.
OperatorPtr MakeWindow(const Plan& plan, OperatorPtr input, RunState& state);
// What a scan asks its source for: what the filters above it let it skip. Conditions of values that
// only a run knows are left out when the context has no tables.
ScanRequest RequestOf(const Plan& plan, const std::vector<const Expression*>& filters,
                      const EvalContext& context);
// A scan with what the filters above it let it skip.
Result<OperatorPtr> MakeScan(const Plan& plan, const std::vector<const Expression*>& filters,
                             RunState& state);

// Rows picked from batches that are held, made into batches again.
struct Place {
  std::uint32_t batch = 0, row = 0;
};
class BatchBuilder {
 public:
  BatchBuilder(const Schema& schema, std::size_t expected_rows);
  ColumnBuilder& operator[](std::size_t column) { return builders_[column]; }
  // Copies views; the batch's bytes are kept.
  void Copy(std::size_t to, const Batch& batch, std::size_t from, std::size_t row) {
    builders_[to].AppendFrom(*batch.columns[from], row);
  }
  void Keep(const Batch& batch, std::size_t from, std::size_t to) {
    builders_[to].KeepArenasOf(*batch.columns[from]);
  }
  // A row is complete; its lineage is its batch's.
  void EndRow() { ++batch_.rows; }
  [[nodiscard]] std::size_t rows() const { return batch_.rows; }
  Batch& batch() { return batch_; }  // for the lineage
  Batch Finish();

 private:
  Batch batch_;
  std::vector<ColumnBuilder> builders_;
};

}  // namespace picket::kql

// scan: sequences of rows, told by steps. Each step holds at most one sequence, as the row that
// every step of it took last.

#include "agent/kql/evaluator.h"

namespace picket::kql {
namespace {

class ScanSteps final : public Operator {
 public:
  ScanSteps(const Plan& plan, OperatorPtr input, RunState& state)
      : plan_(plan),
        input_(std::move(input)),
        state_(state),
        source_(plan.inputs[0]->schema.size()),
        conditions_(MakePrograms(plan.lists[0], state.context)),
        sequences_(plan.steps.size()) {
    for (const Expression& value : plan.lists[1]) {
      defaults_.push_back(EvaluateConstant(value, state.context));
    }
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
      assignments_.push_back(MakePrograms(plan.lists[2 + i], state.context));
    }
  }

  Result<Batch> Next() override {
    while (true) {
      PK_RETURN_IF_ERROR(state_.CheckStop());
      PK_ASSIGN_OR_RETURN(const Batch batch, input_->Next());
      if (batch.rows == 0) return Batch{};
      BatchBuilder out(plan_.schema, batch.rows);
      for (std::uint32_t row = 0; row < batch.rows; ++row) {
        PK_RETURN_IF_ERROR(Take(batch, row, out));
      }
      for (std::size_t i = 0; i < source_; ++i) out.Keep(batch, i, i);
      if (out.rows() > 0) return out.Finish();
    }
  }

 private:
  using Row = std::vector<Value>;  // the source's columns and the declared ones
  struct Sequence {
    bool active = false;
    std::int64_t id = 0;
    std::vector<std::optional<Row>> taken;  // by step, up to the one that holds the sequence
  };

  // Steps are asked from the last to the first: the row may go on with the sequence of the step
  // before, or stay in the step's own.
  Status Take(const Batch& batch, std::uint32_t row, BatchBuilder& out) {
    for (std::size_t step = plan_.steps.size(); step-- > 0;) {
      if (step > 0 && sequences_[step - 1].active) {
        PK_ASSIGN_OR_RETURN(const bool goes_on, Holds(step, sequences_[step - 1], batch, row));
        if (goes_on) {
          sequences_[step] = std::exchange(sequences_[step - 1], Sequence{});
          PK_RETURN_IF_ERROR(Record(step, batch, row, out));
          continue;
        }
      }
      Sequence& own = sequences_[step];
      if (!own.active && step > 0) continue;
      PK_ASSIGN_OR_RETURN(const bool stays, Holds(step, own, batch, row));
      if (!stays) continue;
      if (!own.active) own = Sequence{.active = true, .id = next_id_++, .taken = {}};
      PK_RETURN_IF_ERROR(Record(step, batch, row, out));
    }
    return {};
  }

  Result<bool> Holds(std::size_t step, const Sequence& sequence, const Batch& batch,
                     std::uint32_t row) {
    PK_ASSIGN_OR_RETURN(const ColumnPtr holds, conditions_[step].Run(Seen(sequence, batch, row)));
    return holds->Holds(0);
  }

  Status Record(std::size_t step, const Batch& batch, std::uint32_t row, BatchBuilder& out) {
    Sequence& sequence = sequences_[step];
    PK_ASSIGN_OR_RETURN(const Arguments assigned,
                        RunAll(assignments_[step], Seen(sequence, batch, row)));
    Row taken;
    for (std::size_t i = 0; i < source_; ++i) taken.push_back(batch.columns[i]->Get(row));
    for (const ColumnPtr& value : assigned) taken.push_back(value->Get(0));
    if (plan_.steps[step].shown) {
      for (std::size_t i = 0; i < source_; ++i) out.Copy(i, batch, i, row);
      for (std::size_t i = source_; i < taken.size(); ++i) out[i].Append(taken[i]);
      if (plan_.match_id) out[taken.size()].Number(sequence.id);
      AppendLineage(out.batch(), batch, row);
      out.EndRow();
    }
    sequence.taken.resize(plan_.steps.size());
    sequence.taken[step] = std::move(taken);
    return {};
  }

  // One row of what expressions see.
  Batch Seen(const Sequence& sequence, const Batch& batch, std::uint32_t row) const {
    Batch seen = Select(batch, {row});
    seen.keys.clear();
    seen.origins.clear();
    for (const Value& value : defaults_) seen.columns.push_back(ConstantColumn(value, 1));
    for (std::size_t step = 0; step < plan_.steps.size(); ++step) {
      const bool taken = step < sequence.taken.size() && sequence.taken[step];
      for (std::size_t i = 0; i < source_ + defaults_.size(); ++i) {
        const Value value = taken          ? (*sequence.taken[step])[i]
                            : i >= source_ ? defaults_[i - source_]
                                           : Value::Null(plan_.schema[i].type);
        seen.columns.push_back(ConstantColumn(value, 1));
      }
    }
    return seen;
  }

  const Plan& plan_;
  OperatorPtr input_;
  RunState& state_;
  const std::size_t source_;
  std::vector<Program> conditions_;
  std::vector<std::vector<Program>> assignments_;
  std::vector<Value> defaults_;
  std::vector<Sequence> sequences_;
  std::int64_t next_id_ = 0;
};

}  // namespace

OperatorPtr MakeScanSteps(const Plan& plan, OperatorPtr input, RunState& state) {
  return std::make_unique<ScanSteps>(plan, std::move(input), state);
}

}  // namespace picket::kql

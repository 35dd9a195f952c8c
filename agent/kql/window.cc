// serialize: a project whose functions look at the rows around a row. All rows are held and
// computed as one batch.

#include <algorithm>

#include "agent/kql/evaluator.h"

namespace picket::kql {
namespace {

class Window final : public Operator {
 public:
  Window(const Plan& plan, OperatorPtr input, RunState& state)
      : plan_(plan),
        programs_(MakePrograms(plan.lists[0], state.context)),
        input_(std::move(input)),
        state_(state) {}

  Result<Batch> Next() override {
    if (input_) {
      PK_RETURN_IF_ERROR(ReadAll());
      input_.reset();
    }
    const std::size_t end = std::min(whole_.rows, at_ + state_.options.batch_rows);
    Selection selection;
    for (; at_ < end; ++at_) selection.push_back(static_cast<std::uint32_t>(at_));
    return Select(whole_, selection);
  }

 private:
  Status ReadAll() {
    BatchBuilder all(plan_.inputs[0]->schema, state_.options.batch_rows);
    const auto hold = [&](const Batch& batch) -> Status {
      PK_RETURN_IF_ERROR(state_.Charge(2 * BytesOf(batch), "serialize"));
      for (std::size_t row = 0; row < batch.rows; ++row) {
        for (std::size_t i = 0; i < batch.columns.size(); ++i) all.Copy(i, batch, i, row);
        AppendLineage(all.batch(), batch, row);
        all.EndRow();
      }
      for (std::size_t i = 0; i < batch.columns.size(); ++i) all.Keep(batch, i, i);
      return {};
    };
    PK_RETURN_IF_ERROR(ForEachBatch(*input_, state_, hold));
    whole_ = all.Finish();
    if (whole_.rows == 0) return {};
    PK_ASSIGN_OR_RETURN(whole_.columns, RunAll(programs_, whole_));
    return {};
  }

  const Plan& plan_;
  std::vector<Program> programs_;
  OperatorPtr input_;
  RunState& state_;
  Batch whole_;
  std::size_t at_ = 0;
};

}  // namespace

OperatorPtr MakeWindow(const Plan& plan, OperatorPtr input, RunState& state) {
  return std::make_unique<Window>(plan, std::move(input), state);
}

}  // namespace picket::kql

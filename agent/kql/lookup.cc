#include "agent/kql/lookup.h"

#include "agent/kql/kernel.h"

namespace picket::kql {

TableLookup::TableLookup(const Plan& plan, OperatorPtr left, OperatorPtr right, RunState& state)
    : plan_(plan),
      left_columns_(plan.inputs[0]->schema.size()),
      left_(std::move(left)),
      right_(std::move(right)),
      state_(state),
      left_keys_(MakePrograms(plan.lists[0], state.context)),
      right_keys_(MakePrograms(plan.lists[1], state.context)) {}

Result<Batch> TableLookup::Next() {
  if (right_) PK_RETURN_IF_ERROR(Build());
  std::vector<Place> found;
  while (true) {
    PK_RETURN_IF_ERROR(state_.CheckStop());
    PK_ASSIGN_OR_RETURN(const Batch batch, left_->Next());
    if (batch.rows == 0) return Batch{};
    PK_ASSIGN_OR_RETURN(const Arguments keys, RunAll(left_keys_, batch));
    BatchBuilder out(plan_.schema, batch.rows);
    for (std::size_t row = 0; row < batch.rows; ++row) {
      found.clear();
      Find(keys, row, found);
      for (const Place& match : found) Emit(batch, row, &match, out);
      if (found.empty() && plan_.join == JoinKind::kLeftOuter) Emit(batch, row, nullptr, out);
      if (row % 64 == 0) PK_RETURN_IF_ERROR(state_.CheckStop());
    }
    KeepBytes(batch, out);
    if (out.rows() == 0) continue;
    Batch made = out.Finish();
    PK_RETURN_IF_ERROR(state_.Charge(BytesOf(made), "lookup"));
    return made;
  }
}

Status TableLookup::Build() {
  const auto hold = [this](Batch batch) -> Status {
    PK_ASSIGN_OR_RETURN(const Arguments keys, RunAll(right_keys_, batch));
    PK_RETURN_IF_ERROR(state_.Charge(BytesOf(batch) + batch.rows * 96, "lookup"));
    Hold(keys, batch.rows, static_cast<std::uint32_t>(held_.size()));
    held_.push_back(std::move(batch));
    return {};
  };
  PK_RETURN_IF_ERROR(ForEachBatch(*right_, state_, hold));
  right_.reset();
  return {};
}

void TableLookup::Emit(const Batch& batch, std::size_t row, const Place* match, BatchBuilder& out) {
  for (std::size_t i = 0; i < plan_.schema.size(); ++i) {
    const std::size_t from = *plan_.picked[0][i];
    if (from < left_columns_) {
      out.Copy(i, batch, from, row);
    } else if (match != nullptr) {
      out.Copy(i, held_[match->batch], from - left_columns_, match->row);
    } else {
      out[i].Null();
    }
  }
  // The row is the left one, whatever it is enriched with.
  AppendLineage(out.batch(), batch, row);
  out.EndRow();
}

void TableLookup::KeepBytes(const Batch& batch, BatchBuilder& out) const {
  for (std::size_t i = 0; i < plan_.schema.size(); ++i) {
    const std::size_t from = *plan_.picked[0][i];
    if (from < left_columns_) {
      out.Keep(batch, from, i);
    } else {
      for (const Batch& held : held_) out.Keep(held, from - left_columns_, i);
    }
  }
}

}  // namespace picket::kql

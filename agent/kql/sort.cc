// sort and top.

#include <algorithm>
#include <cmath>

#include "agent/kql/evaluator.h"
#include "agent/kql/kernel.h"

namespace picket::kql {
namespace {

// `top` throws away what cannot be among the first, when that many rows are held beyond them.
constexpr std::size_t kTopSlack = 32 * kBatchRows;

class Sort final : public Operator {
 public:
  Sort(const Plan& plan, OperatorPtr input, RunState& state)
      : plan_(plan), input_(std::move(input)), state_(state) {
    for (const BoundSortKey& key : plan.sort) programs_.emplace_back(key.expression, state.context);
    if (!plan.limit) return;
    const Value limit = EvaluateConstant(*plan.limit, state.context);
    most_ = static_cast<std::size_t>(limit.null ? 0 : std::max<std::int64_t>(0, limit.number));
  }

  Result<Batch> Next() override {
    if (!sorted_) {
      PK_RETURN_IF_ERROR(ReadAll());
      SortRows();
      sorted_ = true;
    }
    BatchBuilder out(plan_.schema, state_.options.batch_rows);
    std::vector<bool> kept(held_.size(), false);
    for (; at_ < order_.size() && out.rows() < state_.options.batch_rows; ++at_) {
      const Place place = order_[at_];
      const Batch& batch = held_[place.batch].batch;
      for (std::size_t i = 0; i < plan_.schema.size(); ++i) {
        out.Copy(i, batch, i, place.row);
        if (!kept[place.batch]) out.Keep(batch, i, i);
      }
      kept[place.batch] = true;
      AppendLineage(out.batch(), batch, place.row);
      out.EndRow();
    }
    return out.Finish();
  }

 private:
  struct Held {
    Batch batch;
    Arguments keys;
    std::size_t bytes = 0;
  };

  Status ReadAll() {
    const char* name = plan_.limit ? "top" : "sort";
    return ForEachBatch(*input_, state_, [&](Batch batch) -> Status {
      Held held;
      PK_ASSIGN_OR_RETURN(held.keys, RunAll(programs_, batch));
      held.batch = std::move(batch);
      PK_RETURN_IF_ERROR(Hold(std::move(held), name));
      if (most_ && order_.size() > *most_ + kTopSlack) PK_RETURN_IF_ERROR(DropTheRest(name));
      return {};
    });
  }

  Status Hold(Held held, const char* name) {
    held.bytes = BytesOf(held.batch) + held.batch.rows * sizeof(Place);
    PK_RETURN_IF_ERROR(state_.Charge(held.bytes, name));
    const auto index = static_cast<std::uint32_t>(held_.size());
    for (std::uint32_t row = 0; row < held.batch.rows; ++row) order_.push_back({index, row});
    held_.push_back(std::move(held));
    return {};
  }

  // Of each batch only what is among the first rows so far, the batches in their order.
  Status DropTheRest(const char* name) {
    SortRows();
    std::vector<Selection> selections(held_.size());
    for (const Place& place : order_) selections[place.batch].push_back(place.row);
    std::vector<Held> before = std::exchange(held_, {});
    order_.clear();
    for (std::size_t i = 0; i < before.size(); ++i) {
      state_.Release(before[i].bytes);
      if (selections[i].empty()) continue;
      std::sort(selections[i].begin(), selections[i].end());
      Held held;
      held.batch = Select(before[i].batch, selections[i]);
      for (const ColumnPtr& key : before[i].keys) held.keys.push_back(Gather(*key, selections[i]));
      PK_RETURN_IF_ERROR(Hold(std::move(held), name));
    }
    return {};
  }

  [[nodiscard]] bool Before(const Place& a, const Place& b) const {
    for (std::size_t i = 0; i < plan_.sort.size(); ++i) {
      const BoundSortKey& key = plan_.sort[i];
      const Column& x = *held_[a.batch].keys[i];
      const Column& y = *held_[b.batch].keys[i];
      const bool null_x = Missing(x, a.row);
      const bool null_y = Missing(y, b.row);
      if (null_x != null_y) return null_x == key.nulls_first;
      if (null_x) continue;
      const int order = CompareValues(x, a.row, y, b.row).value_or(0);
      if (order != 0) return key.ascending ? order < 0 : order > 0;
    }
    return false;
  }

  static bool Missing(const Column& column, std::size_t row) {
    return column.IsNull(row) || (column.type == Type::kReal && std::isnan(column.Real(row)));
  }

  // Stable: equal rows stay in (TimeGenerated, Id) order, so that top repeats.
  void SortRows() {
    std::stable_sort(order_.begin(), order_.end(),
                     [this](const Place& a, const Place& b) { return Before(a, b); });
    if (most_ && order_.size() > *most_) order_.resize(*most_);
  }

  const Plan& plan_;
  OperatorPtr input_;
  RunState& state_;
  std::vector<Program> programs_;
  std::optional<std::size_t> most_;
  bool sorted_ = false;
  std::vector<Held> held_;
  std::vector<Place> order_;
  std::size_t at_ = 0;
};

}  // namespace

OperatorPtr MakeSort(const Plan& plan, OperatorPtr input, RunState& state) {
  return std::make_unique<Sort>(plan, std::move(input), state);
}

}  // namespace picket::kql

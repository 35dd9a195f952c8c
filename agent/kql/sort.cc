// sort and top.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "agent/kql/evaluator.h"
#include "agent/kql/kernel.h"

namespace picket::kql {
namespace {

std::size_t BytesOf(const Batch& batch) {
  std::size_t bytes = batch.keys.size() * sizeof(std::int64_t);
  for (const ColumnPtr& column : batch.columns) {
    bytes += column->nulls.size() + column->numbers.size() * 8 + column->reals.size() * 8;
    for (const std::string_view text : column->texts) bytes += sizeof text + text.size();
  }
  return bytes;
}

class Sort final : public Operator {
 public:
  Sort(const Plan& plan, std::unique_ptr<Operator> input, RunState& state)
      : plan_(plan), input_(std::move(input)), state_(state) {}

  Result<Batch> Next() override {
    if (!sorted_) {
      PK_RETURN_IF_ERROR(ReadAll());
      SortRows();
      sorted_ = true;
    }
    Batch out;
    std::vector<ColumnBuilder> builders;
    for (const ColumnSchema& column : plan_.schema) {
      builders.emplace_back(column.type, state_.options.batch_rows);
    }
    std::vector<bool> kept(batches_.size(), false);
    for (; at_ < order_.size() && out.rows < state_.options.batch_rows; ++at_, ++out.rows) {
      const auto [b, row] = order_[at_];
      const Batch& batch = batches_[b];
      for (std::size_t i = 0; i < builders.size(); ++i) {
        builders[i].AppendFrom(*batch.columns[i], row);
        if (!kept[b]) builders[i].KeepArenasOf(*batch.columns[i]);
      }
      kept[b] = true;
      if (!batch.keys.empty()) out.keys.push_back(batch.keys[row]);
    }
    for (ColumnBuilder& builder : builders) out.columns.push_back(builder.Finish());
    return out;
  }

 private:
  struct Place {
    std::uint32_t batch, row;
  };

  Status ReadAll() {
    while (true) {
      PK_ASSIGN_OR_RETURN(Batch batch, input_->Next());
      if (batch.rows == 0) return {};
      PK_RETURN_IF_ERROR(state_.Charge(BytesOf(batch), plan_.limit ? "top" : "sort"));
      const auto index = static_cast<std::uint32_t>(batches_.size());
      for (std::uint32_t row = 0; row < batch.rows; ++row) order_.push_back({index, row});
      std::vector<ColumnPtr> keys;
      for (const BoundSortKey& key : plan_.sort) {
        keys.push_back(Evaluate(key.expression, batch, state_.context));
      }
      keys_.push_back(std::move(keys));
      batches_.push_back(std::move(batch));
    }
  }

  [[nodiscard]] bool Before(const Place& a, const Place& b) const {
    for (std::size_t i = 0; i < plan_.sort.size(); ++i) {
      const BoundSortKey& key = plan_.sort[i];
      const Column& x = *keys_[a.batch][i];
      const Column& y = *keys_[b.batch][i];
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
    if (!plan_.limit) return;
    const Value limit = EvaluateConstant(*plan_.limit, state_.context);
    const auto most =
        static_cast<std::size_t>(limit.null ? 0 : std::max<std::int64_t>(0, limit.number));
    if (order_.size() > most) order_.resize(most);
  }

  const Plan& plan_;
  std::unique_ptr<Operator> input_;
  RunState& state_;
  bool sorted_ = false;
  std::vector<Batch> batches_;
  std::vector<std::vector<ColumnPtr>> keys_;
  std::vector<Place> order_;
  std::size_t at_ = 0;
};

}  // namespace

std::unique_ptr<Operator> MakeSort(const Plan& plan, std::unique_ptr<Operator> input,
                                   RunState& state) {
  return std::make_unique<Sort>(plan, std::move(input), state);
}

}  // namespace picket::kql

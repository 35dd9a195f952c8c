// join and lookup: the right side is held and hashed by its keys, the left one streams by. Null
// keys equal null keys, as in Kusto.

#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "agent/kql/evaluator.h"

namespace picket::kql {
namespace {

constexpr std::uint32_t kNone = UINT32_MAX;

class Join final : public Operator {
 public:
  Join(const Plan& plan, OperatorPtr left, OperatorPtr right, RunState& state)
      : plan_(plan),
        kind_(plan.join),
        left_columns_(plan.inputs[0]->schema.size()),
        left_(std::move(left)),
        right_(std::move(right)),
        state_(state),
        left_keys_(MakePrograms(plan.lists[0], state.context)),
        right_keys_(MakePrograms(plan.lists[1], state.context)) {}

  Result<Batch> Next() override {
    if (!built_) {
      PK_RETURN_IF_ERROR(Build());
      built_ = true;
    }
    while (true) {
      PK_RETURN_IF_ERROR(state_.CheckStop());
      if (left_done_ && !KeepsRight()) return Batch{};
      PK_ASSIGN_OR_RETURN(Batch batch, left_done_ ? RestOfRight() : FromLeft());
      if (batch.rows > 0 || left_done_) return batch;
      left_done_ = current_.rows == 0;
    }
  }

 private:
  // Rows of the right side with one key, as a chain through `next`, the last to come first: so the
  // recorded engine gives them.
  struct RightRow {
    Place place;
    std::uint32_t next = kNone;
    bool matched = false;
  };

  [[nodiscard]] bool Is(JoinKind kind) const { return kind_ == kind; }
  [[nodiscard]] bool KeepsLeft() const {
    return Is(JoinKind::kLeftOuter) || Is(JoinKind::kFullOuter);
  }
  [[nodiscard]] bool KeepsRight() const {
    return Is(JoinKind::kRightOuter) || Is(JoinKind::kFullOuter) || Is(JoinKind::kRightSemi) ||
           Is(JoinKind::kRightAnti);
  }

  const std::string& KeyOf(const Arguments& keys, std::size_t row) {
    key_.clear();
    for (const ColumnPtr& column : keys) AppendRowKey(key_, *column, row);
    return key_;
  }

  Status Build() {
    const auto hold = [this](Batch batch) -> Status {
      PK_ASSIGN_OR_RETURN(const Arguments keys, RunAll(right_keys_, batch));
      std::size_t bytes = BytesOf(batch) + batch.rows * (sizeof(RightRow) + 80);
      const auto index = static_cast<std::uint32_t>(held_.size());
      for (std::uint32_t row = 0; row < batch.rows; ++row) {
        const auto at = static_cast<std::uint32_t>(rows_.size());
        rows_.push_back({.place = {index, row}});
        const auto [head, made] = index_.emplace(KeyOf(keys, row), at);
        if (made) {
          bytes += key_.size();
        } else {
          rows_.back().next = std::exchange(head->second, at);
        }
      }
      PK_RETURN_IF_ERROR(state_.Charge(bytes, "join"));
      held_.push_back(std::move(batch));
      return {};
    };
    PK_RETURN_IF_ERROR(ForEachBatch(*right_, state_, hold));
    right_.reset();
    return {};
  }

  // The next left batch when the current one is used up; none: no more rows.
  Status Advance() {
    if (at_ < current_.rows) return {};
    PK_ASSIGN_OR_RETURN(current_, left_->Next());
    at_ = 0;
    chain_ = kNone;
    started_ = false;
    if (current_.rows > 0) {
      PK_ASSIGN_OR_RETURN(current_keys_, RunAll(left_keys_, current_));
    }
    return {};
  }

  Result<Batch> FromLeft() {
    PK_RETURN_IF_ERROR(Advance());
    Begin();
    BatchBuilder out(plan_.schema, state_.options.batch_rows);
    while (at_ < current_.rows && out.rows() < state_.options.batch_rows) {
      if (!started_) {
        PK_ASSIGN_OR_RETURN(const bool wanted, StartRow());
        if (!wanted) {
          ++at_;
          continue;
        }
      }
      EmitLeft(out);
    }
    for (std::size_t i = 0; i < plan_.schema.size(); ++i) {
      const auto place = plan_.picked[0][i];
      if (place && *place < left_columns_ && out.rows() > 0) out.Keep(current_, *place, i);
    }
    return out.Finish();
  }

  // Finds the row's matches; false: the row gives nothing.
  Result<bool> StartRow() {
    const std::string& key = KeyOf(current_keys_, at_);
    const auto found = index_.find(key);
    chain_ = found == index_.end() ? kNone : found->second;
    if (Is(JoinKind::kInnerUnique)) {
      // Of the left rows with one key only the first takes part.
      if (chain_ == kNone) return false;
      if (!seen_.insert(key).second) return false;
      PK_RETURN_IF_ERROR(state_.Charge(key.size() + 64, "join"));
    }
    if (Is(JoinKind::kRightSemi) || Is(JoinKind::kRightAnti)) {
      for (std::uint32_t at = chain_; at != kNone && !rows_[at].matched; at = rows_[at].next) {
        rows_[at].matched = true;
      }
      return false;
    }
    if (Is(JoinKind::kLeftSemi)) {
      if (chain_ == kNone) return false;
      chain_ = kNone;
    } else if (Is(JoinKind::kLeftAnti)) {
      if (chain_ != kNone) return false;
    } else if (chain_ == kNone && !KeepsLeft()) {
      return false;
    }
    started_ = true;
    return true;
  }

  // One pair, or the left row alone.
  void EmitLeft(BatchBuilder& out) {
    RightRow* right = chain_ == kNone ? nullptr : &rows_[chain_];
    Emit(out, &current_, at_, right);
    if (right != nullptr) {
      right->matched = true;
      chain_ = right->next;
    }
    if (chain_ == kNone) {
      ++at_;
      started_ = false;
    }
  }

  Result<Batch> RestOfRight() {
    Begin();
    BatchBuilder out(plan_.schema, state_.options.batch_rows);
    const bool wanted = Is(JoinKind::kRightSemi);
    for (; rest_ < rows_.size() && out.rows() < state_.options.batch_rows; ++rest_) {
      if (rows_[rest_].matched == wanted) Emit(out, nullptr, 0, &rows_[rest_]);
    }
    return out.Finish();
  }

  void Begin() { kept_.clear(); }

  void Emit(BatchBuilder& out, const Batch* left, std::size_t left_row, const RightRow* right) {
    const Batch* held = right == nullptr ? nullptr : &held_[right->place.batch];
    const bool keep = right != nullptr && kept_.insert(right->place.batch).second;
    for (std::size_t i = 0; i < plan_.schema.size(); ++i) {
      const std::size_t column = *plan_.picked[0][i];
      if (column < left_columns_) {
        if (left == nullptr) {
          out[i].Null();
        } else {
          out.Copy(i, *left, column, left_row);
        }
      } else if (held == nullptr) {
        out[i].Null();
      } else {
        out.Copy(i, *held, column - left_columns_, right->place.row);
        if (keep) out.Keep(*held, column - left_columns_, i);
      }
    }
    if (state_.options.lineage) {
      Origins& origins = out.batch().origins.emplace_back();
      if (left != nullptr) AddOrigins(*left, left_row, origins);
      if (held != nullptr) AddOrigins(*held, right->place.row, origins);
    }
    out.EndRow();
  }

  const Plan& plan_;
  const JoinKind kind_;
  const std::size_t left_columns_;
  OperatorPtr left_, right_;
  RunState& state_;
  std::vector<Program> left_keys_, right_keys_;
  std::string key_;

  bool built_ = false;
  std::vector<Batch> held_;
  std::vector<RightRow> rows_;
  std::unordered_map<std::string, std::uint32_t> index_;
  std::unordered_set<std::string> seen_;

  Batch current_;
  Arguments current_keys_;
  std::size_t at_ = 0;
  bool started_ = false;         // the row at_ has its matches in chain_
  std::uint32_t chain_ = kNone;  // the next match
  bool left_done_ = false;
  std::size_t rest_ = 0;
  std::unordered_set<std::uint32_t> kept_;
};

}  // namespace

OperatorPtr MakeJoin(const Plan& plan, OperatorPtr left, OperatorPtr right, RunState& state) {
  return std::make_unique<Join>(plan, std::move(left), std::move(right), state);
}

}  // namespace picket::kql

// top-nested and partition: operators within groups. All rows are held.

#include <algorithm>
#include <unordered_map>

#include "agent/kql/evaluator.h"
#include "agent/kql/kernel.h"

namespace picket::kql {
namespace {

Result<std::vector<Batch>> ReadAll(Operator& input, RunState& state, const char* name) {
  std::vector<Batch> batches;
  const auto hold = [&](Batch batch) -> Status {
    PK_RETURN_IF_ERROR(state.Charge(BytesOf(batch) + batch.rows * (sizeof(Place) + 64), name));
    batches.push_back(std::move(batch));
    return {};
  };
  PK_RETURN_IF_ERROR(ForEachBatch(input, state, hold));
  return batches;
}

class TopNested final : public Operator {
 public:
  TopNested(const Plan& plan, OperatorPtr input, RunState& state)
      : plan_(plan),
        input_(std::move(input)),
        state_(state),
        keys_(MakePrograms(plan.lists[0], state.context)),
        out_(plan.schema, state.options.batch_rows) {
    for (const BoundAggregate& aggregate : plan.aggregates) {
      arguments_.push_back(MakePrograms(aggregate.arguments, state.context));
      std::vector<Type>& types = types_.emplace_back();
      for (const Expression& argument : aggregate.arguments) types.push_back(argument.type);
    }
    for (const Expression& limit : plan.lists[1]) {
      const Value most = EvaluateConstant(limit, state.context);
      limits_.push_back(
          most.null ? SIZE_MAX : static_cast<std::size_t>(std::max<std::int64_t>(0, most.number)));
    }
  }

  Result<Batch> Next() override {
    if (done_) return Batch{};
    done_ = true;
    PK_ASSIGN_OR_RETURN(batches_, ReadAll(*input_, state_, "top-nested"));
    std::vector<Place> all;
    for (std::uint32_t i = 0; i < batches_.size(); ++i) {
      PK_ASSIGN_OR_RETURN(Arguments keys, RunAll(keys_, batches_[i]));
      key_columns_.push_back(std::move(keys));
      std::vector<Arguments>& of_batch = argument_columns_.emplace_back();
      for (std::vector<Program>& programs : arguments_) {
        PK_ASSIGN_OR_RETURN(Arguments columns, RunAll(programs, batches_[i]));
        of_batch.push_back(std::move(columns));
      }
      for (std::uint32_t row = 0; row < batches_[i].rows; ++row) all.push_back({i, row});
    }
    PK_RETURN_IF_ERROR(Level(0, all));
    return out_.Finish();
  }

 private:
  struct Group {
    Value key, value;
    std::vector<Place> rows;
  };

  // The groups of one level over the rows of the one above.
  std::vector<Group> Groups(std::size_t level, const std::vector<Place>& rows) {
    std::vector<Group> groups;
    std::vector<std::unique_ptr<Accumulator>> accumulators;
    std::unordered_map<std::string, std::size_t> index;
    for (const Place& place : rows) {
      const Column& column = *key_columns_[place.batch][level];
      std::string key;
      AppendRowKey(key, column, place.row);
      const auto [found, made] = index.emplace(std::move(key), groups.size());
      if (made) {
        groups.push_back({.key = column.Get(place.row), .value = {}, .rows = {}});
        accumulators.push_back(plan_.aggregates[level].function->make(types_[level]));
      }
      groups[found->second].rows.push_back(place);
      accumulators[found->second]->Add(argument_columns_[place.batch][level], place.row);
    }
    for (std::size_t i = 0; i < groups.size(); ++i) groups[i].value = accumulators[i]->Finish()[0];
    std::reverse(groups.begin(), groups.end());  // of equal ones the last to appear is first
    return groups;
  }

  Status Level(std::size_t level, const std::vector<Place>& rows) {
    PK_RETURN_IF_ERROR(state_.CheckStop());
    if (level == limits_.size()) {
      for (std::size_t i = 0; i < path_.size(); ++i) out_[i].Append(path_[i]);
      if (state_.options.lineage) {
        Origins& origins = out_.batch().origins.emplace_back();
        for (const Place& place : rows) AddOrigins(batches_[place.batch], place.row, origins);
      }
      out_.EndRow();
      return {};
    }
    std::vector<Group> groups = Groups(level, rows);
    const bool ascending = plan_.sort[level].ascending;
    std::stable_sort(groups.begin(), groups.end(), [&](const Group& a, const Group& b) {
      if (a.value.null != b.value.null) return a.value.null == ascending;
      const int order =
          CompareValues(*ConstantColumn(a.value, 1), 0, *ConstantColumn(b.value, 1), 0).value_or(0);
      return ascending ? order < 0 : order > 0;
    });
    if (groups.size() > limits_[level]) groups.resize(limits_[level]);
    for (Group& group : groups) {
      path_.push_back(std::move(group.key));
      path_.push_back(std::move(group.value));
      PK_RETURN_IF_ERROR(Level(level + 1, group.rows));
      path_.resize(path_.size() - 2);
    }
    return {};
  }

  const Plan& plan_;
  OperatorPtr input_;
  RunState& state_;
  std::vector<Program> keys_;
  std::vector<std::vector<Program>> arguments_;
  std::vector<std::vector<Type>> types_;
  std::vector<std::size_t> limits_;
  std::vector<Batch> batches_;
  std::vector<Arguments> key_columns_;
  std::vector<std::vector<Arguments>> argument_columns_;
  std::vector<Value> path_;
  BatchBuilder out_;
  bool done_ = false;
};

class Partition final : public Operator {
 public:
  Partition(const Plan& plan, OperatorPtr input, RunState& state)
      : plan_(plan), input_(std::move(input)), state_(state) {}

  Result<Batch> Next() override {
    if (input_) {
      PK_RETURN_IF_ERROR(Split());
      input_.reset();
    }
    while (true) {
      PK_RETURN_IF_ERROR(state_.CheckStop());
      if (inner_) {
        PK_ASSIGN_OR_RETURN(Batch batch, inner_->Next());
        if (batch.rows > 0) return batch;
        inner_.reset();
      }
      if (at_ >= groups_.size()) return Batch{};
      const Batch rows = RowsOf(groups_[at_++]);
      state_.input = &rows;
      PK_ASSIGN_OR_RETURN(inner_, MakeOperator(*plan_.inputs[1], state_));
      state_.input = nullptr;
    }
  }

 private:
  Status Split() {
    PK_ASSIGN_OR_RETURN(batches_, ReadAll(*input_, state_, "partition"));
    std::unordered_map<std::string, std::size_t> index;
    const std::size_t key = plan_.lists[0][0].column;
    for (std::uint32_t i = 0; i < batches_.size(); ++i) {
      for (std::uint32_t row = 0; row < batches_[i].rows; ++row) {
        std::string text;
        AppendRowKey(text, *batches_[i].columns[key], row);
        const auto [found, made] = index.emplace(std::move(text), groups_.size());
        if (made) groups_.emplace_back();
        groups_[found->second].push_back({i, row});
      }
    }
    return {};
  }

  [[nodiscard]] Batch RowsOf(const std::vector<Place>& places) const {
    BatchBuilder rows(plan_.inputs[0]->schema, places.size());
    std::uint32_t kept = UINT32_MAX;
    for (const Place& place : places) {
      const Batch& batch = batches_[place.batch];
      for (std::size_t i = 0; i < batch.columns.size(); ++i) {
        rows.Copy(i, batch, i, place.row);
        if (kept != place.batch) rows.Keep(batch, i, i);
      }
      kept = place.batch;
      AppendLineage(rows.batch(), batch, place.row);
      rows.EndRow();
    }
    return rows.Finish();
  }

  const Plan& plan_;
  OperatorPtr input_;
  RunState& state_;
  std::vector<Batch> batches_;
  std::vector<std::vector<Place>> groups_;
  OperatorPtr inner_;
  std::size_t at_ = 0;
};

}  // namespace

OperatorPtr MakeTopNested(const Plan& plan, OperatorPtr input, RunState& state) {
  return std::make_unique<TopNested>(plan, std::move(input), state);
}

OperatorPtr MakePartition(const Plan& plan, OperatorPtr input, RunState& state) {
  return std::make_unique<Partition>(plan, std::move(input), state);
}

}  // namespace picket::kql

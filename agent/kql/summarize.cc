// summarize and distinct: groups in order of their first row.

#include <unordered_map>

#include "agent/kql/evaluator.h"

namespace picket::kql {
namespace {

class Summarize final : public Operator {
 public:
  Summarize(const Plan& plan, OperatorPtr input, RunState& state)
      : plan_(plan),
        input_(std::move(input)),
        state_(state),
        keys_(MakePrograms(plan.lists[0], state.context)) {
    for (const BoundAggregate& aggregate : plan.aggregates) {
      std::vector<Type>& types = types_.emplace_back();
      for (const Expression& argument : aggregate.arguments) types.push_back(argument.type);
      arguments_.push_back(MakePrograms(aggregate.arguments, state.context));
    }
  }

  Result<Batch> Next() override {
    if (!read_) {
      PK_RETURN_IF_ERROR(ReadAll());
      read_ = true;
      // Without keys there is one row, of the defaults when there was nothing.
      if (keys_.empty() && groups_.empty()) groups_.push_back(NewGroup());
    }
    BatchBuilder out(plan_.schema, state_.options.batch_rows);
    for (; at_ < groups_.size() && out.rows() < state_.options.batch_rows; ++at_) {
      Group& group = groups_[at_];
      std::size_t column = 0;
      for (const Value& key : group.keys) out[column++].Append(key);
      for (const auto& accumulator : group.accumulators) {
        for (const Value& value : accumulator->Finish()) out[column++].Append(value);
      }
      group.accumulators.clear();
      if (state_.options.lineage) out.batch().origins.push_back(std::move(group.origins));
      out.EndRow();
    }
    return out.Finish();
  }

 private:
  struct Group {
    std::vector<Value> keys;
    std::vector<std::unique_ptr<Accumulator>> accumulators;
    Origins origins;
    std::size_t charged = 0;
  };

  [[nodiscard]] Group NewGroup() const {
    Group group;
    for (std::size_t i = 0; i < plan_.aggregates.size(); ++i) {
      group.accumulators.push_back(plan_.aggregates[i].function->make(types_[i]));
    }
    return group;
  }

  Status ReadAll() {
    const char* name = plan_.aggregates.empty() ? "distinct" : "summarize";
    return ForEachBatch(*input_, state_, [&](const Batch& batch) -> Status {
      PK_ASSIGN_OR_RETURN(const Arguments keys, RunAll(keys_, batch));
      std::vector<Arguments> arguments;
      for (std::vector<Program>& programs : arguments_) {
        PK_ASSIGN_OR_RETURN(Arguments columns, RunAll(programs, batch));
        arguments.push_back(std::move(columns));
      }
      for (std::size_t row = 0; row < batch.rows; ++row) {
        PK_ASSIGN_OR_RETURN(Group* const group, GroupOf(keys, row, name));
        if (state_.options.lineage) AddOrigins(batch, row, group->origins);
        PK_RETURN_IF_ERROR(Add(*group, arguments, row, name));
      }
      return {};
    });
  }

  Result<Group*> GroupOf(const Arguments& keys, std::size_t row, const char* name) {
    key_.clear();
    for (const ColumnPtr& column : keys) AppendRowKey(key_, *column, row);
    const auto found = index_.find(key_);
    if (found != index_.end()) return &groups_[found->second];
    index_.emplace(key_, groups_.size());
    Group& group = groups_.emplace_back(NewGroup());
    for (const ColumnPtr& column : keys) group.keys.push_back(column->Get(row));
    PK_RETURN_IF_ERROR(state_.Charge(128 + key_.size() * 2 + keys.size() * sizeof(Value), name));
    return &group;
  }

  Status Add(Group& group, const std::vector<Arguments>& arguments, std::size_t row,
             const char* name) {
    std::size_t bytes = group.origins.kept() * sizeof(std::int64_t);
    for (std::size_t i = 0; i < group.accumulators.size(); ++i) {
      group.accumulators[i]->Add(arguments[i], row);
      bytes += group.accumulators[i]->Bytes();
    }
    if (bytes > group.charged) {
      PK_RETURN_IF_ERROR(state_.Charge(bytes - group.charged, name));
      group.charged = bytes;
    }
    return {};
  }

  const Plan& plan_;
  OperatorPtr input_;
  RunState& state_;
  std::vector<Program> keys_;
  std::vector<std::vector<Type>> types_;
  std::vector<std::vector<Program>> arguments_;
  bool read_ = false;
  std::string key_;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<Group> groups_;
  std::size_t at_ = 0;
};

}  // namespace

OperatorPtr MakeSummarize(const Plan& plan, OperatorPtr input, RunState& state) {
  return std::make_unique<Summarize>(plan, std::move(input), state);
}

}  // namespace picket::kql

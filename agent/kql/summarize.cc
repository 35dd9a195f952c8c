// summarize and distinct: groups in order of their first row.

#include <unordered_map>

#include "agent/kql/evaluator.h"
#include "agent/kql/kernel.h"

namespace picket::kql {
namespace {

class Summarize final : public Operator {
 public:
  Summarize(const Plan& plan, std::unique_ptr<Operator> input, RunState& state)
      : plan_(plan), input_(std::move(input)), state_(state) {}

  Result<Batch> Next() override {
    if (!read_) {
      PK_RETURN_IF_ERROR(ReadAll());
      read_ = true;
      // Without keys there is one row, of the defaults when there was nothing.
      if (plan_.lists[0].empty() && groups_.empty()) groups_.push_back(NewGroup());
    }
    Batch out;
    std::vector<ColumnBuilder> builders;
    for (const ColumnSchema& column : plan_.schema) {
      builders.emplace_back(column.type, state_.options.batch_rows);
    }
    for (; at_ < groups_.size() && out.rows < state_.options.batch_rows; ++at_, ++out.rows) {
      const Group& group = groups_[at_];
      std::size_t column = 0;
      for (const Value& key : group.keys) builders[column++].Append(key);
      for (const auto& accumulator : group.accumulators) {
        for (const Value& value : accumulator->Finish()) builders[column++].Append(value);
      }
    }
    for (ColumnBuilder& builder : builders) out.columns.push_back(builder.Finish());
    return out;
  }

 private:
  struct Group {
    std::vector<Value> keys;
    std::vector<std::unique_ptr<Accumulator>> accumulators;
    std::size_t charged = 0;
  };

  Group NewGroup() const {
    Group group;
    for (const BoundAggregate& aggregate : plan_.aggregates) {
      std::vector<Type> types;
      for (const Expression& argument : aggregate.arguments) types.push_back(argument.type);
      group.accumulators.push_back(aggregate.function->make(types));
    }
    return group;
  }

  static void AppendKey(std::string& key, const Column& column, std::size_t row) {
    if (column.IsNull(row)) {
      key += "n;";
      return;
    }
    const std::string text = ToText(column, row);
    key += std::to_string(text.size()) + ":" + text;
  }

  Status ReadAll() {
    const char* name = plan_.aggregates.empty() ? "distinct" : "summarize";
    while (true) {
      PK_RETURN_IF_ERROR(state_.CheckStop());
      PK_ASSIGN_OR_RETURN(const Batch batch, input_->Next());
      if (batch.rows == 0) return {};
      Arguments keys;
      for (const Expression& key : plan_.lists[0]) {
        keys.push_back(Evaluate(key, batch, state_.context));
      }
      std::vector<Arguments> arguments;
      for (const BoundAggregate& aggregate : plan_.aggregates) {
        Arguments& list = arguments.emplace_back();
        for (const Expression& argument : aggregate.arguments) {
          list.push_back(Evaluate(argument, batch, state_.context));
        }
      }
      for (std::size_t row = 0; row < batch.rows; ++row) {
        PK_RETURN_IF_ERROR(Add(keys, arguments, row, name));
      }
    }
  }

  Status Add(const Arguments& keys, const std::vector<Arguments>& arguments, std::size_t row,
             const char* name) {
    std::string key;
    for (const ColumnPtr& column : keys) AppendKey(key, *column, row);
    auto [found, is_new] = index_.try_emplace(std::move(key), groups_.size());
    if (is_new) {
      groups_.push_back(NewGroup());
      for (const ColumnPtr& column : keys) groups_.back().keys.push_back(column->Get(row));
      PK_RETURN_IF_ERROR(state_.Charge(128 + found->first.size() * 2 + keys.size() * 64, name));
    }
    Group& group = groups_[found->second];
    std::size_t bytes = 0;
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
  std::unique_ptr<Operator> input_;
  RunState& state_;
  bool read_ = false;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<Group> groups_;
  std::size_t at_ = 0;
};

}  // namespace

std::unique_ptr<Operator> MakeSummarize(const Plan& plan, std::unique_ptr<Operator> input,
                                        RunState& state) {
  return std::make_unique<Summarize>(plan, std::move(input), state);
}

}  // namespace picket::kql

#include "agent/kql/evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace picket::kql {
namespace {

class Rows final : public Operator {
 public:
  Rows(const Plan& plan, RunState& state) : plan_(plan), state_(state) {}
  Result<Batch> Next() override {
    Batch batch;
    const std::size_t end =
        std::min(plan_.lists.size(), at_ + std::max<std::size_t>(1, state_.options.batch_rows));
    if (at_ == end) return batch;
    std::vector<ColumnBuilder> builders;
    for (const ColumnSchema& column : plan_.schema) builders.emplace_back(column.type, end - at_);
    for (; at_ < end; ++at_) {
      for (std::size_t i = 0; i < builders.size(); ++i) {
        builders[i].Append(EvaluateConstant(plan_.lists[at_][i], state_.context));
      }
      ++batch.rows;
    }
    for (ColumnBuilder& builder : builders) batch.columns.push_back(builder.Finish());
    return batch;
  }

 private:
  const Plan& plan_;
  RunState& state_;
  std::size_t at_ = 0;
};

class Range final : public Operator {
 public:
  Range(const Plan& plan, RunState& state)
      : type_(plan.schema[0].type),
        from_(EvaluateConstant(plan.lists[0][0], state.context)),
        to_(EvaluateConstant(plan.lists[0][1], state.context)),
        step_(EvaluateConstant(plan.lists[0][2], state.context)),
        state_(state) {}

  Result<Batch> Next() override {
    PK_RETURN_IF_ERROR(state_.CheckStop());
    ColumnBuilder builder(type_, state_.options.batch_rows);
    Batch batch;
    const bool real = type_ == Type::kReal;
    const double step = AsReal(step_);
    const bool empty = from_.null || to_.null || step_.null || step == 0.0;
    while (!empty && batch.rows < state_.options.batch_rows) {
      if (real) {
        const double value = AsReal(from_) + static_cast<double>(at_) * step;
        if (step > 0 ? value > AsReal(to_) : value < AsReal(to_)) break;
        builder.Real(value);
      } else {
        const double value = static_cast<double>(from_.number) + static_cast<double>(at_) * step;
        if (step > 0 ? value > static_cast<double>(to_.number)
                     : value < static_cast<double>(to_.number)) {
          break;
        }
        builder.Number(from_.number + at_ * step_.number);
      }
      ++at_;
      ++batch.rows;
    }
    batch.columns.push_back(builder.Finish());
    return batch;
  }

 private:
  static double AsReal(const Value& value) {
    return value.type == Type::kReal ? value.real : static_cast<double>(value.number);
  }
  const Type type_;
  const Value from_, to_, step_;
  RunState& state_;
  std::int64_t at_ = 0;
};

// The rows of the batch that the selection names.
Batch Select(const Batch& batch, const std::vector<std::uint32_t>& selection) {
  Batch selected;
  selected.rows = selection.size();
  for (const ColumnPtr& column : batch.columns) {
    selected.columns.push_back(Gather(*column, selection));
  }
  if (!batch.keys.empty()) {
    for (const std::uint32_t row : selection) selected.keys.push_back(batch.keys[row]);
  }
  return selected;
}

class Filter final : public Operator {
 public:
  Filter(const Plan& plan, std::unique_ptr<Operator> input, RunState& state)
      : condition_(plan.lists[0][0]), input_(std::move(input)), state_(state) {}

  Result<Batch> Next() override {
    while (true) {
      PK_RETURN_IF_ERROR(state_.CheckStop());
      PK_ASSIGN_OR_RETURN(Batch batch, input_->Next());
      if (batch.rows == 0) return batch;
      const ColumnPtr holds = Evaluate(condition_, batch, state_.context);
      std::vector<std::uint32_t> selection;
      for (std::size_t row = 0; row < batch.rows; ++row) {
        if (!holds->IsNull(row) && holds->Number(row) != 0) {
          selection.push_back(static_cast<std::uint32_t>(row));
        }
      }
      if (selection.size() == batch.rows) return batch;
      if (!selection.empty()) return Select(batch, selection);
    }
  }

 private:
  const Expression& condition_;
  std::unique_ptr<Operator> input_;
  RunState& state_;
};

class Project final : public Operator {
 public:
  Project(const Plan& plan, std::unique_ptr<Operator> input, RunState& state)
      : expressions_(plan.lists[0]), input_(std::move(input)), state_(state) {}

  Result<Batch> Next() override {
    PK_ASSIGN_OR_RETURN(Batch batch, input_->Next());
    if (batch.rows == 0) return batch;
    Batch projected{.rows = batch.rows, .columns = {}, .keys = std::move(batch.keys)};
    for (const Expression& expression : expressions_) {
      projected.columns.push_back(Evaluate(expression, batch, state_.context));
    }
    return projected;
  }

 private:
  const std::vector<Expression>& expressions_;
  std::unique_ptr<Operator> input_;
  RunState& state_;
};

class Take final : public Operator {
 public:
  Take(std::int64_t limit, std::unique_ptr<Operator> input)
      : left_(static_cast<std::size_t>(std::max<std::int64_t>(0, limit))),
        input_(std::move(input)) {}

  Result<Batch> Next() override {
    if (left_ == 0) return Batch{};
    PK_ASSIGN_OR_RETURN(Batch batch, input_->Next());
    if (batch.rows > left_) {
      std::vector<std::uint32_t> first(left_);
      for (std::size_t i = 0; i < left_; ++i) first[i] = static_cast<std::uint32_t>(i);
      batch = Select(batch, first);
    }
    left_ -= batch.rows;
    return batch;
  }

 private:
  std::size_t left_;
  std::unique_ptr<Operator> input_;
};

class Count final : public Operator {
 public:
  explicit Count(std::unique_ptr<Operator> input) : input_(std::move(input)) {}
  Result<Batch> Next() override {
    if (done_) return Batch{};
    done_ = true;
    std::int64_t count = 0;
    while (true) {
      PK_ASSIGN_OR_RETURN(const Batch batch, input_->Next());
      if (batch.rows == 0) break;
      count += static_cast<std::int64_t>(batch.rows);
    }
    return Batch{.rows = 1, .columns = {ConstantColumn(Value::Long(count), 1)}, .keys = {}};
  }

 private:
  std::unique_ptr<Operator> input_;
  bool done_ = false;
};

class Union final : public Operator {
 public:
  Union(const Plan& plan, std::vector<std::unique_ptr<Operator>> inputs)
      : plan_(plan), inputs_(std::move(inputs)) {}
  Result<Batch> Next() override {
    while (at_ < inputs_.size()) {
      PK_ASSIGN_OR_RETURN(Batch batch, inputs_[at_]->Next());
      if (batch.rows == 0) {
        ++at_;
        continue;
      }
      Batch united{.rows = batch.rows, .columns = {}, .keys = {}};
      for (std::size_t i = 0; i < plan_.schema.size(); ++i) {
        const std::optional<std::size_t> place = plan_.union_columns[at_][i];
        united.columns.push_back(
            place ? batch.columns[*place]
                  : ConstantColumn(Value::Null(plan_.schema[i].type), batch.rows));
      }
      return united;
    }
    return Batch{};
  }

 private:
  const Plan& plan_;
  std::vector<std::unique_ptr<Operator>> inputs_;
  std::size_t at_ = 0;
};

}  // namespace

Status RunState::Charge(std::size_t bytes, const char* operator_name) {
  memory += bytes;
  if (memory <= options.memory_bytes) return {};
  return Fail({.kind = ErrorKind::kLimit,
               .message = fmt::format("{} needs more than the query's {} MB", operator_name,
                                      options.memory_bytes >> 20),
               .hint = "Ask for less: a shorter time, fewer columns, a filter before it."});
}

Status RunState::CheckStop() const {
  if (!options.stop.stop_requested()) return {};
  return Fail({.kind = ErrorKind::kCancelled, .message = "stopped"});
}

ColumnPtr Evaluate(const Expression& expression, const Batch& batch, const EvalContext& context) {
  switch (expression.kind) {
    case Expression::Kind::kLiteral:
      return ConstantColumn(expression.value, batch.rows);
    case Expression::Kind::kColumn:
      return batch.columns[expression.column];
    case Expression::Kind::kCall:
      break;
  }
  Arguments arguments;
  arguments.reserve(expression.arguments.size());
  for (const Expression& argument : expression.arguments) {
    arguments.push_back(Evaluate(argument, batch, context));
  }
  return expression.function->run(context, arguments, batch.rows);
}

bool IsConstant(const Expression& expression) {
  if (expression.kind == Expression::Kind::kColumn) return false;
  return std::all_of(expression.arguments.begin(), expression.arguments.end(), &IsConstant);
}

Value EvaluateConstant(const Expression& expression, const EvalContext& context) {
  const Batch one{.rows = 1, .columns = {}, .keys = {}};
  return Evaluate(expression, one, context)->Get(0);
}

Result<std::unique_ptr<Operator>> MakeOperator(const Plan& plan, RunState& state) {
  if (plan.kind == Plan::Kind::kRows) {
    return std::unique_ptr<Operator>(std::make_unique<Rows>(plan, state));
  }
  if (plan.kind == Plan::Kind::kRange) {
    return std::unique_ptr<Operator>(std::make_unique<Range>(plan, state));
  }
  if (plan.kind == Plan::Kind::kScan) return MakeScan(plan, {}, state);
  if (plan.kind == Plan::Kind::kFilter) {
    // Filters right above a scan tell it what it may skip.
    std::vector<const Plan*> filters;
    const Plan* below = &plan;
    while (below->kind == Plan::Kind::kFilter) {
      filters.push_back(below);
      below = below->inputs[0].get();
    }
    std::unique_ptr<Operator> made;
    if (below->kind == Plan::Kind::kScan) {
      std::vector<const Expression*> conditions;
      for (const Plan* filter : filters) conditions.push_back(filter->lists[0].data());
      PK_ASSIGN_OR_RETURN(made, MakeScan(*below, conditions, state));
    } else {
      PK_ASSIGN_OR_RETURN(made, MakeOperator(*below, state));
    }
    for (auto filter = filters.rbegin(); filter != filters.rend(); ++filter) {
      made = std::make_unique<Filter>(**filter, std::move(made), state);
    }
    return made;
  }
  std::vector<std::unique_ptr<Operator>> inputs;
  for (const PlanPtr& input : plan.inputs) {
    PK_ASSIGN_OR_RETURN(std::unique_ptr<Operator> made, MakeOperator(*input, state));
    inputs.push_back(std::move(made));
  }
  switch (plan.kind) {
    case Plan::Kind::kProject:
      return std::unique_ptr<Operator>(
          std::make_unique<Project>(plan, std::move(inputs[0]), state));
    case Plan::Kind::kTake: {
      const Value limit = EvaluateConstant(*plan.limit, state.context);
      return std::unique_ptr<Operator>(
          std::make_unique<Take>(limit.null ? 0 : limit.number, std::move(inputs[0])));
    }
    case Plan::Kind::kCount:
      return std::unique_ptr<Operator>(std::make_unique<Count>(std::move(inputs[0])));
    case Plan::Kind::kSort:
      return MakeSort(plan, std::move(inputs[0]), state);
    case Plan::Kind::kSummarize:
      return MakeSummarize(plan, std::move(inputs[0]), state);
    case Plan::Kind::kUnion:
      return std::unique_ptr<Operator>(std::make_unique<Union>(plan, std::move(inputs)));
    case Plan::Kind::kScan:
    case Plan::Kind::kRows:
    case Plan::Kind::kRange:
    case Plan::Kind::kFilter:
      break;
  }
  return Fail({.kind = ErrorKind::kInternal, .message = "a plan of an unknown kind"});
}

}  // namespace picket::kql

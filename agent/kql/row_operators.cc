// Operators that look at one row at a time, and those that make rows of nothing.

#include <algorithm>

#include "agent/kql/evaluator.h"

namespace picket::kql {
namespace {

class Rows final : public Operator {
 public:
  Rows(const Plan& plan, RunState& state) : plan_(plan), state_(state) {}
  Result<Batch> Next() override {
    PK_RETURN_IF_ERROR(state_.CheckStop());
    const std::size_t end = std::min(plan_.lists.size(), at_ + state_.options.batch_rows);
    BatchBuilder out(plan_.schema, end - at_);
    for (; at_ < end; ++at_) {
      for (std::size_t i = 0; i < plan_.schema.size(); ++i) {
        const Expression& cell = plan_.lists[at_][i];
        out[i].Append(cell.kind == Expression::Kind::kLiteral
                          ? cell.value
                          : EvaluateConstant(cell, state_.context));
      }
      out.EndRow();
    }
    return out.Finish();
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
    const double step = AsReal(step_);
    const bool empty = from_.null || to_.null || step_.null || step == 0.0;
    while (!empty && batch.rows < state_.options.batch_rows) {
      // Told by reals, so that the last step before the type's end does not wrap.
      const double value = AsReal(from_) + static_cast<double>(at_) * step;
      if (step > 0 ? value > AsReal(to_) : value < AsReal(to_)) break;
      if (type_ == Type::kReal) {
        builder.Real(value);
      } else {
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

// The rows of the operator around it, once.
class Input final : public Operator {
 public:
  explicit Input(RunState& state) : batch_(*state.input) {}
  Result<Batch> Next() override { return std::exchange(batch_, Batch{}); }

 private:
  Batch batch_;
};

// The parts of a condition go one after the other: what the first ones sort out, the others do not
// look at.
class Filter final : public Operator {
 public:
  Filter(const Plan& plan, OperatorPtr input, RunState& state)
      : input_(std::move(input)), state_(state) {
    AddParts(plan.lists[0][0]);
  }

  Result<Batch> Next() override {
    while (true) {
      PK_RETURN_IF_ERROR(state_.CheckStop());
      PK_ASSIGN_OR_RETURN(Batch batch, input_->Next());
      if (batch.rows == 0) return batch;
      for (Program& part : parts_) {
        PK_ASSIGN_OR_RETURN(const ColumnPtr holds, part.Run(batch));
        selection_.clear();
        for (std::uint32_t row = 0; row < batch.rows; ++row) {
          if (holds->Holds(row)) selection_.push_back(row);
        }
        if (selection_.size() < batch.rows) batch = Select(batch, selection_);
        if (batch.rows == 0) break;
      }
      if (batch.rows > 0) return batch;
    }
  }

 private:
  void AddParts(const Expression& condition) {
    if (condition.kind == Expression::Kind::kCall && condition.function->name == "and") {
      for (const Expression& part : condition.arguments) AddParts(part);
    } else {
      parts_.emplace_back(condition, state_.context);
    }
  }

  OperatorPtr input_;
  RunState& state_;
  std::vector<Program> parts_;
  Selection selection_;
};

class Project final : public Operator {
 public:
  Project(const Plan& plan, OperatorPtr input, RunState& state)
      : programs_(MakePrograms(plan.lists[0], state.context)), input_(std::move(input)) {}

  Result<Batch> Next() override {
    PK_ASSIGN_OR_RETURN(Batch batch, input_->Next());
    if (batch.rows == 0) return batch;
    PK_ASSIGN_OR_RETURN(Arguments columns, RunAll(programs_, batch));
    batch.columns = std::move(columns);
    return batch;
  }

 private:
  std::vector<Program> programs_;
  OperatorPtr input_;
};

class Take final : public Operator {
 public:
  Take(std::int64_t limit, OperatorPtr input)
      : left_(static_cast<std::size_t>(std::max<std::int64_t>(0, limit))),
        input_(std::move(input)) {}

  Result<Batch> Next() override {
    if (left_ == 0) return Batch{};
    PK_ASSIGN_OR_RETURN(Batch batch, input_->Next());
    if (batch.rows > left_) {
      Selection first(left_);
      for (std::size_t i = 0; i < left_; ++i) first[i] = static_cast<std::uint32_t>(i);
      batch = Select(batch, first);
    }
    left_ -= batch.rows;
    return batch;
  }

 private:
  std::size_t left_;
  OperatorPtr input_;
};

class Count final : public Operator {
 public:
  Count(OperatorPtr input, RunState& state) : input_(std::move(input)), state_(state) {}
  Result<Batch> Next() override {
    Batch out;
    if (done_) return out;
    done_ = true;
    std::int64_t count = 0;
    Origins origins;
    while (true) {
      PK_ASSIGN_OR_RETURN(const Batch batch, input_->Next());
      if (batch.rows == 0) break;
      count += static_cast<std::int64_t>(batch.rows);
      for (std::size_t i = 0; state_.options.lineage && i < batch.rows; ++i) {
        AddOrigins(batch, i, origins);
      }
    }
    out.rows = 1;
    if (state_.options.lineage) out.origins.push_back(std::move(origins));
    out.columns.push_back(ConstantColumn(Value::Long(count), 1));
    return out;
  }

 private:
  OperatorPtr input_;
  RunState& state_;
  bool done_ = false;
};

class Union final : public Operator {
 public:
  Union(const Plan& plan, std::vector<OperatorPtr> inputs)
      : plan_(plan), inputs_(std::move(inputs)) {}
  Result<Batch> Next() override {
    while (at_ < inputs_.size()) {
      PK_ASSIGN_OR_RETURN(Batch batch, inputs_[at_]->Next());
      if (batch.rows == 0) {
        inputs_[at_++].reset();
        continue;
      }
      std::vector<ColumnPtr> columns;
      for (std::size_t i = 0; i < plan_.schema.size(); ++i) {
        const std::optional<std::size_t> place = plan_.picked[at_][i];
        columns.push_back(place ? batch.columns[*place]
                                : ConstantColumn(Value::Null(plan_.schema[i].type), batch.rows));
      }
      batch.columns = std::move(columns);
      return batch;
    }
    return Batch{};
  }

 private:
  const Plan& plan_;
  std::vector<OperatorPtr> inputs_;
  std::size_t at_ = 0;
};

}  // namespace

Result<OperatorPtr> MakeRowOperator(const Plan& plan, std::vector<OperatorPtr> inputs,
                                    RunState& state) {
  switch (plan.kind) {
    case Plan::Kind::kRows:
      return std::make_unique<Rows>(plan, state);
    case Plan::Kind::kRange:
      return std::make_unique<Range>(plan, state);
    case Plan::Kind::kInput:
      return std::make_unique<Input>(state);
    case Plan::Kind::kFilter:
      return std::make_unique<Filter>(plan, std::move(inputs[0]), state);
    case Plan::Kind::kProject:
      return std::make_unique<Project>(plan, std::move(inputs[0]), state);
    case Plan::Kind::kTake: {
      const Value limit = EvaluateConstant(*plan.limit, state.context);
      return std::make_unique<Take>(limit.null ? 0 : limit.number, std::move(inputs[0]));
    }
    case Plan::Kind::kCount:
      return std::make_unique<Count>(std::move(inputs[0]), state);
    case Plan::Kind::kUnion:
      return std::make_unique<Union>(plan, std::move(inputs));
    default:
      return Fail({.kind = ErrorKind::kInternal, .message = "a plan of an unknown kind"});
  }
}

}  // namespace picket::kql

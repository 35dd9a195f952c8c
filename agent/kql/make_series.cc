// make-series: for each group an array of each aggregate over a grid of one axis.

#include <fmt/format.h>

#include <cmath>
#include <unordered_map>

#include "agent/kql/evaluator.h"
#include "agent/kql/kernel.h"

namespace picket::kql {
namespace {

constexpr double kMostBins = 1'048'576;

class Series final : public Operator {
 public:
  Series(const Plan& plan, OperatorPtr input, RunState& state)
      : plan_(plan),
        input_(std::move(input)),
        state_(state),
        keys_(MakePrograms(plan.lists[0], state.context)),
        axis_(plan.lists[1][0], state.context),
        type_(plan.lists[1][0].type) {
    for (const BoundAggregate& aggregate : plan.aggregates) {
      std::vector<Type>& types = types_.emplace_back();
      for (const Expression& argument : aggregate.arguments) types.push_back(argument.type);
      arguments_.push_back(MakePrograms(aggregate.arguments, state.context));
    }
  }

  Result<Batch> Next() override {
    if (done_) return Batch{};
    done_ = true;
    PK_RETURN_IF_ERROR(ReadAll());
    PK_RETURN_IF_ERROR(SetGrid());
    PK_RETURN_IF_ERROR(Distribute());
    return Arrays();
  }

 private:
  struct Held {
    Batch batch;
    Arguments keys;
    ColumnPtr axis;
    std::vector<Arguments> arguments;
  };
  using Cells = std::vector<std::unique_ptr<Accumulator>>;  // one an aggregate; empty: no row
  struct Group {
    std::vector<Value> keys;
    std::unordered_map<std::size_t, Cells> bins;
    Origins origins;
  };

  Status ReadAll() {
    return ForEachBatch(*input_, state_, [this](Batch batch) -> Status {
      PK_RETURN_IF_ERROR(state_.Charge(BytesOf(batch), "make-series"));
      Held held;
      PK_ASSIGN_OR_RETURN(held.keys, RunAll(keys_, batch));
      PK_ASSIGN_OR_RETURN(held.axis, axis_.Run(batch));
      for (std::vector<Program>& programs : arguments_) {
        PK_ASSIGN_OR_RETURN(Arguments columns, RunAll(programs, batch));
        held.arguments.push_back(std::move(columns));
      }
      held.batch = std::move(batch);
      held_.push_back(std::move(held));
      return {};
    });
  }

  // The axis is counted in reals for numbers with a fraction, in whole numbers else.
  [[nodiscard]] bool IsReal() const { return type_ == Type::kReal || step_.type == Type::kReal; }

  Status SetGrid() {
    const auto value = [&](std::size_t i) {
      const Expression& expression = plan_.lists[1][i];
      return EvaluateConstant(expression, state_.context);
    };
    step_ = value(3);
    Value from = value(1);
    Value to = value(2);
    const double step = AsReal(step_);
    if (step_.null || !(step > 0)) {
      return Fail(
          {.kind = ErrorKind::kRefused, .message = "make-series: the step must be positive"});
    }
    const bool open_end = to.null;
    if (from.null || to.null) Bounds(from, to);
    if (from.null || to.null) return {};
    from_ = from;
    double bins = std::ceil((AsReal(to) - AsReal(from)) / step);
    if (open_end) bins = std::floor((AsReal(to) - AsReal(from)) / step) + 1;
    if (bins > kMostBins) {
      return Fail({.kind = ErrorKind::kLimit,
                   .message = fmt::format("make-series: more than {} steps", kMostBins)});
    }
    bins_ = bins > 0 ? static_cast<std::size_t>(bins) : 0;
    return {};
  }

  // What is not given is the first and the last value that there is.
  void Bounds(Value& from, Value& to) const {
    std::optional<double> least;
    std::optional<double> most;
    for (const Held& held : held_) {
      for (std::size_t row = 0; row < held.batch.rows; ++row) {
        if (held.axis->IsNull(row)) continue;
        const double at = held.axis->AsReal(row);
        if (!least || at < *least) least = at;
        if (!most || at > *most) most = at;
      }
    }
    if (!least) return;
    const auto as = [this](double at) {
      Value value{.type = type_};
      value.number = static_cast<std::int64_t>(at);
      value.real = at;
      return value;
    };
    const double step = AsReal(step_);
    if (from.null) from = as(std::floor(*least / step) * step);
    if (to.null) to = as(*most);
  }

  static double AsReal(const Value& value) {
    return value.type == Type::kReal ? value.real : static_cast<double>(value.number);
  }

  [[nodiscard]] std::optional<std::size_t> BinOf(const Column& axis, std::size_t row) const {
    if (axis.IsNull(row) || bins_ == 0) return std::nullopt;
    double bin = 0;
    if (IsReal()) {
      bin = std::floor((axis.AsReal(row) - AsReal(from_)) / AsReal(step_));
    } else {
      const std::int64_t distance = axis.Number(row) - from_.number;
      if (distance < 0) return std::nullopt;
      const std::int64_t whole = distance / step_.number;
      bin = static_cast<double>(whole);
    }
    if (bin < 0 || bin >= static_cast<double>(bins_)) return std::nullopt;
    return static_cast<std::size_t>(bin);
  }

  Status Distribute() {
    // Rows beyond the grid make no series.
    if (keys_.empty() && plan_.nonempty) groups_.emplace_back();
    for (const Held& held : held_) {
      PK_RETURN_IF_ERROR(state_.CheckStop());
      for (std::size_t row = 0; row < held.batch.rows; ++row) {
        const std::optional<std::size_t> bin = BinOf(*held.axis, row);
        if (bin) PK_RETURN_IF_ERROR(Add(held, row, *bin));
      }
    }
    return {};
  }

  Status Add(const Held& held, std::size_t row, std::size_t bin) {
    std::string key;
    for (const ColumnPtr& column : held.keys) AppendRowKey(key, *column, row);
    auto [found, is_new] = index_.try_emplace(key, groups_.size());
    if (is_new && keys_.empty()) found->second = 0;
    if (is_new && (!keys_.empty() || groups_.empty())) {
      Group& group = groups_.emplace_back();
      for (const ColumnPtr& column : held.keys) group.keys.push_back(column->Get(row));
      // Each group's arrays, when they are written.
      const std::size_t arrays = (plan_.aggregates.size() + 1) * bins_ * 24;
      PK_RETURN_IF_ERROR(state_.Charge(256 + 2 * key.size() + arrays, "make-series"));
    }
    Group& group = groups_[found->second];
    if (state_.options.lineage) AddOrigins(held.batch, row, group.origins);
    Cells& cells = group.bins[bin];
    if (cells.empty()) {
      for (std::size_t i = 0; i < plan_.aggregates.size(); ++i) {
        cells.push_back(plan_.aggregates[i].function->make(types_[i]));
      }
      PK_RETURN_IF_ERROR(state_.Charge(64 + cells.size() * 96, "make-series"));
    }
    for (std::size_t i = 0; i < cells.size(); ++i) cells[i]->Add(held.arguments[i], row);
    return {};
  }

  Batch Arrays() const {
    BatchBuilder out(plan_.schema, groups_.size());
    const std::string axis = AxisArray();
    for (const Group& group : groups_) {
      std::size_t column = 0;
      for (const Value& key : group.keys) out[column++].Append(key);
      for (std::size_t i = 0; i < plan_.aggregates.size(); ++i) {
        out[column++].Text(ArrayOf(group, i));
      }
      out[column].Text(axis);
      if (state_.options.lineage) out.batch().origins.push_back(group.origins);
      out.EndRow();
    }
    return out.Finish();
  }

  [[nodiscard]] std::string ArrayOf(const Group& group, std::size_t i) const {
    const Value fallback = EvaluateConstant(plan_.lists[2][i], state_.context);
    const std::string empty = ToJsonText(*ConstantColumn(fallback, 1), 0);
    std::string json = "[";
    for (std::size_t bin = 0; bin < bins_; ++bin) {
      if (bin > 0) json += ',';
      const auto found = group.bins.find(bin);
      if (found == group.bins.end()) {
        json += empty;
      } else {
        json += ToJsonText(*ConstantColumn(found->second[i]->Finish()[0], 1), 0);
      }
    }
    return json + "]";
  }

  [[nodiscard]] std::string AxisArray() const {
    std::string json = "[";
    for (std::size_t bin = 0; bin < bins_; ++bin) {
      Value value{.type = IsReal() ? Type::kReal : type_};
      value.real = AsReal(from_) + static_cast<double>(bin) * AsReal(step_);
      value.number = from_.number + static_cast<std::int64_t>(bin) * step_.number;
      json += (bin > 0 ? "," : "") + ToJsonText(*ConstantColumn(value, 1), 0);
    }
    return json + "]";
  }

  const Plan& plan_;
  OperatorPtr input_;
  RunState& state_;
  std::vector<Program> keys_;
  Program axis_;
  const Type type_;
  std::vector<std::vector<Type>> types_;
  std::vector<std::vector<Program>> arguments_;
  bool done_ = false;
  std::vector<Held> held_;
  Value from_, step_;
  std::size_t bins_ = 0;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<Group> groups_;
};

}  // namespace

OperatorPtr MakeSeries(const Plan& plan, OperatorPtr input, RunState& state) {
  return std::make_unique<Series>(plan, std::move(input), state);
}

}  // namespace picket::kql

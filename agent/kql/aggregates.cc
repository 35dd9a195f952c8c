// The table of aggregate functions, and the plain ones: counts, sums, extremes, any. Null is
// skipped (not ''), but by count(); dcount is exact.

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <unordered_set>

#include "agent/kql/aggregate.h"
#include "agent/kql/decimal.h"
#include "agent/kql/kernel.h"

namespace picket::kql {
namespace {

class Count final : public Accumulator {
 public:
  void Add(const Arguments&, std::size_t) override { ++count_; }
  [[nodiscard]] std::vector<Value> Finish() const override { return {Value::Long(count_)}; }

 private:
  std::int64_t count_ = 0;
};

class DistinctCount final : public Accumulator {
 public:
  void Add(const Arguments& a, std::size_t row) override {
    if (a[0]->IsNull(row)) return;
    std::string text = ToText(*a[0], row);
    const std::size_t size = text.size();
    if (seen_.insert(std::move(text)).second) bytes_ += size + 48;
  }
  [[nodiscard]] std::vector<Value> Finish() const override {
    return {Value::Long(static_cast<std::int64_t>(seen_.size()))};
  }
  [[nodiscard]] std::size_t Bytes() const override { return bytes_; }

 private:
  std::unordered_set<std::string> seen_;
  std::size_t bytes_ = 64;
};

// nullopt once it is too large.
struct DecimalSum {
  std::optional<Decimal> sum = Decimal{};
  void Add(const std::optional<Decimal>& term) {
    sum = sum && term ? kql::Add(*sum, *term) : std::nullopt;
  }
};

Value ToValue(const std::optional<Decimal>& decimal) {
  if (!decimal) return Value::Null(Type::kDecimal);
  return {.type = Type::kDecimal, .text = ToString(*decimal)};
}

class Sum final : public Accumulator {
 public:
  explicit Sum(Type type) : type_(type) {}
  void Add(const Arguments& a, std::size_t row) override {
    if (a[0]->IsNull(row)) return;
    if (type_ == Type::kDecimal) {
      decimal_.Add(ToDecimal(*a[0], row));
    } else if (a[0]->type == Type::kReal) {
      real_ += a[0]->Real(row);
    } else {
      whole_ += static_cast<std::uint64_t>(a[0]->Number(row));
    }
  }
  [[nodiscard]] std::vector<Value> Finish() const override {
    if (type_ == Type::kDecimal) return {ToValue(decimal_.sum)};
    if (type_ == Type::kReal) return {Value::Real(real_)};
    return {Value{.type = type_, .number = static_cast<std::int64_t>(whole_)}};
  }

 private:
  const Type type_;
  std::uint64_t whole_ = 0;
  double real_ = 0;
  DecimalSum decimal_;
};

class Average final : public Accumulator {
 public:
  explicit Average(Type type) : type_(type) {}
  void Add(const Arguments& a, std::size_t row) override {
    if (a[0]->IsNull(row)) return;
    if (type_ == Type::kDecimal) {
      decimal_.Add(ToDecimal(*a[0], row));
    } else if (a[0]->type == Type::kReal) {
      real_ += a[0]->Real(row);
    } else {
      whole_ += static_cast<std::uint64_t>(a[0]->Number(row));
    }
    ++count_;
  }
  [[nodiscard]] std::vector<Value> Finish() const override {
    if (type_ == Type::kDecimal) {
      const auto count = ParseDecimal(std::to_string(count_));
      return {ToValue(count && decimal_.sum ? Divide(*decimal_.sum, *count) : std::nullopt)};
    }
    // The sum of whole numbers wraps, as sum() does.
    const double sum = real_ + static_cast<double>(static_cast<std::int64_t>(whole_));
    const double average = sum / static_cast<double>(count_);
    if (type_ == Type::kReal) return {Value::Real(average)};
    if (count_ == 0) return {Value::Null(type_)};
    return {Value{.type = type_, .number = static_cast<std::int64_t>(average)}};
  }

 private:
  DecimalSum decimal_;
  const Type type_;
  double real_ = 0;
  std::uint64_t whole_ = 0;
  std::int64_t count_ = 0;
};

bool IsNan(const Column& column, std::size_t row) {
  return column.type == Type::kReal && std::isnan(column.Real(row));
}

// Whether the value is further in the direction than the best so far; NaN is furthest in both.
template <int kSign>
bool IsBetter(const Column& column, std::size_t row, const Value& best) {
  if (IsNan(column, row)) return true;
  const ColumnPtr other = ConstantColumn(best, 1);
  if (IsNan(*other, 0)) return false;
  return CompareValues(column, row, *other, 0).value_or(0) * kSign > 0;
}

template <int kSign>
class Extreme final : public Accumulator {
 public:
  explicit Extreme(Type type) : best_(Value::Null(type)) {}
  void Add(const Arguments& a, std::size_t row) override {
    if (a[0]->IsNull(row)) return;
    if (first_ || IsBetter<kSign>(*a[0], row, best_)) {
      best_ = a[0]->Get(row);
      first_ = false;
    }
  }
  [[nodiscard]] std::vector<Value> Finish() const override { return {best_}; }

 private:
  Value best_;
  bool first_ = true;
};

// The first argument decides, all arguments of the winning row are the outputs.
template <int kSign>
class ArgExtreme final : public Accumulator {
 public:
  explicit ArgExtreme(const std::vector<Type>& types) {
    for (const Type type : types) best_.push_back(Value::Null(type));
  }
  void Add(const Arguments& a, std::size_t row) override {
    bool better = !any_;
    if (any_ && !a[0]->IsNull(row)) {
      better = best_[0].null || IsBetter<kSign>(*a[0], row, best_[0]);
    }
    if (!better) return;
    any_ = true;
    for (std::size_t i = 0; i < a.size(); ++i) best_[i] = a[i]->Get(row);
  }
  [[nodiscard]] std::vector<Value> Finish() const override { return best_; }
  [[nodiscard]] std::size_t Bytes() const override { return best_.size() * 96; }

 private:
  std::vector<Value> best_;
  bool any_ = false;
};

// Of each of the first `outputs` arguments a value, one that is not empty where there is one.
class TakeAny final : public Accumulator {
 public:
  TakeAny(const std::vector<Type>& types, std::size_t outputs) {
    for (std::size_t i = 0; i < outputs; ++i) picks_.push_back({.value = Value::Null(types[i])});
  }
  void Add(const Arguments& a, std::size_t row) override {
    for (std::size_t i = 0; i < picks_.size(); ++i) Add(picks_[i], *a[i], row);
  }
  [[nodiscard]] std::vector<Value> Finish() const override {
    std::vector<Value> values;
    for (const Pick& pick : picks_) values.push_back(pick.value);
    return values;
  }
  [[nodiscard]] std::size_t Bytes() const override { return picks_.size() * 96; }

 private:
  struct Pick {
    Value value;
    bool any = false;
    bool found = false;
  };
  static void Add(Pick& pick, const Column& column, std::size_t row) {
    const bool empty = column.IsNull(row) || (IsText(column.type) && column.Text(row).empty());
    if (pick.found || (empty && pick.any)) return;
    pick.value = column.Get(row);
    pick.any = true;
    pick.found = !empty;
  }
  std::vector<Pick> picks_;
};

enum class Bits : std::uint8_t { kAnd, kOr, kXor };

template <Bits kBits>
class BinaryAll final : public Accumulator {
 public:
  void Add(const Arguments& a, std::size_t row) override {
    if (a[0]->IsNull(row)) return;
    const std::int64_t value = ToLong(*a[0], row).value_or(0);
    if (!any_) {
      bits_ = value;
    } else if (kBits == Bits::kAnd) {
      bits_ &= value;
    } else if (kBits == Bits::kOr) {
      bits_ |= value;
    } else {
      bits_ ^= value;
    }
    any_ = true;
  }
  [[nodiscard]] std::vector<Value> Finish() const override {
    return {any_ ? Value::Long(bits_) : Value::Null(Type::kLong)};
  }

 private:
  std::int64_t bits_ = 0;
  bool any_ = false;
};

// Microsoft's binder takes a bool alone, its engine also numbers and dynamics.
std::optional<Type> BindCount(const std::vector<Type>& types, std::string& why) {
  if (types.empty() || types[0] == Type::kBool || types[0] == Type::kDynamic ||
      IsNumber(types[0])) {
    return Type::kLong;
  }
  why = fmt::format("a {} is not counted; use countif(isnotempty(…))", TypeName(types[0]));
  return std::nullopt;
}

std::optional<Type> BindSum(const std::vector<Type>& types, std::string&) {
  return types[0] == Type::kInt ? Type::kLong : types[0];
}
std::optional<Type> BindAverage(const std::vector<Type>& types, std::string&) {
  return IsNumeric(types[0]) ? Type::kReal : types[0];
}

template <class T>
std::unique_ptr<Accumulator> Make(const std::vector<Type>&) {
  return std::make_unique<T>();
}
template <class T, BindRule kRule>
std::unique_ptr<Accumulator> MakeTyped(const std::vector<Type>& types) {
  std::string why;
  return std::make_unique<T>(kRule(types, why).value_or(Type::kLong));
}
template <class T>
std::unique_ptr<Accumulator> MakeOf(const std::vector<Type>& types) {
  return std::make_unique<T>(types);
}
std::unique_ptr<Accumulator> MakeAny(const std::vector<Type>& types) {
  return std::make_unique<TakeAny>(types, types.size());
}
std::unique_ptr<Accumulator> MakeOneAny(const std::vector<Type>& types) {
  return std::make_unique<TakeAny>(types, 1);
}
// countif(p): the rows for which the argument itself holds.
constexpr MakeAccumulator kCountIf = &MakeIf<&Make<Count>, 0>;

AggregateList PlainAggregates() {
  constexpr MakeAccumulator kSum = &MakeTyped<Sum, &BindSum>;
  constexpr MakeAccumulator kAverage = &MakeTyped<Average, &BindAverage>;
  constexpr MakeAccumulator kMin = &MakeTyped<Extreme<-1>, &BindFirst>;
  constexpr MakeAccumulator kMax = &MakeTyped<Extreme<1>, &BindFirst>;
  const auto row = [](std::string_view signature, std::string_view prefix, MakeAccumulator make,
                      BindRule bind = nullptr) {
    return AggregateFunction{ParseSignature(signature), prefix, make, bind};
  };
  return {
      row("any(value: scalar, ...): same", "any_", &MakeAny, &BindFirst),
      row("anyif(value: scalar, predicate: bool): same", "anyif_", &MakeIf<&MakeOneAny>,
          &BindFirst),
      row("arg_max(maximized: orderable, returned: scalar?, ...): same", "max_",
          &MakeOf<ArgExtreme<1>>, &BindFirst),
      row("arg_min(minimized: orderable, returned: scalar?, ...): same", "min_",
          &MakeOf<ArgExtreme<-1>>, &BindFirst),
      row("avg(value: quantity): real, decimal, datetime or timespan", "avg_", kAverage,
          &BindAverage),
      row("avgif(value: quantity, predicate: bool): real, decimal, datetime or timespan", "avgif_",
          &MakeIf<kAverage>, &BindAverage),
      row("binary_all_and(value: summable): long", "", &Make<BinaryAll<Bits::kAnd>>),
      row("binary_all_or(value: summable): long", "", &Make<BinaryAll<Bits::kOr>>),
      row("binary_all_xor(value: summable): long", "", &Make<BinaryAll<Bits::kXor>>),
      row("count(value: scalar?): long", "count_", &Make<Count>, &BindCount),
      row("count_distinct(value: not dynamic): long", "count_distinct_", &Make<DistinctCount>),
      row("count_distinctif(value: not dynamic, predicate: bool): long", "count_distinctif_",
          &MakeIf<&Make<DistinctCount>>),
      row("countif(predicate: bool): long", "countif_", kCountIf),
      row("dcount(value: scalar, accuracy: not dynamic?): long", "dcount_", &Make<DistinctCount>),
      row("dcountif(value: scalar, predicate: bool, accuracy: not dynamic?): long", "dcountif_",
          &MakeIf<&Make<DistinctCount>>),
      row("max(value: orderable): same", "max_", kMax, &BindFirst),
      row("maxif(value: orderable, predicate: bool): same", "maxif_", &MakeIf<kMax>, &BindFirst),
      row("min(value: orderable): same", "min_", kMin, &BindFirst),
      row("minif(value: orderable, predicate: bool): same", "minif_", &MakeIf<kMin>, &BindFirst),
      row("sum(value: quantity): same, int as long", "sum_", kSum, &BindSum),
      row("sumif(value: quantity, predicate: bool): same, int as long", "sumif_", &MakeIf<kSum>,
          &BindSum),
      row("take_any(value: scalar, ...): same", "", &MakeAny, &BindFirst),
      row("take_anyif(value: scalar, predicate: bool): same", "", &MakeIf<&MakeOneAny>, &BindFirst),
  };
}

const std::map<std::string_view, AggregateFunction>& Table() {
  static const std::map<std::string_view, AggregateFunction> table = [] {
    std::map<std::string_view, AggregateFunction> all;
    for (const AggregateList& part : {PlainAggregates(), CollectionAggregates(), SchemaAggregates(),
                                      StatisticalAggregates(), PercentileAggregates()}) {
      for (const AggregateFunction& function : part) all.emplace(function.name(), function);
    }
    return all;
  }();
  return table;
}

}  // namespace

const AggregateFunction* FindAggregate(std::string_view name) {
  const auto found = Table().find(name);
  return found == Table().end() ? nullptr : &found->second;
}

std::vector<const AggregateFunction*> Aggregates() {
  std::vector<const AggregateFunction*> functions;
  for (const auto& [name, function] : Table()) functions.push_back(&function);
  return functions;
}

}  // namespace picket::kql

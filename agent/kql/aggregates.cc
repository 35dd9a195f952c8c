// The aggregate functions. Null is skipped (not ''), but by count(); dcount is exact.

#include <fmt/format.h>

#include <map>
#include <unordered_set>

#include "agent/kql/json_view.h"
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

class CountIf final : public Accumulator {
 public:
  void Add(const Arguments& a, std::size_t row) override {
    if (!a[0]->IsNull(row) && a[0]->Number(row) != 0) ++count_;
  }
  [[nodiscard]] std::vector<Value> Finish() const override { return {Value::Long(count_)}; }

 private:
  std::int64_t count_ = 0;
};

// kConditional: the second argument decides which rows count.
template <bool kConditional>
class DistinctCount final : public Accumulator {
 public:
  void Add(const Arguments& a, std::size_t row) override {
    if (kConditional && (a[1]->IsNull(row) || a[1]->Number(row) == 0)) return;
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

template <bool kConditional>
class Sum final : public Accumulator {
 public:
  explicit Sum(Type type) : type_(type) {}
  void Add(const Arguments& a, std::size_t row) override {
    if (kConditional && (a[1]->IsNull(row) || a[1]->Number(row) == 0)) return;
    if (a[0]->IsNull(row)) return;
    if (a[0]->type == Type::kReal) {
      real_ += a[0]->Real(row);
    } else {
      whole_ += static_cast<std::uint64_t>(a[0]->Number(row));
    }
  }
  [[nodiscard]] std::vector<Value> Finish() const override {
    if (type_ == Type::kReal) return {Value::Real(real_)};
    return {Value{.type = type_, .number = static_cast<std::int64_t>(whole_)}};
  }

 private:
  const Type type_;
  std::uint64_t whole_ = 0;
  double real_ = 0;
};

class Average final : public Accumulator {
 public:
  explicit Average(Type type) : type_(type) {}
  void Add(const Arguments& a, std::size_t row) override {
    if (a[0]->IsNull(row)) return;
    sum_ += a[0]->AsReal(row);
    ++count_;
  }
  [[nodiscard]] std::vector<Value> Finish() const override {
    const double average = sum_ / static_cast<double>(count_);
    if (type_ == Type::kReal) return {Value::Real(average)};
    if (count_ == 0) return {Value::Null(type_)};
    return {Value{.type = type_, .number = static_cast<std::int64_t>(average)}};
  }

 private:
  const Type type_;
  double sum_ = 0;
  std::int64_t count_ = 0;
};

template <int kSign>
class Extreme final : public Accumulator {
 public:
  explicit Extreme(Type type) : best_(Value::Null(type)) {}
  void Add(const Arguments& a, std::size_t row) override {
    if (a[0]->IsNull(row)) return;
    const ColumnPtr best = ConstantColumn(best_, 1);
    if (first_ || CompareValues(*a[0], row, *best, 0).value_or(0) * kSign > 0) {
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
      better = best_[0].null ||
               CompareValues(*a[0], row, *ConstantColumn(best_[0], 1), 0).value_or(0) * kSign > 0;
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

class TakeAny final : public Accumulator {
 public:
  explicit TakeAny(Type type) : value_(Value::Null(type)) {}
  void Add(const Arguments& a, std::size_t row) override {
    const bool empty = a[0]->IsNull(row) || (IsText(a[0]->type) && a[0]->Text(row).empty());
    if (found_ || (empty && any_)) return;
    value_ = a[0]->Get(row);
    any_ = true;
    found_ = !empty;
  }
  [[nodiscard]] std::vector<Value> Finish() const override { return {value_}; }

 private:
  Value value_;
  bool any_ = false;
  bool found_ = false;
};

// In order of first appearance; make_set unites the elements of arrays.
template <bool kSet>
class Gathered final : public Accumulator {
 public:
  void Add(const Arguments& a, std::size_t row) override {
    if (limit_ == 0) limit_ = Limit(a, row);
    const Column& column = *a[0];
    if (column.IsNull(row)) {
      if (!kSet && column.type == Type::kDynamic) Keep("null");
      return;
    }
    if (kSet && column.type == Type::kDynamic && KindOf(column.Text(row)) == JsonKind::kArray) {
      ForEachElement(column.Text(row), [&](std::string_view element) {
        Keep(std::string(element));
        return true;
      });
      return;
    }
    Keep(ToJsonText(column, row));
  }
  [[nodiscard]] std::vector<Value> Finish() const override {
    std::string json = "[";
    for (const std::string& item : items_) json += (json.size() > 1 ? "," : "") + item;
    return {Value::Dynamic(json + "]")};
  }
  [[nodiscard]] std::size_t Bytes() const override { return bytes_; }

 private:
  static std::size_t Limit(const Arguments& a, std::size_t row) {
    constexpr std::int64_t kMost = 1'048'576;
    const std::int64_t asked = a.size() > 1 ? ToLong(*a[1], row).value_or(kMost) : kMost;
    return static_cast<std::size_t>(std::clamp<std::int64_t>(asked, 1, kMost));
  }
  void Keep(std::string json) {
    if (items_.size() >= limit_) return;
    if (kSet && !seen_.insert(json).second) return;
    bytes_ += json.size() * (kSet ? 2 : 1) + 64;
    items_.push_back(std::move(json));
  }
  std::vector<std::string> items_;
  std::unordered_set<std::string> seen_;
  std::size_t limit_ = 0;
  std::size_t bytes_ = 64;
};

std::optional<Type> BindCondition(const std::vector<Type>& types, std::string& why) {
  if (types.back() == Type::kBool) return Type::kLong;
  why = fmt::format("a bool is needed, not {}", TypeName(types.back()));
  return std::nullopt;
}

std::optional<Type> BindSum(const std::vector<Type>& types, std::string& why) {
  if (IsNumeric(types[0])) return types[0] == Type::kReal ? Type::kReal : Type::kLong;
  if (types[0] == Type::kTimespan) return Type::kTimespan;
  why = fmt::format("a {} cannot be summed", TypeName(types[0]));
  return std::nullopt;
}

std::optional<Type> BindAverage(const std::vector<Type>& types, std::string& why) {
  if (IsNumeric(types[0])) return Type::kReal;
  if (types[0] == Type::kTimespan || types[0] == Type::kDateTime) return types[0];
  why = fmt::format("a {} has no average", TypeName(types[0]));
  return std::nullopt;
}

std::optional<Type> BindFirst(const std::vector<Type>& types, std::string& why) {
  if (types[0] != Type::kDynamic) return types[0];
  why = "a dynamic has no order; convert it first, as by tostring()";
  return std::nullopt;
}
std::optional<Type> BindAny(const std::vector<Type>& types, std::string&) { return types[0]; }

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

}  // namespace

const AggregateFunction* FindAggregate(std::string_view name) {
  static const std::map<std::string_view, AggregateFunction> table = [] {
    const AggregateFunction all[] = {
        {"count", "count_", 0, 1, &BindLong, &Make<Count>},
        {"countif", "countif_", 1, 1, &BindCondition, &Make<CountIf>},
        {"dcount", "dcount_", 1, 2, &BindLong, &Make<DistinctCount<false>>},
        {"dcountif", "dcountif_", 2, 2, &BindCondition, &Make<DistinctCount<true>>},
        {"sum", "sum_", 1, 1, &BindSum, &MakeTyped<Sum<false>, &BindSum>},
        {"sumif", "sumif_", 2, 2, &BindSum, &MakeTyped<Sum<true>, &BindSum>},
        {"avg", "avg_", 1, 1, &BindAverage, &MakeTyped<Average, &BindAverage>},
        {"min", "min_", 1, 1, &BindFirst, &MakeTyped<Extreme<-1>, &BindFirst>},
        {"max", "max_", 1, 1, &BindFirst, &MakeTyped<Extreme<1>, &BindFirst>},
        {"arg_min", "min_", 1, 1000, &BindFirst, &MakeOf<ArgExtreme<-1>>},
        {"arg_max", "max_", 1, 1000, &BindFirst, &MakeOf<ArgExtreme<1>>},
        {"take_any", "", 1, 1, &BindAny, &MakeTyped<TakeAny, &BindAny>},
        {"any", "any_", 1, 1, &BindAny, &MakeTyped<TakeAny, &BindAny>},
        {"make_set", "set_", 1, 2, &BindDynamic, &Make<Gathered<true>>},
        {"make_list", "list_", 1, 2, &BindDynamic, &Make<Gathered<false>>},
    };
    std::map<std::string_view, AggregateFunction> map;
    for (const AggregateFunction& function : all) map.emplace(function.name, function);
    return map;
  }();
  const auto found = table.find(name);
  return found == table.end() ? nullptr : &found->second;
}

}  // namespace picket::kql

// Aggregates that gather values into an array or a bag, in order of first appearance.

#include <unordered_set>

#include "agent/kql/aggregate.h"
#include "agent/kql/dynamic_kernel.h"

namespace picket::kql {
namespace {

constexpr std::int64_t kMostGathered = 1'048'576;
constexpr std::int64_t kMostGatheredOnce = 128;  // by makeset and makelist, the older names

// What is asked for in the argument `place`, where there is one.
std::size_t LimitOf(const Arguments& a, std::size_t row, std::size_t place, std::int64_t standard) {
  const std::int64_t asked =
      a.size() > place ? ToLong(*a[place], row).value_or(standard) : standard;
  return static_cast<std::size_t>(std::clamp<std::int64_t>(asked, 1, kMostGathered));
}

enum class Nulls : std::uint8_t { kOfDynamic, kNone, kAll };  // which nulls are kept

// An array's elements are gathered each by itself.
template <bool kSet, Nulls kNulls>
class Gathered final : public Accumulator {
 public:
  Gathered(std::size_t limit_place, std::int64_t standard_limit)
      : limit_place_(limit_place), standard_limit_(standard_limit) {}
  void Add(const Arguments& a, std::size_t row) override {
    if (limit_ == 0) limit_ = LimitOf(a, row, limit_place_, standard_limit_);
    const Column& column = *a[0];
    if (column.IsNull(row)) {
      const bool kept =
          kNulls == Nulls::kAll || (kNulls == Nulls::kOfDynamic && column.type == Type::kDynamic);
      if (kept) Keep("null");
      return;
    }
    if (IsArrayAt(column, row)) {
      ForEachElement(column.Text(row), [&](std::string_view element) {
        Keep(std::string(element));
        return true;
      });
      return;
    }
    Keep(ToJsonText(column, row));
  }
  [[nodiscard]] std::vector<Value> Finish() const override {
    JsonArray json;
    for (const std::string& item : items_) json.Add(item);
    return {Value::Dynamic(json.Text())};
  }
  [[nodiscard]] std::size_t Bytes() const override { return bytes_; }

 private:
  void Keep(std::string json) {
    if (items_.size() >= limit_) return;
    if (kSet && !seen_.insert(json).second) return;
    bytes_ += json.size() * (kSet ? 2 : 1) + 64;
    items_.push_back(std::move(json));
  }
  const std::size_t limit_place_;
  const std::int64_t standard_limit_;
  std::vector<std::string> items_;
  std::unordered_set<std::string> seen_;
  std::size_t limit_ = 0;
  std::size_t bytes_ = 64;
};

// The members of all bags; of equal names the first counts.
class Bag final : public Accumulator {
 public:
  explicit Bag(std::size_t limit_place) : limit_place_(limit_place) {}
  void Add(const Arguments& a, std::size_t row) override {
    if (limit_ == 0) limit_ = LimitOf(a, row, limit_place_, kMostGathered);
    if (!IsBagAt(*a[0], row)) return;
    ForEachMember(a[0]->Text(row), [&](std::string_view name, std::string_view value) {
      if (seen_.size() >= limit_) return false;
      if (seen_.emplace(name).second) {
        bag_.Add(name, value);
        bytes_ += 2 * name.size() + value.size() + 64;
      }
      return true;
    });
  }
  [[nodiscard]] std::vector<Value> Finish() const override { return {Value::Dynamic(bag_.Text())}; }
  [[nodiscard]] std::size_t Bytes() const override { return bytes_; }

 private:
  const std::size_t limit_place_;
  JsonBag bag_;
  std::unordered_set<std::string> seen_;
  std::size_t limit_ = 0;
  std::size_t bytes_ = 64;
};

template <bool kSet, std::size_t kLimitPlace,
          Nulls kNulls = kSet ? Nulls::kNone : Nulls::kOfDynamic,
          std::int64_t kLimit = kMostGathered>
std::unique_ptr<Accumulator> Make(const std::vector<Type>&) {
  return std::make_unique<Gathered<kSet, kNulls>>(kLimitPlace, kLimit);
}
template <std::size_t kLimitPlace>
std::unique_ptr<Accumulator> MakeBag(const std::vector<Type>&) {
  return std::make_unique<Bag>(kLimitPlace);
}

}  // namespace

AggregateList CollectionAggregates() {
  const auto row = [](std::string_view signature, std::string_view prefix, MakeAccumulator make) {
    return AggregateFunction{ParseSignature(signature), prefix, make, nullptr};
  };
  return {
      row("make_bag(bag: bag, limit: integer?): dynamic", "bag_", &MakeBag<1>),
      row("make_bag_if(bag: bag, predicate: bool, limit: integer?): dynamic", "bag_",
          &MakeIf<&MakeBag<2>>),
      row("make_list(value: scalar, limit: integer?): dynamic", "list_", &Make<false, 1>),
      row("make_list_if(value: scalar, predicate: bool, limit: integer?): dynamic", "list_",
          &MakeIf<&Make<false, 2>>),
      row("make_list_with_nulls(value: scalar): dynamic", "list_", &Make<false, 1, Nulls::kAll>),
      row("make_set(value: scalar, limit: integer?): dynamic", "set_", &Make<true, 1>),
      row("make_set_if(value: scalar, predicate: bool, limit: integer?): dynamic", "set_",
          &MakeIf<&Make<true, 2>>),
      row("makelist(value: scalar, limit: integer?): dynamic", "list_",
          &Make<false, 1, Nulls::kOfDynamic, kMostGatheredOnce>),
      row("makeset(value: scalar, limit: integer?): dynamic", "set_",
          &Make<true, 1, Nulls::kNone, kMostGatheredOnce>),
  };
}

}  // namespace picket::kql

// Percentiles by the nearest rank: the smallest value that at least p % of the rows do not exceed.
// Exact, where Kusto estimates from many rows.

#include <algorithm>

#include "agent/kql/aggregate.h"
#include "agent/kql/dynamic_kernel.h"

namespace picket::kql {
namespace {

// kWeighted: the second argument is how often the value counts. kArray: one array of all.
template <bool kWeighted, bool kArray>
class Percentiles final : public Accumulator {
 public:
  explicit Percentiles(const std::vector<Type>& types)
      : type_(types[0] == Type::kInt ? Type::kLong : types[0]),
        asked_(types.size() - kFirstAsked) {}

  void Add(const Arguments& a, std::size_t row) override {
    if (percentiles_.empty()) ReadPercentiles(a, row);
    if (a[0]->IsNull(row)) return;
    const std::int64_t weight = kWeighted ? ToLong(*a[1], row).value_or(0) : 1;
    if (weight <= 0) return;
    Entry entry{.weight = weight};
    if (type_ == Type::kReal) {
      entry.real = a[0]->Real(row);
    } else {
      entry.number = a[0]->Number(row);
    }
    entries_.push_back(entry);
    total_ += static_cast<double>(weight);
  }

  [[nodiscard]] std::vector<Value> Finish() const override {
    std::vector<Entry> sorted = entries_;
    std::sort(sorted.begin(), sorted.end(), [this](const Entry& a, const Entry& b) {
      return type_ == Type::kReal ? a.real < b.real : a.number < b.number;
    });
    std::vector<Value> values;
    for (const double percentile : percentiles_) values.push_back(At(sorted, percentile));
    values.resize(kArray ? values.size() : asked_, Value::Null(type_));
    if (!kArray) return values;
    if (values.empty()) return {Value::Null(Type::kDynamic)};
    JsonArray json;
    for (const Value& value : values) json.Add(ToJsonText(*ConstantColumn(value, 1), 0));
    return {Value::Dynamic(json.Text())};
  }
  [[nodiscard]] std::size_t Bytes() const override { return 64 + entries_.size() * sizeof(Entry); }

 private:
  static constexpr std::size_t kFirstAsked = kWeighted ? 2 : 1;
  struct Entry {
    std::int64_t weight = 1;
    std::int64_t number = 0;
    double real = 0;
  };

  void ReadPercentiles(const Arguments& a, std::size_t row) {
    for (std::size_t i = kFirstAsked; i < a.size(); ++i) {
      for (const std::string_view element : ElementsAt(*a[i], row)) {
        percentiles_.push_back(ElementNumber(element).value_or(0));
      }
      if (a[i]->type != Type::kDynamic) percentiles_.push_back(ToReal(*a[i], row).value_or(0));
    }
  }

  [[nodiscard]] Value At(const std::vector<Entry>& sorted, double percentile) const {
    if (sorted.empty()) return Value::Null(type_);
    const double wanted = percentile / 100 * total_;
    double reached = 0;
    const Entry* found = &sorted.back();
    for (const Entry& entry : sorted) {
      reached += static_cast<double>(entry.weight);
      // Of 100 rows the 7th percentile is the 7th, though 0.07 × 100 is a little more than 7.
      if (reached + 1e-9 * total_ >= wanted) {
        found = &entry;
        break;
      }
    }
    return {.type = type_, .number = found->number, .real = found->real};
  }

  const Type type_;
  const std::size_t asked_;
  std::vector<double> percentiles_;
  std::vector<Entry> entries_;
  double total_ = 0;
};

template <bool kWeighted, bool kArray>
std::unique_ptr<Accumulator> Make(const std::vector<Type>& types) {
  return std::make_unique<Percentiles<kWeighted, kArray>>(types);
}

std::optional<Type> BindPercentile(const std::vector<Type>& types, std::string&) {
  return types[0] == Type::kInt ? Type::kLong : types[0];
}

}  // namespace

AggregateList PercentileAggregates() {
  const auto row = [](std::string_view signature, std::string_view prefix, MakeAccumulator make,
                      BindRule bind) {
    return AggregateFunction{ParseSignature(signature), prefix, make, bind};
  };
  return {
      row("percentile(value: summable, percentile: number): same, int as long", "percentile_",
          &Make<false, false>, &BindPercentile),
      row("percentiles(value: summable, percentile: number, ...): same, int as long", "percentile_",
          &Make<false, false>, &BindPercentile),
      row("percentiles_array(value: summable, percentile: scalar, ...): dynamic", "percentiles_",
          &Make<false, true>, nullptr),
      row("percentilesw(value: summable, weight: integer, percentile: number, ...): same, int as "
          "long",
          "percentile_", &Make<true, false>, &BindPercentile),
      row("percentilesw_array(value: summable, weight: integer, percentile: scalar, ...): dynamic",
          "percentiles_", &Make<true, true>, nullptr),
      row("percentilew(value: summable, weight: integer, percentile: number): same, int as long",
          "percentile_", &Make<true, false>, &BindPercentile),
  };
}

}  // namespace picket::kql

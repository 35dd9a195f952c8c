// Variance, deviation and covariance. 0 for fewer than two rows.

#include <cmath>

#include "agent/kql/aggregate.h"

namespace picket::kql {
namespace {

enum class Spread : std::uint8_t { kVariance, kDeviation };

// By Welford's method: the sum of squares about the running mean, which does not lose digits as
// the difference of two large sums does. kSample divides by n - 1.
template <Spread kSpread, bool kSample>
class Variance final : public Accumulator {
 public:
  void Add(const Arguments& a, std::size_t row) override {
    if (a[0]->IsNull(row)) return;
    const double value = a[0]->AsReal(row);
    ++count_;
    const double before = value - mean_;
    mean_ += before / count_;
    squares_ += before * (value - mean_);
  }
  [[nodiscard]] std::vector<Value> Finish() const override {
    const double divisor = kSample ? count_ - 1 : count_;
    // A lone NaN or infinity is no spread of nothing.
    const double variance = count_ < 2 && !std::isnan(squares_) ? 0 : squares_ / divisor;
    return {Value::Real(kSpread == Spread::kDeviation ? std::sqrt(variance) : variance)};
  }

 private:
  double count_ = 0;
  double mean_ = 0;
  double squares_ = 0;
};

template <bool kSample>
class Covariance final : public Accumulator {
 public:
  void Add(const Arguments& a, std::size_t row) override {
    if (a[0]->IsNull(row) || a[1]->IsNull(row)) return;
    const double x = a[0]->AsReal(row);
    const double y = a[1]->AsReal(row);
    ++count_;
    const double before = x - mean_x_;
    mean_x_ += before / count_;
    mean_y_ += (y - mean_y_) / count_;
    products_ += before * (y - mean_y_);
  }
  [[nodiscard]] std::vector<Value> Finish() const override {
    if (count_ < 2) return {Value::Real(0)};
    return {Value::Real(products_ / (kSample ? count_ - 1 : count_))};
  }

 private:
  double count_ = 0;
  double mean_x_ = 0;
  double mean_y_ = 0;
  double products_ = 0;
};

template <class T>
std::unique_ptr<Accumulator> Make(const std::vector<Type>&) {
  return std::make_unique<T>();
}

}  // namespace

AggregateList StatisticalAggregates() {
  constexpr MakeAccumulator kStdev = &Make<Variance<Spread::kDeviation, true>>;
  constexpr MakeAccumulator kStdevp = &Make<Variance<Spread::kDeviation, false>>;
  constexpr MakeAccumulator kVariance = &Make<Variance<Spread::kVariance, true>>;
  constexpr MakeAccumulator kVariancep = &Make<Variance<Spread::kVariance, false>>;
  constexpr MakeAccumulator kCovariance = &Make<Covariance<true>>;
  constexpr MakeAccumulator kCovariancep = &Make<Covariance<false>>;
  const auto row = [](std::string_view signature, std::string_view prefix, MakeAccumulator make,
                      std::size_t named = 1) {
    return AggregateFunction{ParseSignature(signature), prefix, make, nullptr, named};
  };
  return {
      row("covariance(x: summable, y: summable): real", "covariance_", kCovariance, 2),
      row("covarianceif(x: summable, y: summable, predicate: bool): real", "covarianceif_",
          &MakeIf<kCovariance, 2>, 2),
      row("covariancep(x: summable, y: summable): real", "covariancep_", kCovariancep, 2),
      row("covariancepif(x: summable, y: summable, predicate: bool): real", "covariancepif_",
          &MakeIf<kCovariancep, 2>, 2),
      row("stdev(value: summable): real", "stdev_", kStdev),
      row("stdevif(value: summable, predicate: bool): real", "stdevif_", &MakeIf<kStdev>),
      row("stdevp(value: summable): real", "stdevp_", kStdevp),
      row("variance(value: summable): real", "variance_", kVariance),
      row("varianceif(value: summable, predicate: bool): real", "varianceif_", &MakeIf<kVariance>),
      row("variancep(value: summable): real", "variancep_", kVariancep),
      row("variancepif(value: summable, predicate: bool): real", "variancepif_",
          &MakeIf<kVariancep>),
  };
}

}  // namespace picket::kql

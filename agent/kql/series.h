#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/kql/dynamic_kernel.h"

namespace picket::kql {

// Numbers of a dynamic array; nullopt for an element that is none.
using Series = std::vector<std::optional<double>>;
using Numbers = std::vector<double>;

Series SeriesAt(const Column& column, std::size_t row);
// All elements, when each is a number; nullopt else, and for what is no array.
std::optional<Numbers> NumbersAt(const Column& column, std::size_t row);
std::string SeriesText(const Numbers& numbers);

double Mean(const Numbers& numbers);
// The value below which the given part of the numbers lies, between two of them by their distance.
double Quantile(Numbers numbers, double part);

// A straight line through (0, y0), (1, y1), … by least squares.
struct Line {
  double slope = 0;
  double intercept = 0;
  [[nodiscard]] double At(double x) const { return intercept + slope * x; }
};
Line FitLine(const Numbers& y);

// The parts of a series: it is baseline (seasonal + trend) and a residual.
struct Decomposition {
  Numbers baseline, seasonal, trend, residual;
};
enum class Trend : std::uint8_t { kNone, kAverage, kLine };
// `period` 0: no season; -1: found by autocorrelation where it is as strong as `threshold` (0 to
// 1). The last `test_points` are not learnt from.
Decomposition Decompose(const Numbers& y, std::int64_t period, Trend trend, std::size_t test_points,
                        double threshold);
// The length of the strongest season; 0 for none.
std::size_t DetectPeriod(const Numbers& y, double threshold);

}  // namespace picket::kql

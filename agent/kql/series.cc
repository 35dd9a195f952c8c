#include "agent/kql/series.h"

#include <algorithm>
#include <cmath>

namespace picket::kql {
namespace {

// A season must come this often, in a series of at least so many points, to be believed.
constexpr std::size_t kFewestRepeats = 4;
constexpr std::size_t kFewestPoints = 16;
// Autocorrelation is quadratic: the most multiplications that are spent on it.
constexpr std::size_t kMostProducts = 50'000'000;

double Median(Numbers numbers) { return Quantile(std::move(numbers), 0.5); }

// Of each phase the median.
Numbers SeasonOf(const Numbers& y, std::size_t period, std::size_t length) {
  Numbers season(length, 0.0);
  if (period == 0 || period > y.size()) return season;
  for (std::size_t phase = 0; phase < period; ++phase) {
    Numbers values;
    for (std::size_t i = phase; i < y.size(); i += period) values.push_back(y[i]);
    const double median = Median(std::move(values));
    for (std::size_t i = phase; i < length; i += period) season[i] = median;
  }
  return season;
}

}  // namespace

Series SeriesAt(const Column& column, std::size_t row) {
  Series series;
  for (const std::string_view element : ElementsAt(column, row)) {
    series.push_back(ElementNumber(element));
  }
  return series;
}

std::optional<Numbers> NumbersAt(const Column& column, std::size_t row) {
  if (!IsArrayAt(column, row)) return std::nullopt;
  Numbers numbers;
  for (const std::optional<double>& value : SeriesAt(column, row)) {
    if (!value) return std::nullopt;
    numbers.push_back(*value);
  }
  return numbers;
}

std::string SeriesText(const Numbers& numbers) {
  JsonArray json;
  for (const double number : numbers) json.Add(RealElement(number));
  return json.Text();
}

double Mean(const Numbers& numbers) {
  double sum = 0;
  for (const double number : numbers) sum += number;
  return sum / static_cast<double>(numbers.size());
}

double Quantile(Numbers numbers, double part) {
  if (numbers.empty()) return std::nan("");
  std::sort(numbers.begin(), numbers.end());
  const double place = part * static_cast<double>(numbers.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, numbers.size() - 1);
  return numbers[below] + (numbers[above] - numbers[below]) * (place - std::floor(place));
}

Line FitLine(const Numbers& y) {
  const double mean_x = (static_cast<double>(y.size()) - 1) / 2;
  const double mean_y = Mean(y);
  double products = 0;
  double squares = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double x = static_cast<double>(i) - mean_x;
    products += x * (y[i] - mean_y);
    squares += x * x;
  }
  const double slope = squares == 0 ? 0 : products / squares;
  return {.slope = slope, .intercept = mean_y - slope * mean_x};
}

std::size_t DetectPeriod(const Numbers& y, double threshold) {
  const std::size_t size = y.size();
  if (size < kFewestPoints) return 0;
  const Line line = FitLine(y);
  Numbers rest;
  double variance = 0;
  for (std::size_t i = 0; i < size; ++i) {
    rest.push_back(y[i] - line.At(static_cast<double>(i)));
    variance += rest.back() * rest.back();
  }
  if (!(variance > 0)) return 0;
  // One lag more, to know whether the longest is a peak.
  const std::size_t longest = std::min(size / kFewestRepeats, kMostProducts / size);
  Numbers correlation;
  for (std::size_t lag = 0; lag <= longest + 1 && lag < size; ++lag) {
    double sum = 0;
    for (std::size_t i = 0; i + lag < size; ++i) sum += rest[i] * rest[i + lag];
    correlation.push_back(sum / variance);
  }
  std::size_t best = 0;
  for (std::size_t lag = 2; lag <= longest && lag + 1 < correlation.size(); ++lag) {
    const bool peak =
        correlation[lag] > correlation[lag - 1] && correlation[lag] >= correlation[lag + 1];
    // Of fewer pairs the sum is smaller: as strong as it would be for all.
    const double strength =
        correlation[lag] * static_cast<double>(size) / static_cast<double>(size - lag);
    if (!peak || strength < threshold) continue;
    if (best == 0 || correlation[lag] > correlation[best]) best = lag;
  }
  return best;
}

Decomposition Decompose(const Numbers& y, std::int64_t period, Trend trend, std::size_t test_points,
                        double threshold) {
  const std::size_t learnt = y.size() - std::min(test_points, y.size());
  const Numbers training(y.begin(), y.begin() + static_cast<std::ptrdiff_t>(learnt));
  Decomposition made;
  const std::size_t season =
      period < 0 ? DetectPeriod(training, threshold) : static_cast<std::size_t>(period);
  made.seasonal = SeasonOf(training, season, y.size());
  Numbers level;
  for (std::size_t i = 0; i < learnt; ++i) level.push_back(training[i] - made.seasonal[i]);
  Line line;
  if (trend == Trend::kLine && !level.empty()) line = FitLine(level);
  if (trend == Trend::kAverage && !level.empty()) line.intercept = Mean(level);
  for (std::size_t i = 0; i < y.size(); ++i) {
    made.trend.push_back(line.At(static_cast<double>(i)));
    made.baseline.push_back(made.seasonal[i] + made.trend[i]);
    made.residual.push_back(y[i] - made.baseline[i]);
  }
  return made;
}

}  // namespace picket::kql

// Functions that describe series: statistics, lines, seasons, outliers. Lines, decomposition and
// scores are as the real engine has them; which season it finds by itself is approximated.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "agent/kql/series.h"

namespace picket::kql {
namespace {

constexpr double kSeasonThreshold = 0.6;
constexpr double kAnomalyThreshold = 1.5;
// Beyond the 90th percentile, in ranges of the 10th to the 90th: measured from recorded answers.
constexpr double kOuterFence = 0.36067156396620256;

std::int64_t LongOr(const Arguments& a, std::size_t place, std::size_t row, std::int64_t standard) {
  return a.size() > place ? ToLong(*a[place], row).value_or(standard) : standard;
}
double RealOr(const Arguments& a, std::size_t place, std::size_t row, double standard) {
  return a.size() > place ? ToReal(*a[place], row).value_or(standard) : standard;
}
Trend TrendOr(const Arguments& a, std::size_t place, std::size_t row, Trend standard) {
  if (a.size() <= place) return standard;
  const std::string name = ToText(*a[place], row);
  if (name == "linefit") return Trend::kLine;
  if (name == "avg") return Trend::kAverage;
  return name == "none" ? Trend::kNone : standard;
}

// f(numbers, row) → the JSON of the result; null when the argument is no array of numbers.
template <class F>
ColumnPtr MapSeries(const Arguments& a, std::size_t rows, F f) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<Numbers> y = NumbersAt(*a[0], row);
    if (!y || y->empty()) return out.Null();
    out.Text(f(*y, row));
  });
}

double Variance(const Numbers& y) {
  if (y.size() < 2) return 0;
  const double mean = Mean(y);
  double squares = 0;
  for (const double value : y) squares += (value - mean) * (value - mean);
  return squares / static_cast<double>(y.size() - 1);
}

using Member = std::pair<const char*, std::string>;

std::string TupleText(const std::vector<Member>& members) {
  JsonArray json;
  for (const auto& [name, value] : members) json.Add(value);
  return json.Text();
}
std::string BagText(const std::vector<Member>& members) {
  JsonBag bag;
  for (const auto& [name, value] : members) bag.Add(name, value);
  return bag.Text();
}

std::vector<Member> StatsOf(const Numbers& y, bool all) {
  const auto least = std::min_element(y.begin(), y.end());
  const auto most = std::max_element(y.begin(), y.end());
  const double variance = Variance(y);
  std::vector<Member> members = {
      {"min", RealElement(*least)},       {"min_idx", std::to_string(least - y.begin())},
      {"max", RealElement(*most)},        {"max_idx", std::to_string(most - y.begin())},
      {"avg", RealElement(Mean(y))},      {"stdev", RealElement(std::sqrt(variance))},
      {"variance", RealElement(variance)}};
  if (all) {
    members.emplace_back("sum", RealElement(Mean(y) * static_cast<double>(y.size())));
    members.emplace_back("len", std::to_string(y.size()));
  }
  return members;
}

// series_stats(series, ignore_nonfinite): a gap makes all unknown, unless it is to be ignored.
template <bool kBag>
ColumnPtr SeriesStats(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const bool ignore = a.size() > 1 && a[1]->Holds(row);
    Numbers y;
    bool gap = false;
    for (const std::optional<double>& value : SeriesAt(*a[0], row)) {
      if (value && std::isfinite(*value)) {
        y.push_back(*value);
      } else {
        gap = true;
      }
    }
    if (y.empty() || (gap && !ignore)) return out.Null();
    const std::vector<Member> members = StatsOf(y, kBag);
    out.Text(kBag ? BagText(members) : TupleText(members));
  });
}

struct FittedLine {
  Line line;
  double rsquare = 0;
  double variance = 0;
  double residual_variance = 0;
  Numbers values;
};

FittedLine Fit(const Numbers& y) {
  FittedLine fitted{.line = FitLine(y), .variance = Variance(y)};
  Numbers residuals;
  for (std::size_t i = 0; i < y.size(); ++i) {
    fitted.values.push_back(fitted.line.At(static_cast<double>(i)));
    residuals.push_back(y[i] - fitted.values[i]);
  }
  fitted.residual_variance = Variance(residuals);
  fitted.rsquare = fitted.variance == 0 ? 1 : 1 - fitted.residual_variance / fitted.variance;
  return fitted;
}

template <bool kBag>
ColumnPtr SeriesFitLine(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapSeries(a, rows, [](const Numbers& y, std::size_t) {
    const FittedLine fitted = Fit(y);
    const std::vector<Member> members = {{"rsquare", RealElement(fitted.rsquare)},
                                         {"slope", RealElement(fitted.line.slope)},
                                         {"variance", RealElement(fitted.variance)},
                                         {"rvariance", RealElement(fitted.residual_variance)},
                                         {"interception", RealElement(fitted.line.intercept)},
                                         {"line_fit", SeriesText(fitted.values)}};
    return kBag ? BagText(members) : TupleText(members);
  });
}

// What a line leaves of the points [begin, end): the sum of the squared distances, from sums over
// all points before each.
class LineErrors {
 public:
  explicit LineErrors(const Numbers& y) {
    const double mean = Mean(y);  // smaller numbers lose fewer digits
    for (std::size_t i = 0; i < y.size(); ++i) {
      const double x = static_cast<double>(i);
      const double value = y[i] - mean;
      const Sums& last = sums_.back();
      sums_.push_back({last.y + value, last.xy + x * value, last.yy + value * value});
    }
  }
  [[nodiscard]] double Of(std::size_t begin, std::size_t end) const {
    const double n = static_cast<double>(end - begin);
    const double mean_x = (static_cast<double>(begin) + static_cast<double>(end) - 1) / 2;
    const double y = sums_[end].y - sums_[begin].y;
    const double xy = sums_[end].xy - sums_[begin].xy - mean_x * y;
    const double yy = sums_[end].yy - sums_[begin].yy - y * y / n;
    const double xx = n * (n * n - 1) / 12;
    return xx == 0 ? yy : yy - xy * xy / xx;
  }

 private:
  struct Sums {
    double y = 0;
    double xy = 0;
    double yy = 0;
  };
  std::vector<Sums> sums_ = {{}};
};

// Two lines, where they leave the least of the variance.
template <bool kBag>
ColumnPtr SeriesFit2Lines(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapSeries(a, rows, [](const Numbers& y, std::size_t) {
    FittedLine left = Fit(y);
    FittedLine right;
    const LineErrors errors(y);
    double least = std::numeric_limits<double>::infinity();
    std::size_t split = 0;
    for (std::size_t at = 2; at + 2 <= y.size(); ++at) {
      const double error = errors.Of(0, at) + errors.Of(at, y.size());
      if (!(error < least)) continue;
      least = error;
      split = at;
    }
    if (split > 0) {
      const auto middle = y.begin() + static_cast<std::ptrdiff_t>(split);
      left = Fit({y.begin(), middle});
      right = Fit({middle, y.end()});
    }
    Numbers values = left.values;
    values.insert(values.end(), right.values.begin(), right.values.end());
    Numbers residuals;
    for (std::size_t i = 0; i < y.size(); ++i) residuals.push_back(y[i] - values[i]);
    const double variance = Variance(y);
    const double remaining = Variance(residuals);
    const std::vector<Member> members = {
        {"rsquare", RealElement(variance == 0 ? 1 : 1 - remaining / variance)},
        {"split_idx", std::to_string(split)},
        {"variance", RealElement(variance)},
        {"rvariance", RealElement(remaining)},
        {"line_fit", SeriesText(values)},
        {"right_rsquare", RealElement(right.rsquare)},
        {"right_slope", RealElement(right.line.slope)},
        {"right_interception", RealElement(right.line.intercept)},
        {"right_variance", RealElement(right.variance)},
        {"right_rvariance", RealElement(right.residual_variance)},
        {"left_rsquare", RealElement(left.rsquare)},
        {"left_slope", RealElement(left.line.slope)},
        {"left_interception", RealElement(left.line.intercept)},
        {"left_variance", RealElement(left.variance)},
        {"left_rvariance", RealElement(left.residual_variance)}};
    return kBag ? BagText(members) : TupleText(members);
  });
}

std::string DecompositionText(const Decomposition& made) {
  return TupleText({{"baseline", SeriesText(made.baseline)},
                    {"seasonal", SeriesText(made.seasonal)},
                    {"trend", SeriesText(made.trend)},
                    {"residual", SeriesText(made.residual)}});
}

std::size_t Points(std::int64_t asked) {
  return static_cast<std::size_t>(std::max<std::int64_t>(asked, 0));
}

// series_decompose(series, period, trend, test_points, threshold)
ColumnPtr SeriesDecompose(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapSeries(a, rows, [&](const Numbers& y, std::size_t row) {
    return DecompositionText(
        Decompose(y, LongOr(a, 1, row, -1), TrendOr(a, 2, row, Trend::kAverage),
                  Points(LongOr(a, 3, row, 0)), RealOr(a, 4, row, kSeasonThreshold)));
  });
}

// series_decompose_forecast(series, points, period, trend, threshold): the last points are
// foretold.
ColumnPtr SeriesForecast(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapSeries(a, rows, [&](const Numbers& y, std::size_t row) {
    return DecompositionText(Decompose(y, LongOr(a, 2, row, -1), TrendOr(a, 3, row, Trend::kLine),
                                       Points(LongOr(a, 1, row, 0)),
                                       RealOr(a, 4, row, kSeasonThreshold)));
  });
}

// How far each number lies beyond the fences, in units of what is usual; 0 between them.
Numbers OutlierScores(const Numbers& values, std::size_t learnt, bool quartiles) {
  const Numbers training(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(learnt));
  const double low = Quantile(training, quartiles ? 0.25 : 0.1);
  const double high = Quantile(training, quartiles ? 0.75 : 0.9);
  const double unit = (high - low) * (quartiles ? 1 : kOuterFence);
  Numbers scores;
  for (const double value : values) {
    double score = 0;
    if (value > high) score = (value - high) / unit;
    if (value < low) score = (value - low) / unit;
    scores.push_back(score);
  }
  return scores;
}

// series_decompose_anomalies(series, threshold, period, trend, test_points, method,
// season_threshold)
ColumnPtr SeriesAnomalies(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapSeries(a, rows, [&](const Numbers& y, std::size_t row) {
    const double threshold = RealOr(a, 1, row, kAnomalyThreshold);
    const std::size_t test_points = Points(LongOr(a, 4, row, 0));
    const Decomposition made =
        Decompose(y, LongOr(a, 2, row, -1), TrendOr(a, 3, row, Trend::kAverage), test_points,
                  RealOr(a, 6, row, kSeasonThreshold));
    const bool quartiles = a.size() > 5 && ToText(*a[5], row) == "tukey";
    const std::size_t learnt = y.size() - std::min(test_points, y.size() - 1);
    const Numbers scores = OutlierScores(made.residual, learnt, quartiles);
    JsonArray flags;
    for (const double score : scores) {
      flags.Add(score >= threshold ? "1" : score <= -threshold ? "-1" : "0");
    }
    return TupleText({{"ad_flag", flags.Text()},
                      {"ad_score", SeriesText(scores)},
                      {"baseline", SeriesText(made.baseline)}});
  });
}

// series_outliers(series, kind, ignored)
ColumnPtr SeriesOutliers(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapSeries(a, rows, [&](const Numbers& y, std::size_t row) {
    const bool quartiles = a.size() > 1 && ToText(*a[1], row) == "tukey";
    return SeriesText(OutlierScores(y, y.size(), quartiles));
  });
}

// series_seasonal(series, period)
ColumnPtr SeriesSeasonal(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapSeries(a, rows, [&](const Numbers& y, std::size_t row) {
    return SeriesText(Decompose(y, LongOr(a, 1, row, -1), Trend::kNone,
                                Points(LongOr(a, 2, row, 0)), kSeasonThreshold)
                          .seasonal);
  });
}

// The columns of a function, by the name of its first argument: "series_fit_line_y_slope".
template <std::size_t kSize>
Schema Columns(std::string_view function, const std::vector<std::string>& names,
               const std::pair<const char*, Type> (&columns)[kSize]) {
  Schema schema;
  for (const auto& [name, type] : columns) {
    schema.push_back({fmt::format("{}_{}_{}", function, names.at(0), name), type});
  }
  return schema;
}

constexpr Type kReal = Type::kReal;
constexpr Type kLong = Type::kLong;
constexpr Type kDynamic = Type::kDynamic;

Schema StatsColumns(const std::vector<std::string>& names, const std::vector<Type>&) {
  return Columns("series_stats", names,
                 {{"min", kReal},
                  {"min_idx", kLong},
                  {"max", kReal},
                  {"max_idx", kLong},
                  {"avg", kReal},
                  {"stdev", kReal},
                  {"variance", kReal}});
}
Schema FitLineColumns(const std::vector<std::string>& names, const std::vector<Type>&) {
  return Columns("series_fit_line", names,
                 {{"rsquare", kReal},
                  {"slope", kReal},
                  {"variance", kReal},
                  {"rvariance", kReal},
                  {"interception", kReal},
                  {"line_fit", kDynamic}});
}
Schema Fit2LinesColumns(const std::vector<std::string>& names, const std::vector<Type>&) {
  return Columns("series_fit_2lines", names,
                 {{"rsquare", kReal},
                  {"split_idx", kLong},
                  {"variance", kReal},
                  {"rvariance", kReal},
                  {"line_fit", kDynamic},
                  {"right_rsquare", kReal},
                  {"right_slope", kReal},
                  {"right_interception", kReal},
                  {"right_variance", kReal},
                  {"right_rvariance", kReal},
                  {"left_rsquare", kReal},
                  {"left_slope", kReal},
                  {"left_interception", kReal},
                  {"left_variance", kReal},
                  {"left_rvariance", kReal}});
}
Schema DecomposeColumns(const std::vector<std::string>& names, const std::vector<Type>&) {
  return Columns("series_decompose", names,
                 {{"baseline", kDynamic},
                  {"seasonal", kDynamic},
                  {"trend", kDynamic},
                  {"residual", kDynamic}});
}
Schema ForecastColumns(const std::vector<std::string>& names, const std::vector<Type>&) {
  return Columns("series_decompose_forecast", names,
                 {{"baseline", kDynamic},
                  {"seasonal", kDynamic},
                  {"trend", kDynamic},
                  {"residual", kDynamic}});
}
Schema AnomalyColumns(const std::vector<std::string>& names, const std::vector<Type>&) {
  return Columns("series_decompose_anomalies", names,
                 {{"ad_flag", kDynamic}, {"ad_score", kDynamic}, {"baseline", kDynamic}});
}

}  // namespace

FunctionList SeriesAnalysisFunctions() {
  FunctionList list = Declare({
      {"series_stats(series: array, ignore_nonfinite: bool?): columns", &SeriesStats<false>,
       &BindDynamic},
      {"series_fit_line(series: array): columns", &SeriesFitLine<false>, &BindDynamic},
      {"series_fit_2lines(series: array): columns", &SeriesFit2Lines<false>, &BindDynamic},
      {"series_decompose(series: array, period: integer?, trend: string?, test_points: integer?, "
       "season_threshold: number?): columns",
       &SeriesDecompose, &BindDynamic},
      {"series_decompose_forecast(series: array, points: integer, period: integer?, "
       "trend: string?, season_threshold: number?): columns",
       &SeriesForecast, &BindDynamic},
      {"series_decompose_anomalies(series: array, threshold: number?, period: integer?, "
       "trend: string?, test_points: integer?, method: string?, season_threshold: number?): "
       "columns",
       &SeriesAnomalies, &BindDynamic},
      {"series_fit_2lines_dynamic(series: array): dynamic", &SeriesFit2Lines<true>},
      {"series_fit_line_dynamic(series: array): dynamic", &SeriesFitLine<true>},
      {"series_outliers(series: array, kind: string?, ignored: number?): dynamic", &SeriesOutliers,
       nullptr, kNameOfFirst},
      {"series_seasonal(series: array, period: integer?, test_points: integer?): dynamic",
       &SeriesSeasonal},
      {"series_stats_dynamic(series: array, ignore_nonfinite: bool?): dynamic", &SeriesStats<true>},
  });
  list[0].tuple = &StatsColumns;
  list[1].tuple = &FitLineColumns;
  list[2].tuple = &Fit2LinesColumns;
  list[3].tuple = &DecomposeColumns;
  list[4].tuple = &ForecastColumns;
  list[5].tuple = &AnomalyColumns;
  return list;
}

}  // namespace picket::kql

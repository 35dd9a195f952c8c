// Arithmetic and filling of series, which are dynamic arrays of numbers.

#include <algorithm>
#include <cmath>

#include "agent/kql/series.h"

namespace picket::kql {
namespace {

bool IsWhole(std::string_view json) {
  return KindOf(json) == JsonKind::kNumber && json.find_first_of(".eE") == std::string_view::npos;
}

// As a whole number where both operands were such.
std::string NumberElement(double value, bool whole) {
  if (whole && std::fabs(value) < 9e15 && value == std::floor(value)) {
    return std::to_string(static_cast<std::int64_t>(value));
  }
  return RealElement(value);
}

using Real1 = double (*)(double);
using Real2 = double (*)(double, double);
using Test2 = bool (*)(double, double);

// The operand's element at a place: an array's, or the number for all places.
struct Operand {
  std::vector<std::string_view> elements;
  std::string number;
  bool array = false;

  Operand(const Column& column, std::size_t row)
      : elements(ElementsAt(column, row)), array(IsArrayAt(column, row)) {
    if (!array) number = ToJsonText(column, row);
  }
  [[nodiscard]] std::string_view At(std::size_t place) const {
    if (!array) return number;
    return place < elements.size() ? elements[place] : std::string_view("null");
  }
};

// f(x, y, whole) → an element, for each place of the longer array; null where one is no number.
template <class F>
ColumnPtr MapPairs(const Arguments& a, std::size_t rows, F f) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const Operand left(*a[0], row);
    const Operand right(*a[1], row);
    if ((!left.array && !right.array) || left.number == "null" || right.number == "null") {
      return out.Null();
    }
    const std::size_t size = std::max(left.elements.size(), right.elements.size());
    JsonArray json;
    for (std::size_t i = 0; i < size; ++i) {
      const std::optional<double> x = ElementNumber(left.At(i));
      const std::optional<double> y = ElementNumber(right.At(i));
      json.Add(x && y ? f(*x, *y, IsWhole(left.At(i)) && IsWhole(right.At(i))) : "null");
    }
    out.Text(json.Text());
  });
}

template <Real2 kFunction, bool kKeepsWhole = true>
ColumnPtr Calculate(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapPairs(a, rows, [](double x, double y, bool whole) {
    return NumberElement(kFunction(x, y), whole && kKeepsWhole);
  });
}
template <Test2 kTest>
ColumnPtr Compare(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapPairs(a, rows, [](double x, double y, bool) {
    return std::string(kTest(x, y) ? "true" : "false");
  });
}

double Add(double x, double y) { return x + y; }
double Subtract(double x, double y) { return x - y; }
double Multiply(double x, double y) { return x * y; }
double Divide(double x, double y) { return x / y; }
double Power(double x, double y) { return std::pow(x, y); }
bool Equal(double x, double y) { return x == y; }
bool NotEqual(double x, double y) { return x != y; }
bool Less(double x, double y) { return x < y; }
bool LessEqual(double x, double y) { return x <= y; }
bool Greater(double x, double y) { return x > y; }
bool GreaterEqual(double x, double y) { return x >= y; }

template <Real1 kFunction, bool kKeepsWhole = false>
ColumnPtr MapEach(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (!IsArrayAt(*a[0], row)) return out.Null();
    JsonArray json;
    for (const std::string_view element : ElementsAt(*a[0], row)) {
      const std::optional<double> x = ElementNumber(element);
      json.Add(x ? NumberElement(kFunction(*x), kKeepsWhole && IsWhole(element)) : "null");
    }
    out.Text(json.Text());
  });
}

double Abs(double x) { return std::fabs(x); }
double Acos(double x) { return std::acos(x); }
double Asin(double x) { return std::asin(x); }
double Atan(double x) { return std::atan(x); }
double Ceiling(double x) { return std::ceil(x); }
double Cos(double x) { return std::cos(x); }
double Exp(double x) { return std::exp(x); }
double Floor(double x) { return std::floor(x); }
double Log(double x) { return std::log(x); }
double Sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }
double Sin(double x) { return std::sin(x); }
double Tan(double x) { return std::tan(x); }

// kFold(so far, x) over the elements that are numbers; null when there is none.
template <Real2 kFold>
ColumnPtr Reduce(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kReal, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::optional<double> result;
    for (const std::optional<double>& x : SeriesAt(*a[0], row)) {
      if (x) result = result ? kFold(*result, *x) : *x;
    }
    if (!result) return out.Null();
    out.Real(*result);
  });
}

ColumnPtr Magnitude(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kReal, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<Numbers> x = NumbersAt(*a[0], row);
    if (!x) return out.Null();
    double squares = 0;
    for (const double value : *x) squares += value * value;
    out.Real(std::sqrt(squares));
  });
}

// Both as arrays of one length; a number stands for all places of the other.
std::optional<std::pair<Numbers, Numbers>> BothAt(const Arguments& a, std::size_t row) {
  std::optional<Numbers> x = NumbersAt(*a[0], row);
  std::optional<Numbers> y = NumbersAt(*a[1], row);
  const auto spread = [row](const Column& column, const std::optional<Numbers>& other) {
    const std::optional<double> number =
        column.type == Type::kDynamic ? std::nullopt : ToReal(column, row);
    return number && other ? std::optional<Numbers>(Numbers(other->size(), *number)) : std::nullopt;
  };
  if (!x) x = spread(*a[0], y);
  if (!y) y = spread(*a[1], x);
  if (!x || !y || x->size() != y->size()) return std::nullopt;
  return std::pair{*std::move(x), *std::move(y)};
}

double DotProduct(const Numbers& x, const Numbers& y) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum;
}

double Pearson(const Numbers& x, const Numbers& y) {
  const double mean_x = Mean(x);
  const double mean_y = Mean(y);
  double products = 0;
  double squares_x = 0;
  double squares_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    products += (x[i] - mean_x) * (y[i] - mean_y);
    squares_x += (x[i] - mean_x) * (x[i] - mean_x);
    squares_y += (y[i] - mean_y) * (y[i] - mean_y);
  }
  return products / std::sqrt(squares_x * squares_y);
}

double Cosine(const Numbers& x, const Numbers& y) {
  return DotProduct(x, y) / std::sqrt(DotProduct(x, x) * DotProduct(y, y));
}

template <double (*kFunction)(const Numbers&, const Numbers&)>
ColumnPtr OfBoth(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kReal, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const auto both = BothAt(a, row);
    if (!both) return out.Null();
    out.Real(kFunction(both->first, both->second));
  });
}

// What counts as missing: null, or the given placeholder.
class Missing {
 public:
  Missing(const Arguments& a, std::size_t place, std::size_t row) {
    if (a.size() > place) placeholder_ = ElementKey(ToJsonText(*a[place], row));
  }
  [[nodiscard]] bool Is(std::string_view element) const {
    return KindOf(element) == JsonKind::kNull ||
           (placeholder_ && ElementKey(element) == *placeholder_);
  }

 private:
  std::optional<std::string> placeholder_;
};

ColumnPtr FillConst(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (!IsArrayAt(*a[0], row)) return out.Null();
    const std::string fill = a.size() > 1 ? ToJsonText(*a[1], row) : "0";
    const Missing missing(a, 2, row);
    JsonArray json;
    for (const std::string_view element : ElementsAt(*a[0], row)) {
      json.Add(missing.Is(element) ? std::string_view(fill) : element);
    }
    out.Text(json.Text());
  });
}

// With the nearest value before (kForward) or after; what has none stays.
template <bool kForward>
ColumnPtr FillFromNeighbour(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (!IsArrayAt(*a[0], row)) return out.Null();
    std::vector<std::string_view> elements = ElementsAt(*a[0], row);
    const Missing missing(a, 1, row);
    if (!kForward) std::reverse(elements.begin(), elements.end());
    for (std::size_t i = 1; i < elements.size(); ++i) {
      if (missing.Is(elements[i]) && !missing.Is(elements[i - 1])) elements[i] = elements[i - 1];
    }
    if (!kForward) std::reverse(elements.begin(), elements.end());
    JsonArray json;
    for (const std::string_view element : elements) json.Add(element);
    out.Text(json.Text());
  });
}

// On the line between the neighbours; at the ends, unless told not to, the nearest value.
ColumnPtr FillLinear(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (!IsArrayAt(*a[0], row)) return out.Null();
    const std::vector<std::string_view> elements = ElementsAt(*a[0], row);
    const Missing missing(a, 1, row);
    const bool edges = a.size() < 3 || a[2]->Holds(row);
    const std::string constant = a.size() > 3 ? ToJsonText(*a[3], row) : "0";
    std::vector<std::size_t> known;
    for (std::size_t i = 0; i < elements.size(); ++i) {
      if (!missing.Is(elements[i])) known.push_back(i);
    }
    JsonArray json;
    for (std::size_t i = 0; i < elements.size(); ++i) {
      const auto after = std::lower_bound(known.begin(), known.end(), i);
      if (after != known.end() && *after == i) {
        json.Add(elements[i]);
      } else if (known.empty()) {
        json.Add(constant);
      } else if (after == known.end() || after == known.begin()) {
        const std::size_t nearest = after == known.end() ? known.back() : known.front();
        json.Add(edges ? elements[nearest] : elements[i]);
      } else {
        const std::size_t before = *(after - 1);
        const double from = ElementNumber(elements[before]).value_or(0);
        const double to = ElementNumber(elements[*after]).value_or(0);
        const double part = static_cast<double>(i - before) / static_cast<double>(*after - before);
        json.Add(RealElement(from + (to - from) * part));
      }
    }
    out.Text(json.Text());
  });
}

// A filter has few coefficients; longer ones would take as long as their square.
constexpr std::size_t kMostCoefficients = 4096;

// series_fir(series, filter, normalize, center): the weighted sum over a window that ends at, or is
// centered on, each point; beyond the ends are zeros.
ColumnPtr FiniteFilter(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<Numbers> x = NumbersAt(*a[0], row);
    std::optional<Numbers> filter = NumbersAt(*a[1], row);
    if (!x || !filter || filter->empty() || filter->size() > kMostCoefficients) return out.Null();
    const bool negative =
        std::any_of(filter->begin(), filter->end(), [](double weight) { return weight < 0; });
    const bool normalize = a.size() > 2 ? a[2]->Holds(row) : !negative;
    if (normalize) {
      double sum = 0;
      for (const double weight : *filter) sum += weight;
      if (negative || sum == 0) return out.Null();
      for (double& weight : *filter) weight /= sum;
    }
    const bool center = a.size() > 3 && a[3]->Holds(row);
    const auto shift = static_cast<std::int64_t>(center ? (filter->size() - 1) / 2 : 0);
    Numbers filtered;
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(x->size()); ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < filter->size(); ++j) {
        const std::int64_t at = i + shift - static_cast<std::int64_t>(j);
        if (at < 0 || at >= static_cast<std::int64_t>(x->size())) continue;
        sum += (*x)[static_cast<std::size_t>(at)] * (*filter)[j];
      }
      filtered.push_back(sum);
    }
    out.Text(SeriesText(filtered));
  });
}

// series_iir(series, numerators, denominators)
ColumnPtr InfiniteFilter(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<Numbers> x = NumbersAt(*a[0], row);
    const std::optional<Numbers> numerators = NumbersAt(*a[1], row);
    const std::optional<Numbers> denominators = NumbersAt(*a[2], row);
    if (!x || !numerators || !denominators || denominators->empty()) return out.Null();
    if (std::max(numerators->size(), denominators->size()) > kMostCoefficients) return out.Null();
    Numbers y;
    for (std::size_t i = 0; i < x->size(); ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < numerators->size() && j <= i; ++j) {
        sum += (*numerators)[j] * (*x)[i - j];
      }
      for (std::size_t j = 1; j < denominators->size() && j <= i; ++j) {
        sum -= (*denominators)[j] * y[i - j];
      }
      y.push_back(sum / (*denominators)[0]);
    }
    out.Text(SeriesText(y));
  });
}

}  // namespace

FunctionList SeriesFunctions() {
  return Declare({
      {"series_abs(series: array): dynamic", &MapEach<&Abs, true>},
      {"series_acos(series: array): dynamic", &MapEach<&Acos>},
      {"series_add(series: scalar, other: scalar): dynamic", &Calculate<&Add>},
      {"series_asin(series: array): dynamic", &MapEach<&Asin>},
      {"series_atan(series: array): dynamic", &MapEach<&Atan>},
      {"series_ceiling(series: array): dynamic", &MapEach<&Ceiling, true>},
      {"series_cos(series: array): dynamic", &MapEach<&Cos>},
      {"series_cosine_similarity(series: array, other: array): real", &OfBoth<&Cosine>},
      {"series_divide(series: scalar, other: scalar): dynamic", &Calculate<&Divide, false>},
      {"series_dot_product(series: scalar, other: scalar): real", &OfBoth<&DotProduct>},
      {"series_equals(series: scalar, other: scalar): dynamic", &Compare<&Equal>},
      {"series_exp(series: array): dynamic", &MapEach<&Exp>},
      {"series_fill_backward(series: array, missing: number?): dynamic", &FillFromNeighbour<false>,
       nullptr, kNameOfFirst},
      {"series_fill_const(series: array, value: number?, missing: number?): dynamic", &FillConst,
       nullptr, kNameOfFirst},
      {"series_fill_forward(series: array, missing: number?): dynamic", &FillFromNeighbour<true>,
       nullptr, kNameOfFirst},
      {"series_fill_linear(series: array, missing: number?, edges: bool?, value: number?): dynamic",
       &FillLinear, nullptr, kNameOfFirst},
      {"series_fir(series: array, filter: array, normalize: bool?, center: bool?): dynamic",
       &FiniteFilter, nullptr, kNameOfFirst},
      {"series_floor(series: array): dynamic", &MapEach<&Floor, true>},
      {"series_greater(series: scalar, other: scalar): dynamic", &Compare<&Greater>},
      {"series_greater_equals(series: scalar, other: scalar): dynamic", &Compare<&GreaterEqual>},
      {"series_iir(series: array, numerators: array, denominators: array): dynamic",
       &InfiniteFilter, nullptr, kNameOfFirst},
      {"series_less(series: scalar, other: scalar): dynamic", &Compare<&Less>},
      {"series_less_equals(series: scalar, other: scalar): dynamic", &Compare<&LessEqual>},
      {"series_log(series: array): dynamic", &MapEach<&Log>},
      {"series_magnitude(series: array): real", &Magnitude},
      {"series_multiply(series: scalar, other: scalar): dynamic", &Calculate<&Multiply>},
      {"series_not_equals(series: scalar, other: scalar): dynamic", &Compare<&NotEqual>},
      {"series_pearson_correlation(series: array, other: array): real", &OfBoth<&Pearson>},
      {"series_pow(series: scalar, other: scalar): dynamic", &Calculate<&Power, false>},
      {"series_product(series: array): real", &Reduce<&Multiply>},
      {"series_sign(series: array): dynamic", &MapEach<&Sign, true>},
      {"series_sin(series: array): dynamic", &MapEach<&Sin>},
      {"series_subtract(series: scalar, other: scalar): dynamic", &Calculate<&Subtract>},
      {"series_sum(series: array): real", &Reduce<&Add>},
      {"series_tan(series: array): dynamic", &MapEach<&Tan>},
  });
}

}  // namespace picket::kql

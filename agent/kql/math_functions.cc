// Functions of numbers. The logarithm of a negative number is null, its root NaN.

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <numbers>

#include "agent/kql/kernel.h"

namespace picket::kql {
namespace {

std::optional<Type> BindNumber(const std::vector<Type>& t, std::string& why) {
  if (IsNumeric(t[0])) return t[0] == Type::kReal ? Type::kReal : Type::kLong;
  if (t[0] == Type::kTimespan || t[0] == Type::kDecimal) return t[0];
  why = fmt::format("a number is needed, not {}", TypeName(t[0]));
  return std::nullopt;
}

ColumnPtr Abs(const EvalContext&, const Arguments& a, std::size_t rows) {
  std::string why;
  const Type type = BindNumber({a[0]->type}, why).value_or(Type::kLong);
  return MapRows(type, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row)) return out.Null();
    if (type == Type::kDecimal) {
      Decimal value = ToDecimal(*a[0], row).value_or(Decimal{});
      value.negative = false;
      return out.Text(ToString(value));
    }
    if (type == Type::kReal) return out.Real(std::fabs(a[0]->Real(row)));
    // The most negative number has no opposite: it stays.
    const std::int64_t value = a[0]->Number(row);
    out.Number(value < 0 ? static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(value))
                         : value);
  });
}

ColumnPtr Round(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kReal, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<double> value = ToReal(*a[0], row);
    if (!value) return out.Null();
    const double digits = a.size() > 1 ? static_cast<double>(ToLong(*a[1], row).value_or(0)) : 0.0;
    const double scale = std::pow(10.0, digits);
    const double scaled = *value * scale;
    out.Real(std::isfinite(scaled) && scale != 0.0 ? std::round(scaled) / scale : *value);
  });
}

using Real1 = double (*)(double);
using Real2 = double (*)(double, double);

// kFunction(x); null below `kLeast`.
template <Real1 kFunction, bool kPositive = false>
ColumnPtr MapReal(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kReal, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<double> value = ToReal(*a[0], row);
    if (!value || (kPositive && *value < 0)) return out.Null();
    out.Real(kFunction(*value));
  });
}

template <Real2 kFunction>
ColumnPtr MapReals(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kReal, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<double> x = ToReal(*a[0], row);
    const std::optional<double> y = ToReal(*a[1], row);
    if (!x || !y) return out.Null();
    out.Real(kFunction(*x, *y));
  });
}

double Acos(double x) { return std::acos(x); }
double Asin(double x) { return std::asin(x); }
double Atan(double x) { return std::atan(x); }
double Atan2(double y, double x) { return std::atan2(y, x); }
double Ceiling(double x) { return std::ceil(x); }
double Cos(double x) { return std::cos(x); }
double Cot(double x) { return 1 / std::tan(x); }
double Degrees(double x) { return x * 180 / std::numbers::pi; }
double Erf(double x) { return std::erf(x); }
double Erfc(double x) { return std::erfc(x); }
double Exp(double x) { return std::exp(x); }
double Exp10(double x) { return std::pow(10.0, x); }
double Exp2(double x) { return std::exp2(x); }
double Gamma(double x) { return std::tgamma(x); }
double Log(double x) { return std::log(x); }
double Log10(double x) { return std::log10(x); }
double Log2(double x) { return std::log2(x); }
double Pow(double x, double y) { return std::pow(x, y); }
double Radians(double x) { return x * std::numbers::pi / 180; }
double Sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }
double Sin(double x) { return std::sin(x); }
double Sqrt(double x) { return std::sqrt(x); }
double Tan(double x) { return std::tan(x); }

double LogGamma(double x) {
  int sign = 0;
  return lgamma_r(x, &sign);  // std::lgamma() writes to a global
}

ColumnPtr Pi(const EvalContext&, const Arguments&, std::size_t rows) {
  return ConstantColumn(Value::Real(std::numbers::pi), rows);
}

using RealTest = bool (*)(double);
bool IsNan(double x) { return std::isnan(x); }
bool IsInf(double x) { return std::isinf(x); }
bool IsFinite(double x) { return std::isfinite(x); }

template <RealTest kTest>
ColumnPtr MapTest(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<double> value = ToReal(*a[0], row);
    out.Bool(value && kTest(*value));
  });
}

using Long2 = std::optional<std::uint64_t> (*)(std::uint64_t, std::uint64_t);
std::optional<std::uint64_t> BitAnd(std::uint64_t x, std::uint64_t y) { return x & y; }
std::optional<std::uint64_t> BitOr(std::uint64_t x, std::uint64_t y) { return x | y; }
std::optional<std::uint64_t> BitXor(std::uint64_t x, std::uint64_t y) { return x ^ y; }
// The shift is taken modulo 64; a negative one has no value.
std::optional<std::uint64_t> ShiftLeft(std::uint64_t x, std::uint64_t n) {
  if (static_cast<std::int64_t>(n) < 0) return std::nullopt;
  return x << (n & 63U);
}
std::optional<std::uint64_t> ShiftRight(std::uint64_t x, std::uint64_t n) {
  if (static_cast<std::int64_t>(n) < 0) return std::nullopt;
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(x) >> (n & 63U));
}

template <Long2 kFunction>
ColumnPtr MapBits(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row) || a[1]->IsNull(row)) return out.Null();
    const auto bits = kFunction(static_cast<std::uint64_t>(a[0]->Number(row)),
                                static_cast<std::uint64_t>(a[1]->Number(row)));
    if (!bits) return out.Null();
    out.Number(static_cast<std::int64_t>(*bits));
  });
}

ColumnPtr BitNot(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row)) return out.Null();
    out.Number(~a[0]->Number(row));
  });
}

ColumnPtr CountOnes(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row)) return out.Null();
    out.Number(__builtin_popcountll(static_cast<std::uint64_t>(a[0]->Number(row))));
  });
}

// The probability that two samples of these means differ by chance, by Welch's t-test: the
// regularized incomplete beta function, by its continued fraction (Lentz's method).
double IncompleteBetaFraction(double x, double a, double b) {
  constexpr double kTiny = 1e-300;
  const auto at_least = [](double value) { return std::fabs(value) < kTiny ? kTiny : value; };
  double c = 1;
  double d = 1 / at_least(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int m = 1; m <= 500; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / at_least(1 + even * d);
    c = at_least(1 + even / c);
    fraction *= c * d;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / at_least(1 + odd * d);
    c = at_least(1 + odd / c);
    fraction *= c * d;
    if (std::fabs(c * d - 1) < 1e-15) break;
  }
  return fraction;
}

double IncompleteBeta(double x, double a, double b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front =
      std::exp(LogGamma(a + b) - LogGamma(a) - LogGamma(b) + a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * IncompleteBetaFraction(x, a, b) / a;
  return 1 - front * IncompleteBetaFraction(1 - x, b, a) / b;
}

ColumnPtr BetaCdf(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kReal, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const auto x = ToReal(*a[0], row);
    const auto alpha = ToReal(*a[1], row);
    const auto beta = ToReal(*a[2], row);
    if (!x || !alpha || !beta) return out.Null();
    const bool valid = *x >= 0 && *x <= 1 && *alpha > 0 && *beta > 0;
    out.Real(valid ? IncompleteBeta(*x, *alpha, *beta) : std::nan(""));
  });
}

ColumnPtr WelchTest(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kReal, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    double v[6] = {};
    for (std::size_t i = 0; i < 6; ++i) {
      const std::optional<double> value = ToReal(*a[i], row);
      if (!value) return out.Null();
      v[i] = *value;
    }
    const double first = v[1] / v[2];
    const double second = v[4] / v[5];
    const double t = (v[0] - v[3]) / std::sqrt(first + second);
    const double freedom = (first + second) * (first + second) /
                           (first * first / (v[2] - 1) + second * second / (v[5] - 1));
    out.Real(IncompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5));
  });
}

}  // namespace

FunctionList MathFunctions() {
  return Declare({
      {"abs(value: quantity): same", &Abs, &BindNumber, kNameOfFirst},
      {"acos(x: number): real", &MapReal<&Acos>, nullptr, kNameOfFirst},
      {"asin(x: number): real", &MapReal<&Asin>, nullptr, kNameOfFirst},
      {"atan(x: number): real", &MapReal<&Atan>, nullptr, kNameOfFirst},
      {"atan2(y: number, x: number): real", &MapReals<&Atan2>, nullptr, kNameOfFirst},
      {"beta_cdf(x: number, alpha: number, beta: number): real", &BetaCdf},
      {"binary_and(x: integer, y: integer): long", &MapBits<&BitAnd>, nullptr, kNameOfFirst},
      {"binary_not(x: integer): long", &BitNot, nullptr, kNameOfFirst},
      {"binary_or(x: integer, y: integer): long", &MapBits<&BitOr>, nullptr, kNameOfFirst},
      {"binary_shift_left(x: integer, count: integer): long", &MapBits<&ShiftLeft>, nullptr,
       kNameOfFirst},
      {"binary_shift_right(x: integer, count: integer): long", &MapBits<&ShiftRight>, nullptr,
       kNameOfFirst},
      {"binary_xor(x: integer, y: integer): long", &MapBits<&BitXor>, nullptr, kNameOfFirst},
      {"bitset_count_ones(x: integer): long", &CountOnes, nullptr, kNameOfFirst},
      {"ceiling(x: number): real", &MapReal<&Ceiling>, nullptr, kNameOfFirst},
      {"cos(x: number): real", &MapReal<&Cos>, nullptr, kNameOfFirst},
      {"cot(x: number): real", &MapReal<&Cot>},
      {"degrees(x: number): real", &MapReal<&Degrees>},
      {"erf(x: number): real", &MapReal<&Erf>, nullptr, kNameOfFirst},
      {"erfc(x: number): real", &MapReal<&Erfc>, nullptr, kNameOfFirst},
      {"exp(x: number): real", &MapReal<&Exp>, nullptr, kNameOfFirst},
      {"exp10(x: number): real", &MapReal<&Exp10>, nullptr, kNameOfFirst},
      {"exp2(x: number): real", &MapReal<&Exp2>, nullptr, kNameOfFirst},
      {"gamma(x: number): real", &MapReal<&Gamma>, nullptr, kNameOfFirst},
      {"isfinite(x: real): bool", &MapTest<&IsFinite>},
      {"isinf(x: real): bool", &MapTest<&IsInf>},
      {"isnan(x: real): bool", &MapTest<&IsNan>},
      {"log(x: number): real", &MapReal<&Log, true>, nullptr, kNameOfFirst},
      {"log10(x: number): real", &MapReal<&Log10, true>, nullptr, kNameOfFirst},
      {"log2(x: number): real", &MapReal<&Log2, true>, nullptr, kNameOfFirst},
      {"loggamma(x: number): real", &MapReal<&LogGamma>, nullptr, kNameOfFirst},
      {"pi(): real", &Pi},
      {"pow(base: number, exponent: number): real", &MapReals<&Pow>, nullptr, kNameOfFirst},
      {"radians(x: number): real", &MapReal<&Radians>},
      {"round(x: number, digits: long?): real", &Round, nullptr, kNameOfFirst},
      {"sign(x: number): real", &MapReal<&Sign>},
      {"sin(x: number): real", &MapReal<&Sin>, nullptr, kNameOfFirst},
      {"sqrt(x: number): real", &MapReal<&Sqrt>, nullptr, kNameOfFirst},
      {"tan(x: number): real", &MapReal<&Tan>, nullptr, kNameOfFirst},
      {"welch_test(mean: number, variance: number, count: number, mean: number, "
       "variance: number, count: number): real",
       &WelchTest},
  });
}

}  // namespace picket::kql

// Arithmetic: int∘int is long; division of whole numbers cuts; % is Euclidean; overflow wraps.

#include <fmt/format.h>

#include <cmath>

#include "agent/kql/kernel.h"

namespace picket::kql {
namespace {

std::optional<Type> Refuse(std::string& why, const char* op, Type a, Type b) {
  why = fmt::format("{} {} {} is not defined", TypeName(a), op, TypeName(b));
  return std::nullopt;
}

Type NumberType(Type a, Type b) {
  return a == Type::kReal || b == Type::kReal ? Type::kReal : Type::kLong;
}

std::optional<Type> BindAdd(const std::vector<Type>& t, std::string& why) {
  if (IsNumeric(t[0]) && IsNumeric(t[1])) return NumberType(t[0], t[1]);
  if (t[0] == Type::kTimespan && t[1] == Type::kTimespan) return Type::kTimespan;
  if ((t[0] == Type::kDateTime && t[1] == Type::kTimespan) ||
      (t[0] == Type::kTimespan && t[1] == Type::kDateTime)) {
    return Type::kDateTime;
  }
  return Refuse(why, "+", t[0], t[1]);
}

std::optional<Type> BindSubtract(const std::vector<Type>& t, std::string& why) {
  if (IsNumeric(t[0]) && IsNumeric(t[1])) return NumberType(t[0], t[1]);
  if (t[0] == Type::kDateTime && t[1] == Type::kDateTime) return Type::kTimespan;
  if (t[0] == Type::kTimespan && t[1] == Type::kTimespan) return Type::kTimespan;
  if (t[0] == Type::kDateTime && t[1] == Type::kTimespan) return Type::kDateTime;
  return Refuse(why, "-", t[0], t[1]);
}

std::optional<Type> BindMultiply(const std::vector<Type>& t, std::string& why) {
  if (IsNumeric(t[0]) && IsNumeric(t[1])) return NumberType(t[0], t[1]);
  if ((t[0] == Type::kTimespan && IsNumeric(t[1])) ||
      (IsNumeric(t[0]) && t[1] == Type::kTimespan)) {
    return Type::kTimespan;
  }
  return Refuse(why, "*", t[0], t[1]);
}

std::optional<Type> BindDivide(const std::vector<Type>& t, std::string& why) {
  if (IsNumeric(t[0]) && IsNumeric(t[1])) return NumberType(t[0], t[1]);
  if (t[0] == Type::kTimespan && t[1] == Type::kTimespan) return Type::kReal;
  if (t[0] == Type::kTimespan && IsNumeric(t[1])) return Type::kTimespan;
  return Refuse(why, "/", t[0], t[1]);
}

std::optional<Type> BindModulo(const std::vector<Type>& t, std::string& why) {
  if (IsNumeric(t[0]) && IsNumeric(t[1])) return NumberType(t[0], t[1]);
  if (t[0] == Type::kTimespan && t[1] == Type::kTimespan) return Type::kTimespan;
  return Refuse(why, "%", t[0], t[1]);
}

std::optional<Type> BindNegate(const std::vector<Type>& t, std::string& why) {
  if (IsNumeric(t[0])) return t[0] == Type::kInt ? Type::kLong : t[0];
  if (t[0] == Type::kTimespan) return t[0];
  why = fmt::format("- {} is not defined", TypeName(t[0]));
  return std::nullopt;
}

constexpr std::int64_t kLastTick = 3'155'378'975'999'999'999;  // 9999-12-31T23:59:59.9999999

std::int64_t Wrap(std::uint64_t value) { return static_cast<std::int64_t>(value); }

// Whole numbers by `whole`, reals by `real`; a null or a nullopt gives null.
template <class Whole, class RealF>
ColumnPtr Binary(Type type, const Arguments& a, std::size_t rows, Whole whole, RealF real) {
  return MapRows(type, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row) || a[1]->IsNull(row)) return out.Null();
    if (a[0]->type == Type::kReal || a[1]->type == Type::kReal) {
      const double result = real(a[0]->AsReal(row), a[1]->AsReal(row));
      if (type == Type::kReal) return out.Real(result);
      if (std::isnan(result) || std::fabs(result) > 9.2e18) return out.Null();
      return out.Number(static_cast<std::int64_t>(result));
    }
    const std::optional<std::int64_t> result = whole(a[0]->Number(row), a[1]->Number(row));
    if (!result) return out.Null();
    // There is no time before the year 1 or after 9999.
    if (type == Type::kDateTime && (*result < 0 || *result > kLastTick)) return out.Null();
    if (type == Type::kReal) return out.Real(static_cast<double>(*result));
    out.Number(*result);
  });
}

template <BindRule kRule>
Type ResultType(const Arguments& a) {
  std::string why;
  std::vector<Type> types;
  for (const ColumnPtr& column : a) types.push_back(column->type);
  return kRule(types, why).value_or(Type::kLong);
}

ColumnPtr Add(const EvalContext&, const Arguments& a, std::size_t rows) {
  return Binary(
      ResultType<&BindAdd>(a), a, rows,
      [](std::int64_t x, std::int64_t y) -> std::optional<std::int64_t> {
        return Wrap(static_cast<std::uint64_t>(x) + static_cast<std::uint64_t>(y));
      },
      [](double x, double y) { return x + y; });
}
ColumnPtr Subtract(const EvalContext&, const Arguments& a, std::size_t rows) {
  return Binary(
      ResultType<&BindSubtract>(a), a, rows,
      [](std::int64_t x, std::int64_t y) -> std::optional<std::int64_t> {
        return Wrap(static_cast<std::uint64_t>(x) - static_cast<std::uint64_t>(y));
      },
      [](double x, double y) { return x - y; });
}
ColumnPtr Multiply(const EvalContext&, const Arguments& a, std::size_t rows) {
  return Binary(
      ResultType<&BindMultiply>(a), a, rows,
      [](std::int64_t x, std::int64_t y) -> std::optional<std::int64_t> {
        return Wrap(static_cast<std::uint64_t>(x) * static_cast<std::uint64_t>(y));
      },
      [](double x, double y) { return x * y; });
}
ColumnPtr Divide(const EvalContext&, const Arguments& a, std::size_t rows) {
  if (a[0]->type == Type::kTimespan && a[1]->type == Type::kTimespan) {
    return MapRows(Type::kReal, a, rows, [&](ColumnBuilder& out, std::size_t row) {
      if (a[0]->IsNull(row) || a[1]->IsNull(row)) return out.Null();
      out.Real(a[0]->AsReal(row) / a[1]->AsReal(row));
    });
  }
  return Binary(
      ResultType<&BindDivide>(a), a, rows,
      [](std::int64_t x, std::int64_t y) -> std::optional<std::int64_t> {
        if (y == 0) return std::nullopt;
        if (y == -1) return Wrap(0 - static_cast<std::uint64_t>(x));
        return x / y;
      },
      [](double x, double y) { return x / y; });
}
ColumnPtr Modulo(const EvalContext&, const Arguments& a, std::size_t rows) {
  return Binary(
      ResultType<&BindModulo>(a), a, rows,
      [](std::int64_t x, std::int64_t y) -> std::optional<std::int64_t> {
        if (y == 0) return std::nullopt;
        if (y == -1 || y == 1) return 0;
        const std::int64_t rest = x % y;
        return rest < 0 ? rest + (y < 0 ? -y : y) : rest;
      },
      [](double x, double y) {
        const double rest = std::fmod(x, y);
        return rest < 0 ? rest + std::fabs(y) : rest;
      });
}
ColumnPtr Negate(const EvalContext&, const Arguments& a, std::size_t rows) {
  const Type type = ResultType<&BindNegate>(a);
  return MapRows(type, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row)) return out.Null();
    if (type == Type::kReal) return out.Real(-a[0]->Real(row));
    out.Number(Wrap(0 - static_cast<std::uint64_t>(a[0]->Number(row))));
  });
}

std::optional<Type> BindBin(const std::vector<Type>& t, std::string& why) {
  if (IsNumeric(t[0]) && IsNumeric(t[1])) {
    return t[0] == Type::kInt && t[1] != Type::kReal ? Type::kLong : NumberType(t[0], t[1]);
  }
  if ((t[0] == Type::kDateTime || t[0] == Type::kTimespan) && t[1] == Type::kTimespan) return t[0];
  return Refuse(why, "bin", t[0], t[1]);
}

// Down to a multiple of the size, from zero.
ColumnPtr Bin(const EvalContext&, const Arguments& a, std::size_t rows) {
  return Binary(
      ResultType<&BindBin>(a), a, rows,
      [](std::int64_t x, std::int64_t size) -> std::optional<std::int64_t> {
        if (size <= 0) return std::nullopt;
        const std::int64_t rest = x % size;
        return x - (rest < 0 ? rest + size : rest);
      },
      [](double x, double size) { return std::floor(x / size) * size; });
}

std::optional<Type> BindNumber(const std::vector<Type>& t, std::string& why) {
  if (IsNumeric(t[0])) return t[0] == Type::kReal ? Type::kReal : Type::kLong;
  if (t[0] == Type::kTimespan) return t[0];
  why = fmt::format("a number is needed, not {}", TypeName(t[0]));
  return std::nullopt;
}

ColumnPtr Abs(const EvalContext&, const Arguments& a, std::size_t rows) {
  const Type type = ResultType<&BindNumber>(a);
  return MapRows(type, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row)) return out.Null();
    if (type == Type::kReal) return out.Real(std::fabs(a[0]->Real(row)));
    out.Number(std::abs(a[0]->Number(row)));
  });
}

ColumnPtr Round(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kReal, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<double> value = ToReal(*a[0], row);
    if (!value) return out.Null();
    const double digits = a.size() > 1 ? static_cast<double>(ToLong(*a[1], row).value_or(0)) : 0.0;
    const double scale = std::pow(10.0, digits);
    out.Real(std::round(*value * scale) / scale);
  });
}

}  // namespace

FunctionList MathFunctions() {
  return {
      {"+", 2, 2, &BindAdd, &Add},           {"-", 2, 2, &BindSubtract, &Subtract},
      {"*", 2, 2, &BindMultiply, &Multiply}, {"/", 2, 2, &BindDivide, &Divide},
      {"%", 2, 2, &BindModulo, &Modulo},     {"negate", 1, 1, &BindNegate, &Negate},
      {"bin", 2, 2, &BindBin, &Bin},         {"floor", 2, 2, &BindBin, &Bin},
      {"abs", 1, 1, &BindNumber, &Abs},      {"round", 1, 2, &BindReal, &Round},
  };
}

}  // namespace picket::kql

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
  if (a == Type::kDecimal || b == Type::kDecimal) return Type::kDecimal;
  return a == Type::kReal || b == Type::kReal ? Type::kReal : Type::kLong;
}

std::optional<Type> BindAdd(const std::vector<Type>& t, std::string& why) {
  if (IsNumber(t[0]) && IsNumber(t[1])) return NumberType(t[0], t[1]);
  if (t[0] == Type::kTimespan && t[1] == Type::kTimespan) return Type::kTimespan;
  if ((t[0] == Type::kDateTime && t[1] == Type::kTimespan) ||
      (t[0] == Type::kTimespan && t[1] == Type::kDateTime)) {
    return Type::kDateTime;
  }
  return Refuse(why, "+", t[0], t[1]);
}

std::optional<Type> BindSubtract(const std::vector<Type>& t, std::string& why) {
  if (IsNumber(t[0]) && IsNumber(t[1])) return NumberType(t[0], t[1]);
  if (t[0] == Type::kDateTime && t[1] == Type::kDateTime) return Type::kTimespan;
  if (t[0] == Type::kTimespan && t[1] == Type::kTimespan) return Type::kTimespan;
  if (t[0] == Type::kDateTime && t[1] == Type::kTimespan) return Type::kDateTime;
  return Refuse(why, "-", t[0], t[1]);
}

std::optional<Type> BindMultiply(const std::vector<Type>& t, std::string& why) {
  if (IsNumber(t[0]) && IsNumber(t[1])) return NumberType(t[0], t[1]);
  if ((t[0] == Type::kTimespan && IsNumeric(t[1])) ||
      (IsNumeric(t[0]) && t[1] == Type::kTimespan)) {
    return Type::kTimespan;
  }
  return Refuse(why, "*", t[0], t[1]);
}

std::optional<Type> BindDivide(const std::vector<Type>& t, std::string& why) {
  if (IsNumber(t[0]) && IsNumber(t[1])) return NumberType(t[0], t[1]);
  if (t[0] == Type::kTimespan && t[1] == Type::kTimespan) return Type::kReal;
  if (t[0] == Type::kTimespan && IsNumeric(t[1])) return Type::kTimespan;
  return Refuse(why, "/", t[0], t[1]);
}

std::optional<Type> BindModulo(const std::vector<Type>& t, std::string& why) {
  if (IsNumeric(t[0]) && IsNumeric(t[1])) return NumberType(t[0], t[1]);
  const bool time = t[0] == Type::kTimespan || t[0] == Type::kDateTime;
  if (time && t[1] == Type::kTimespan) return Type::kTimespan;
  return Refuse(why, "%", t[0], t[1]);
}

std::optional<Type> BindNegate(const std::vector<Type>& t, std::string& why) {
  if (IsNumber(t[0])) return t[0] == Type::kInt ? Type::kLong : t[0];
  if (t[0] == Type::kTimespan) return t[0];
  why = fmt::format("- {} is not defined", TypeName(t[0]));
  return std::nullopt;
}

constexpr std::int64_t kLastTick = 3'155'378'975'999'999'999;  // 9999-12-31T23:59:59.9999999

std::int64_t Wrap(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::int64_t WrapDifference(std::int64_t x, std::int64_t y) {
  return Wrap(static_cast<std::uint64_t>(x) - static_cast<std::uint64_t>(y));
}

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

bool HasDecimal(const Arguments& a) {
  return std::any_of(a.begin(), a.end(),
                     [](const ColumnPtr& column) { return column->type == Type::kDecimal; });
}

template <class Op>
ColumnPtr OfDecimals(const Arguments& a, std::size_t rows, Op op) {
  return MapRows(Type::kDecimal, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<Decimal> x = ToDecimal(*a[0], row);
    const std::optional<Decimal> y = ToDecimal(*a[1], row);
    const std::optional<Decimal> result = x && y ? op(*x, *y) : std::nullopt;
    if (!result) return out.Null();
    out.Text(ToString(*result));
  });
}

ColumnPtr Add(const EvalContext&, const Arguments& a, std::size_t rows) {
  if (HasDecimal(a)) {
    return OfDecimals(a, rows, [](const Decimal& x, const Decimal& y) { return Add(x, y); });
  }
  return Binary(
      ResultType<&BindAdd>(a), a, rows,
      [](std::int64_t x, std::int64_t y) -> std::optional<std::int64_t> {
        return Wrap(static_cast<std::uint64_t>(x) + static_cast<std::uint64_t>(y));
      },
      [](double x, double y) { return x + y; });
}
ColumnPtr Subtract(const EvalContext&, const Arguments& a, std::size_t rows) {
  if (HasDecimal(a)) {
    return OfDecimals(a, rows,
                      [](const Decimal& x, const Decimal& y) { return Add(x, Negated(y)); });
  }
  return Binary(
      ResultType<&BindSubtract>(a), a, rows,
      [](std::int64_t x, std::int64_t y) -> std::optional<std::int64_t> {
        return WrapDifference(x, y);
      },
      [](double x, double y) { return x - y; });
}
ColumnPtr Multiply(const EvalContext&, const Arguments& a, std::size_t rows) {
  if (HasDecimal(a)) {
    return OfDecimals(a, rows, [](const Decimal& x, const Decimal& y) { return Multiply(x, y); });
  }
  return Binary(
      ResultType<&BindMultiply>(a), a, rows,
      [](std::int64_t x, std::int64_t y) -> std::optional<std::int64_t> {
        return Wrap(static_cast<std::uint64_t>(x) * static_cast<std::uint64_t>(y));
      },
      [](double x, double y) { return x * y; });
}
ColumnPtr Divide(const EvalContext&, const Arguments& a, std::size_t rows) {
  if (HasDecimal(a)) {
    return OfDecimals(a, rows, [](const Decimal& x, const Decimal& y) { return Divide(x, y); });
  }
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
        if (rest >= 0) return rest;
        return y < 0 ? rest - y : rest + y;  // -y may not exist
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
    if (type == Type::kDecimal) {
      return out.Text(ToString(Negated(ToDecimal(*a[0], row).value_or(Decimal{}))));
    }
    out.Number(Wrap(0 - static_cast<std::uint64_t>(a[0]->Number(row))));
  });
}

std::optional<Type> BindBin(const std::vector<Type>& t, std::string& why) {
  if (IsNumber(t[0]) && IsNumber(t[1])) return NumberType(t[0], t[1]);
  if ((t[0] == Type::kDateTime || t[0] == Type::kTimespan) && t[1] == Type::kTimespan) return t[0];
  return Refuse(why, "bin", t[0], t[1]);
}

// Down to a multiple of the size, from zero.
ColumnPtr Bin(const EvalContext&, const Arguments& a, std::size_t rows) {
  if (HasDecimal(a)) {
    return OfDecimals(a, rows, [](const Decimal& x, const Decimal& size) -> std::optional<Decimal> {
      if (Compare(size, Decimal{}) <= 0) return std::nullopt;
      const std::optional<Decimal> times = Divide(x, size);
      return times ? Multiply(Floor(*times), size) : std::nullopt;
    });
  }
  return Binary(
      ResultType<&BindBin>(a), a, rows,
      [](std::int64_t x, std::int64_t size) -> std::optional<std::int64_t> {
        if (size <= 0) return std::nullopt;
        const std::int64_t rest = x % size;
        return WrapDifference(x, rest < 0 ? rest + size : rest);
      },
      [](double x, double size) { return std::floor(x / size) * size; });
}

// Down to a multiple of the size that counts from the given point.
ColumnPtr BinAt(const EvalContext&, const Arguments& a, std::size_t rows) {
  const bool real = std::any_of(
      a.begin(), a.end(), [](const ColumnPtr& column) { return column->type == Type::kReal; });
  const bool time = a[0]->type == Type::kDateTime || a[0]->type == Type::kTimespan;
  const Type type = time ? a[0]->type : real ? Type::kReal : Type::kLong;
  return MapRows(type, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row) || a[1]->IsNull(row) || a[2]->IsNull(row)) return out.Null();
    if (real) {
      const double size = a[1]->AsReal(row);
      const double from = a[2]->AsReal(row);
      if (!(size > 0)) return out.Null();
      const double value = std::floor((a[0]->AsReal(row) - from) / size) * size + from;
      return time ? out.Number(static_cast<std::int64_t>(value)) : out.Real(value);
    }
    const std::int64_t size = a[1]->Number(row);
    std::int64_t from_point = 0;
    if (size <= 0 || __builtin_sub_overflow(a[0]->Number(row), a[2]->Number(row), &from_point)) {
      return out.Null();
    }
    const std::int64_t rest = from_point % size;
    out.Number(WrapDifference(a[0]->Number(row), rest < 0 ? rest + size : rest));
  });
}

std::optional<Type> BindBinAt(const std::vector<Type>& t, std::string& why) {
  const bool numbers = IsNumeric(t[0]) && IsNumeric(t[1]) && IsNumeric(t[2]);
  if (numbers) return NumberType(NumberType(t[0], t[1]), t[2]);
  const bool time = t[0] == Type::kDateTime || t[0] == Type::kTimespan;
  if (time && t[2] == t[0] && (t[1] == Type::kTimespan || IsNumeric(t[1]))) return t[0];
  return Refuse(why, "bin_at", t[0], t[1]);
}

}  // namespace

FunctionList ArithmeticFunctions() {
  FunctionList list = Declare({
      {"bin(value: quantity, size: quantity): same", &Bin, &BindBin, kNameOfFirst},
      {"bin_at(value: summable, size: summable, point: summable): same", &BinAt, &BindBinAt,
       kNameOfFirst},
      {"floor(value: quantity, size: quantity): same", &Bin, &BindBin, kNameOfFirst},
  });
  list.insert(list.end(), {{"+", 2, 2, &BindAdd, &Add},
                           {"-", 2, 2, &BindSubtract, &Subtract},
                           {"*", 2, 2, &BindMultiply, &Multiply},
                           {"/", 2, 2, &BindDivide, &Divide},
                           {"%", 2, 2, &BindModulo, &Modulo},
                           {"negate", 1, 1, &BindNegate, &Negate}});
  return list;
}

}  // namespace picket::kql

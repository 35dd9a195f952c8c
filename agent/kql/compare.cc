// Equality and order, with Kusto's nulls: == with one null is false and != true; the others give
// null. A text equals a number when it is the number's canonical text or a whole number of the
// same value; a dynamic is compared by what it holds.

#include <fmt/format.h>

#include <cmath>
#include <unordered_set>

#include "agent/kql/fold.h"
#include "agent/kql/json_view.h"
#include "agent/kql/kernel.h"

namespace picket::kql {
namespace {

bool Unordered(Type a, Type b) {
  if (a == b || (IsNumber(a) && IsNumber(b))) return false;
  if (a == Type::kDynamic || b == Type::kDynamic) return false;
  return true;
}

std::optional<Type> BindEquality(const std::vector<Type>& types, std::string& why) {
  const Type a = types[0];
  const Type b = types[1];
  if (a == Type::kDynamic && b == Type::kDynamic) {
    why = "two dynamics cannot be compared; convert them, as by tostring()";
    return std::nullopt;
  }
  const bool loose = a == Type::kString || b == Type::kString || a == Type::kDynamic ||
                     b == Type::kDynamic || (IsNumber(a) && IsNumber(b));
  if (a == b || (loose && a != Type::kBool && b != Type::kBool) || a == Type::kDynamic ||
      b == Type::kDynamic) {
    return Type::kBool;
  }
  why = fmt::format("{} and {} cannot be compared", TypeName(a), TypeName(b));
  return std::nullopt;
}

std::optional<Type> BindOrder(const std::vector<Type>& types, std::string& why) {
  if (Unordered(types[0], types[1]) || types[0] == Type::kBool) {
    why = fmt::format("{} and {} have no order", TypeName(types[0]), TypeName(types[1]));
    return std::nullopt;
  }
  return Type::kBool;
}

std::optional<Type> BindTextEquality(const std::vector<Type>&, std::string&) { return Type::kBool; }

template <class T>
int Sign(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

template <bool kEqual, bool kIgnoreCase>
ColumnPtr Equality(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<bool> equal = ValuesEqual(*a[0], row, *a[1], row, kIgnoreCase);
    if (!equal) return out.Null();
    out.Number(*equal == kEqual ? 1 : 0);
  });
}

bool IsNan(const Column& column, std::size_t row) {
  return column.type == Type::kReal && !column.IsNull(row) && std::isnan(column.Real(row));
}

template <class Holds>
ColumnPtr Order(const Arguments& a, std::size_t rows, Holds holds) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<int> order = CompareValues(*a[0], row, *a[1], row);
    if (!order) {
      // No order holds with a NaN; with a null it is unknown.
      const bool null = a[0]->IsNull(row) || a[1]->IsNull(row);
      if (!null && (IsNan(*a[0], row) || IsNan(*a[1], row))) return out.Number(0);
      return out.Null();
    }
    out.Number(holds(*order) ? 1 : 0);
  });
}
ColumnPtr Less(const EvalContext&, const Arguments& a, std::size_t rows) {
  return Order(a, rows, [](int order) { return order < 0; });
}
ColumnPtr LessEqual(const EvalContext&, const Arguments& a, std::size_t rows) {
  return Order(a, rows, [](int order) { return order <= 0; });
}
ColumnPtr Greater(const EvalContext&, const Arguments& a, std::size_t rows) {
  return Order(a, rows, [](int order) { return order > 0; });
}
ColumnPtr GreaterEqual(const EvalContext&, const Arguments& a, std::size_t rows) {
  return Order(a, rows, [](int order) { return order >= 0; });
}

// The list of `in`: constants, or dynamic arrays whose elements count.
class ValueList {
 public:
  ValueList(const Arguments& arguments, bool ignore_case)
      : arguments_(arguments), ignore_case_(ignore_case) {
    for (std::size_t i = 1; i < arguments.size(); ++i) {
      if (!arguments[i]->constant) return;
    }
    constant_ = true;
    for (std::size_t i = 1; i < arguments.size(); ++i) AddTexts(*arguments[i]);
  }

  // A text against texts: a hash. Everything else goes by ValuesEqual.
  [[nodiscard]] bool Holds(std::size_t row) const {
    const Column& value = *arguments_[0];
    if (constant_ && value.type == Type::kString) {
      std::string buffer;
      const std::string_view text =
          ignore_case_ ? FoldInto(value.Text(row), buffer) : value.Text(row);
      return texts_.contains(std::string(text));
    }
    for (std::size_t i = 1; i < arguments_.size(); ++i) {
      if (HoldsOne(row, *arguments_[i])) return true;
    }
    return false;
  }

 private:
  void AddTexts(const Column& item) {
    if (item.type == Type::kDynamic && !item.IsNull(0) &&
        KindOf(item.Text(0)) == JsonKind::kArray) {
      ForEachElement(item.Text(0), [&](std::string_view element) {
        Add(KindOf(element) == JsonKind::kString ? UnquoteJson(element) : std::string(element));
        return true;
      });
      return;
    }
    if (!item.IsNull(0)) Add(ToText(item, 0));
  }
  void Add(const std::string& text) { texts_.insert(ignore_case_ ? Fold(text) : text); }

  [[nodiscard]] bool HoldsOne(std::size_t row, const Column& item) const {
    if (item.type == Type::kDynamic && !item.IsNull(row) &&
        KindOf(item.Text(row)) == JsonKind::kArray) {
      bool found = false;
      ForEachElement(item.Text(row), [&](std::string_view element) {
        const ColumnPtr one = ConstantColumn(Value::Dynamic(std::string(element)), 1);
        found = ValuesEqual(*arguments_[0], row, *one, 0, ignore_case_).value_or(false);
        return !found;
      });
      return found;
    }
    return ValuesEqual(*arguments_[0], row, item, row, ignore_case_).value_or(false);
  }

  const Arguments& arguments_;
  const bool ignore_case_;
  bool constant_ = false;
  std::unordered_set<std::string> texts_;
};

template <bool kIn, bool kIgnoreCase>
ColumnPtr In(const EvalContext&, const Arguments& a, std::size_t rows) {
  const ValueList list(a, kIgnoreCase);
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    out.Number(list.Holds(row) == kIn ? 1 : 0);
  });
}

std::optional<Type> BindBetween(const std::vector<Type>& types, std::string& why) {
  for (std::size_t i = 1; i < 3; ++i) {
    const bool span_after = i == 2 && types[0] == Type::kDateTime && types[2] == Type::kTimespan;
    if (Unordered(types[0], types[i]) && !span_after) {
      why = fmt::format("{} and {} have no order", TypeName(types[0]), TypeName(types[i]));
      return std::nullopt;
    }
  }
  return Type::kBool;
}

template <bool kBetween>
ColumnPtr Between(const EvalContext&, const Arguments& a, std::size_t rows) {
  // datetime between (start .. 1d): the end is a span after the start.
  const bool span_end = a[0]->type == Type::kDateTime && a[2]->type == Type::kTimespan;
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<int> low = CompareValues(*a[0], row, *a[1], row);
    std::optional<int> high;
    if (span_end) {
      if (!a[0]->IsNull(row) && !a[1]->IsNull(row) && !a[2]->IsNull(row)) {
        high = Sign(a[0]->Number(row), a[1]->Number(row) + a[2]->Number(row));
      }
    } else {
      high = CompareValues(*a[0], row, *a[2], row);
    }
    if (!low || !high) return out.Null();
    out.Number((*low >= 0 && *high <= 0) == kBetween ? 1 : 0);
  });
}

}  // namespace

std::optional<int> CompareValues(const Column& a, std::size_t i, const Column& b, std::size_t j) {
  if (a.IsNull(i) || b.IsNull(j)) return std::nullopt;
  if (a.type == Type::kDecimal || b.type == Type::kDecimal) {
    const std::optional<Decimal> x = ToDecimal(a, i);
    const std::optional<Decimal> y = ToDecimal(b, j);
    if (!x || !y) return std::nullopt;
    return Compare(*x, *y);
  }
  if (a.type == Type::kDynamic || b.type == Type::kDynamic) {
    if (IsNumeric(a.type) || IsNumeric(b.type)) {
      const std::optional<double> x = ToReal(a, i);
      const std::optional<double> y = ToReal(b, j);
      if (!x || !y) return std::nullopt;
      return Sign(*x, *y);
    }
    return Sign(ToText(a, i), ToText(b, j));
  }
  if (IsText(a.type)) return Sign(a.Text(i), b.Text(j));
  if (a.type == Type::kReal || b.type == Type::kReal) {
    const double x = a.AsReal(i);
    const double y = b.AsReal(j);
    if (std::isnan(x) || std::isnan(y)) return std::nullopt;
    return Sign(x, y);
  }
  return Sign(a.Number(i), b.Number(j));
}

std::optional<bool> ValuesEqual(const Column& a, std::size_t i, const Column& b, std::size_t j,
                                bool ignore_case) {
  const bool null_a = a.IsNull(i);
  const bool null_b = b.IsNull(j);
  if (null_a && null_b) return std::nullopt;
  if (null_a || null_b) return false;
  const bool decimals = a.type == Type::kDecimal || b.type == Type::kDecimal;
  if (decimals || (!IsText(a.type) && !IsText(b.type))) return CompareValues(a, i, b, j) == 0;
  std::string buffer_a;
  std::string buffer_b;
  const std::string_view x = TextView(a, i, buffer_a);
  const std::string_view y = TextView(b, j, buffer_b);
  if (ignore_case) {
    std::string folded_x;
    std::string folded_y;
    return FoldInto(x, folded_x) == FoldInto(y, folded_y);
  }
  if (x == y) return true;
  // A whole number against a text or a dynamic that writes it another way ("007", 7.0).
  if (IsNumeric(a.type) || IsNumeric(b.type)) {
    const std::optional<double> p = ToReal(a, i);
    const std::optional<double> q = ToReal(b, j);
    return p && q && *p == *q;
  }
  // dynamic(true) against true prints "true" and "True".
  if (a.type == Type::kBool || b.type == Type::kBool) return Fold(x) == Fold(y);
  return false;
}

FunctionList CompareFunctions() {
  constexpr std::size_t kMany = 1'000'000;
  return {
      {"==", 2, 2, &BindEquality, &Equality<true, false>},
      {"!=", 2, 2, &BindEquality, &Equality<false, false>},
      {"=~", 2, 2, &BindTextEquality, &Equality<true, true>},
      {"!~", 2, 2, &BindTextEquality, &Equality<false, true>},
      {"<", 2, 2, &BindOrder, &Less},
      {"<=", 2, 2, &BindOrder, &LessEqual},
      {">", 2, 2, &BindOrder, &Greater},
      {">=", 2, 2, &BindOrder, &GreaterEqual},
      {"in", 1, kMany, &BindBool, &In<true, false>},
      {"!in", 1, kMany, &BindBool, &In<false, false>},
      {"in~", 1, kMany, &BindBool, &In<true, true>},
      {"!in~", 1, kMany, &BindBool, &In<false, true>},
      {"between", 3, 3, &BindBetween, &Between<true>},
      {"!between", 3, 3, &BindBetween, &Between<false>},
  };
}

}  // namespace picket::kql

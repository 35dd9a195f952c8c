// and, or, not, and the functions that choose among values.

#include <fmt/format.h>

#include <cmath>

#include "agent/kql/kernel.h"
#include "base/text.h"

namespace picket::kql {
namespace {

std::optional<Type> BindBools(const std::vector<Type>& types, std::string& why) {
  for (const Type type : types) {
    if (type != Type::kBool) {
      why = fmt::format("a bool is needed, not {}", TypeName(type));
      return std::nullopt;
    }
  }
  return Type::kBool;
}

// false and null is false, true or null is true; else null wins.
ColumnPtr And(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    bool null = false;
    for (const ColumnPtr& column : a) {
      if (column->IsNull(row)) {
        null = true;
      } else if (column->Number(row) == 0) {
        return out.Number(0);
      }
    }
    if (null) return out.Null();
    out.Number(1);
  });
}

ColumnPtr Or(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    bool null = false;
    for (const ColumnPtr& column : a) {
      if (column->IsNull(row)) {
        null = true;
      } else if (column->Number(row) != 0) {
        return out.Number(1);
      }
    }
    if (null) return out.Null();
    out.Number(0);
  });
}

ColumnPtr Not(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row)) return out.Null();
    out.Number(a[0]->Number(row) == 0 ? 1 : 0);
  });
}

// The type of a choice among values: numbers widen, a dynamic becomes what the others are, and
// what has no common type becomes dynamic.
Type TypeOfValues(const std::vector<Type>& types) {
  std::optional<Type> common;
  for (const Type type : types) {
    if (type == Type::kDynamic || type == common) continue;
    if (!common) {
      common = type;
    } else if (IsNumeric(type) && IsNumeric(*common)) {
      common = type == Type::kReal || common == Type::kReal ? Type::kReal : Type::kLong;
    } else {
      return Type::kDynamic;
    }
  }
  return common.value_or(Type::kDynamic);
}

std::optional<Type> BindAlike(const std::vector<Type>& types, std::string& why) {
  for (const Type type : types) {
    if (type == types[0] || (IsNumeric(type) && IsNumeric(types[0]))) continue;
    why = fmt::format("the values are of different types: {} and {}", TypeName(types[0]),
                      TypeName(type));
    return std::nullopt;
  }
  return TypeOfValues(types);
}

std::optional<Type> BindCase(const std::vector<Type>& types, std::string& why) {
  std::vector<Type> values;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (i % 2 == 0 && i + 1 < types.size()) {
      if (types[i] != Type::kBool && types[i] != Type::kDynamic) {
        why = fmt::format("condition {} is a {}, not a bool", i / 2 + 1, TypeName(types[i]));
        return std::nullopt;
      }
    } else {
      values.push_back(types[i]);
    }
  }
  if (types.size() % 2 == 0) {
    why = "the value for no condition (the last one) is missing";
    return std::nullopt;
  }
  return TypeOfValues(values);
}

void AppendAs(ColumnBuilder& out, Type type, const Column& from, std::size_t row) {
  if (type == Type::kDynamic && from.type != Type::kDynamic) {
    if (from.IsNull(row)) return out.Null();
    return out.Text(ToJsonText(from, row));
  }
  if (from.type != Type::kDynamic || type == Type::kDynamic) return out.AppendFrom(from, row);
  const ColumnPtr one = ConstantColumn(from.Get(row), 1);
  out.Append(FindFunction(ConverterTo(type))->run({}, {one}, 1)->Get(0));
}

// A null condition counts as not true.
ColumnPtr Case(const EvalContext&, const Arguments& a, std::size_t rows) {
  std::vector<Type> types;
  for (std::size_t i = 1; i < a.size(); i += 2) types.push_back(a[i]->type);
  types.push_back(a.back()->type);
  const Type type = TypeOfValues(types);
  return MapRows(type, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    for (std::size_t i = 0; i + 1 < a.size(); i += 2) {
      const Column& condition = *a[i];
      const bool holds = !condition.IsNull(row) &&
                         (condition.type == Type::kDynamic ? condition.Text(row) == "true"
                                                           : condition.Number(row) != 0);
      if (holds) return AppendAs(out, type, *a[i + 1], row);
    }
    AppendAs(out, type, *a.back(), row);
  });
}

ColumnPtr Coalesce(const EvalContext&, const Arguments& a, std::size_t rows) {
  std::vector<Type> types;
  for (const ColumnPtr& column : a) types.push_back(column->type);
  const Type type = TypeOfValues(types);
  return MapRows(type, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    for (const ColumnPtr& column : a) {
      const bool empty =
          column->IsNull(row) || (column->type == Type::kString && column->Text(row).empty());
      if (!empty) return AppendAs(out, type, *column, row);
    }
    AppendAs(out, type, *a.back(), row);
  });
}

// The largest (kSign 1) or smallest value; nulls are left out.
template <int kSign>
ColumnPtr ExtremeOf(const EvalContext&, const Arguments& a, std::size_t rows) {
  std::vector<Type> types;
  for (const ColumnPtr& column : a) types.push_back(column->type);
  const Type type = TypeOfValues(types);
  return MapRows(type, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const Column* best = nullptr;
    for (const ColumnPtr& column : a) {
      if (column->IsNull(row)) continue;
      const bool better =
          best == nullptr || CompareValues(*column, row, *best, row).value_or(0) * kSign > 0;
      if (better) best = column.get();
    }
    if (best == nullptr) return out.Null();
    AppendAs(out, type, *best, row);
  });
}

// around(x, center, delta): between center - delta and center + delta.
ColumnPtr Around(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row) || a[1]->IsNull(row) || a[2]->IsNull(row)) return out.Null();
    const double distance = a[0]->AsReal(row) - a[1]->AsReal(row);
    out.Bool(std::fabs(distance) <= a[2]->AsReal(row));
  });
}

// assert(condition, message): said when the query is bound; then there is nothing left to do.
std::optional<std::string> CheckAssertion(const std::vector<const Value*>& values) {
  if (values[0] == nullptr) return "the condition must be a constant";
  if (values[1] == nullptr) return "the message must be a constant";
  if (!values[0]->null && values[0]->number != 0) return std::nullopt;
  return EscapeTerminal(values[1]->text);
}
ColumnPtr Assert(const EvalContext&, const Arguments&, std::size_t rows) {
  return ConstantColumn(Value::Bool(true), rows);
}

}  // namespace

FunctionList LogicFunctions() {
  FunctionList list = Declare({
      {"around(value: summable, center: summable, delta: summable): bool", &Around},
      {"assert(condition: bool, message: string): bool", &Assert},
      {"case(predicate: scalar, then: scalar, else: scalar, ...): same as the values", &Case,
       &BindCase},
      {"coalesce(value: scalar, value: scalar, ... 64): same as the values", &Coalesce, &BindAlike},
      {"iff(predicate: scalar, then: scalar, else: scalar): same as the values", &Case, &BindCase},
      {"max_of(value: orderable, value: orderable, ... 64): same as the values", &ExtremeOf<1>,
       &BindAlike},
      {"min_of(value: orderable, value: orderable, ... 64): same as the values", &ExtremeOf<-1>,
       &BindAlike},
      {"not(value: scalar): bool", &Not, &BindBools},
  });
  for (Function& function : list) {
    if (function.name == "assert") function.check = &CheckAssertion;
  }
  list.push_back({"and", 2, 2, &BindBools, &And});
  list.push_back({"or", 2, 2, &BindBools, &Or});
  return list;
}

}  // namespace picket::kql

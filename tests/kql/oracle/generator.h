#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "tests/kql/oracle/dice.h"
#include "tests/kql/oracle/evaluate.h"

namespace picket::kql::oracle {

// The time at which random queries run.
inline constexpr Instant kNow{639'000'000'000'000'000};

struct Case {
  Program program;
  Table answer;  // by the oracle
};
// A random query over random tables of the catalog (T and U) and datatables, each with up to 20
// rows. What the language leaves open is not asked for.
Case MakeCase(Dice& dice);

// Values and tables. values.cc.
Datum RandomValue(Dice& dice, Type type);
Table RandomTable(Dice& dice, const Columns& columns);
Columns ColumnsOfT();
Columns ColumnsOfU();

// Expressions over the columns of a table. generate_expression.cc.
class Expressions {
 public:
  Expressions(Dice& dice, const Names& names, const Columns& columns)
      : dice_(dice), names_(names), columns_(columns) {}

  ExprPtr Of(Type type, int depth);
  ExprPtr Condition(int depth) { return Of(Type::kBool, depth); }
  // A column of the type, if there is one.
  ExprPtr ColumnOf(Type type);
  ExprPtr AnyColumn(bool with_dynamics);
  Type AnyType();

 private:
  ExprPtr Simple(Type type);
  ExprPtr Compound(Type type, int depth);
  ExprPtr BoolOf(int depth);
  ExprPtr Comparison(int depth);
  ExprPtr ComparisonWithTable(int depth);
  ExprPtr TextCondition(int depth);
  ExprPtr DynamicCondition(int depth);
  ExprPtr Membership(int depth);
  ExprPtr MembershipInTable(int depth);
  ExprPtr LongOf(int depth);
  ExprPtr RealOf(int depth);
  ExprPtr StringOf(int depth);
  ExprPtr DateTimeOf(int depth);
  ExprPtr TimespanOf(int depth);
  ExprPtr DynamicOf(int depth);
  ExprPtr ChoiceOf(Type type, int depth);
  ExprPtr Path();

  Dice& dice_;
  const Names& names_;
  const Columns& columns_;
};

ExprPtr LiteralOf(Datum value);
ExprPtr ColumnExpr(const Column& column);
ExprPtr Call(std::string op, Type type, std::vector<ExprPtr> args);

}  // namespace picket::kql::oracle

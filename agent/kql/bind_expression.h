#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/ast.h"
#include "agent/kql/bind_scope.h"
#include "agent/kql/plan.h"

namespace picket::kql {

// Thrown within the binder only; Bind() catches it.
struct BindStop {
  Diagnostic diagnostic;
};
[[noreturn]] void Refuse(Span span, std::string code, std::string message, std::string hint = {});

class Binder;

// A column that an expression makes: with its name, "" where it has none.
struct BoundColumn {
  std::string name;
  Expression value;
  bool of_tuple = false;  // by a function of several columns
};

// Binds expressions against the columns of one relation and what lets and parameters are in sight.
class ExpressionBinder {
 public:
  // Gives the column that holds an aggregate's value, or nothing where the call is no aggregate.
  using Aggregates = std::function<std::optional<Expression>(const Ast& call)>;

  ExpressionBinder(Binder& binder, const Schema& schema, const Scope* scope)
      : binder_(binder), schema_(schema), scope_(scope) {}

  Expression Bind(const Ast& ast);
  // What `x = f()`, `(x, y) = f()` or `f()` makes: a column, or several where f is a function of
  // several columns: as many as have names, and all where none has.
  std::vector<BoundColumn> BindColumns(const Ast& ast);
  // The condition of where, countif …: a bool is needed.
  Expression BindCondition(const Ast& ast);
  void SetAggregates(Aggregates aggregates) { aggregates_ = std::move(aggregates); }

 private:
  Expression Name(const Ast& ast);
  Expression Call(const Ast& ast);
  Expression ColumnIfExists(const Ast& ast);
  Expression BinAuto(const Ast& ast);
  Expression IngestionTime(const Ast& ast);
  // bind_call.cc
  Expression CallEntry(const Ast& ast);
  std::optional<Expression> TupleElement(const Ast& ast);
  std::optional<Expression> CallOnColumns(const Ast& ast);
  std::vector<Expression> NamedColumns(const std::vector<AstPtr>& chosen);
  [[nodiscard]] const Function* TupleFunction(const Ast& ast) const;
  Expression ToScalar(const Ast& ast);
  static void CheckConstants(const Expression& call, const Ast& ast);
  Expression CallFunction(const Scope& function, const Ast& ast);
  std::vector<Expression> BindArguments(const Ast& ast, std::size_t count);
  [[noreturn]] void UnknownName(const Ast& ast);

  Binder& binder_;
  const Schema& schema_;
  const Scope* scope_;
  Aggregates aggregates_;
};

// A call of the function table's entry, checked; of constants, the constant.
Expression Apply(std::string_view name, Span span, std::vector<Expression> arguments);
// The expression as another type, by the function that converts to it.
// A decimal goes as a real to what computes with reals.
void TakeDecimalsAsReals(const Signature& signature, std::vector<Expression>& arguments, Span span);
Expression Convert(Expression expression, Type type, Span span);

// What a query writes → the entry of the tables of functions.
std::string_view FunctionName(std::string_view written);

Expression Literal(Value value);
Expression ColumnOf(const Schema& schema, std::size_t index);
std::optional<std::size_t> FindColumn(const Schema& schema, std::string_view name);

// What an expression of scan calls `step.column`.
std::string StepColumn(std::string_view step, std::string_view column);

// known_functions.cc
bool IsFunctionOfKusto(std::string_view name);
[[noreturn]] void UnknownFunction(std::string_view name, Span span);

// bind_name.cc
// Kusto's name of a column without one: "a_b" for a path, "strlen_a", "count_"; "" when there is
// none, and the column is Column1, Column2 ….
std::string AutomaticName(const Ast& ast);
// The name with the first free number behind it, if need be.
std::string UniqueName(const Schema& schema, std::string name);

}  // namespace picket::kql

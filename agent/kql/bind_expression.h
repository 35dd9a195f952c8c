#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/ast.h"
#include "agent/kql/plan.h"

namespace picket::kql {

// Thrown within the binder only; Bind() catches it.
struct BindStop {
  Diagnostic diagnostic;
};
[[noreturn]] void Refuse(Span span, std::string code, std::string message, std::string hint = {});

// Binds expressions against the columns of one relation and the scalar lets.
class ExpressionBinder {
 public:
  using Lets = std::map<std::string, const Ast*, std::less<>>;
  ExpressionBinder(const Schema& schema, const Lets& lets) : schema_(schema), lets_(lets) {}

  Expression Bind(const Ast& ast);
  // The condition of where, countif …: a bool is needed.
  Expression BindCondition(const Ast& ast);

 private:
  Expression Name(const Ast& ast);
  Expression Call(const Ast& ast);
  Expression Apply(const std::string& name, Span span, std::vector<Expression> arguments);

  const Schema& schema_;
  const Lets& lets_;
  int depth_ = 0;  // of lets that use lets
};

Expression Literal(Value value);
Expression ColumnOf(const Schema& schema, std::size_t index);
std::optional<std::size_t> FindColumn(const Schema& schema, std::string_view name);
// Kusto's name of a column without one: "a_b" for a path, the column's for a function of one
// column; "" when there is none.
std::string AutomaticName(const Ast& ast);

}  // namespace picket::kql

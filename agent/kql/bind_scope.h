#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "agent/kql/ast.h"
#include "agent/kql/plan.h"

namespace picket::kql {

// What a let or a parameter stands for. Scopes form a chain, one link a name, so that what a let
// says is bound where the let stands: it sees what came before it, never itself.
struct Scope {
  enum class Kind : std::uint8_t {
    kFunctionStart,  // names above may be declared again
    kScalar,         // ast, bound in `parent` where it is used
    kValue,          // value: an argument, bound by the caller in the caller's row
    kTable,          // table, bound in `defined`
    kTableAst,       // ast: a name, a call or (…) that gives rows, bound in `defined`
    kRows,           // rows: invoke's input; copied where it is used
    kFunction,       // function, whose body is bound in `parent`
  };
  Kind kind = Kind::kFunctionStart;
  const Scope* parent = nullptr;
  std::string_view name;
  const Ast* ast = nullptr;
  const Pipeline* table = nullptr;
  const FunctionAst* function = nullptr;
  const Scope* defined = nullptr;
  std::optional<Expression> value;
  PlanPtr rows;
};

// The nearest with the name, or nullptr.
const Scope* FindName(const Scope* scope, std::string_view name);
inline bool IsTable(const Scope& scope) {
  return scope.kind == Scope::Kind::kTable || scope.kind == Scope::Kind::kTableAst ||
         scope.kind == Scope::Kind::kRows;
}

}  // namespace picket::kql

// Lets, and the functions that they declare.

#include <fmt/format.h>

#include "agent/kql/bind_core.h"
#include "base/text.h"

namespace picket::kql {
namespace {

constexpr int kMostNested = 16;  // of names that stand for names, when asking what they are

const ParameterAst* FindParameter(const FunctionAst& function, std::string_view name) {
  for (const ParameterAst& parameter : function.parameters) {
    if (parameter.name == name) return &parameter;
  }
  return nullptr;
}

}  // namespace

Scope* Binder::Link(const Scope* parent, Scope::Kind kind, std::string_view name) {
  Scope& link = scopes_.emplace_back();
  link.kind = kind;
  link.parent = parent;
  link.name = name;
  return &link;
}

const Scope* Binder::Declare(const std::vector<LetAst>& lets, const Scope* scope) {
  for (const LetAst& let : lets) {
    for (const Scope* link = scope; link && link->kind != Scope::Kind::kFunctionStart;
         link = link->parent) {
      if (link->name == let.name) {
        Refuse(let.span, "KS201", fmt::format("'{}' is declared twice", EscapeTerminal(let.name)));
      }
    }
    Scope* link = Link(scope, Scope::Kind::kTable, let.name);
    link->defined = scope;
    if (let.function) {
      link->kind = Scope::Kind::kFunction;
      link->function = let.function.get();
    } else if (let.table) {
      link->table = let.table.get();
      Pipe(*let.table, scope);  // now for its errors, and again where it is used
    } else {
      DeclareScalar(let, scope, *link);
    }
    scope = link;
  }
  return scope;
}

void Binder::DeclareScalar(const LetAst& let, const Scope* before, Scope& link) {
  link.ast = let.scalar.get();
  if (IsTabular(*let.scalar, before)) {
    link.kind = Scope::Kind::kTableAst;
    TableOf(*let.scalar, before);
  } else {
    link.kind = Scope::Kind::kScalar;
    ExpressionBinder(*this, kNoColumns, before).Bind(*let.scalar);
  }
}

bool Binder::NamesTable(const Scope* scope, std::string_view name) const {
  const Scope* found = FindName(scope, name);
  return found != nullptr ? IsTable(*found) : catalog_.Find(name) != nullptr;
}

bool Binder::IsTabular(const Ast& ast, const Scope* scope, int depth) const {
  if (ast.kind == AstKind::kTable) return true;
  if (ast.kind == AstKind::kName) {
    const Scope* found = FindName(scope, ast.text);
    if (found != nullptr && found->kind == Scope::Kind::kFunction) {
      return IsTabular(*found->function, found->parent, depth + 1);
    }
    return NamesTable(scope, ast.text);
  }
  if (ast.kind != AstKind::kCall) return false;
  if (ast.text == "table" || ast.text == "materialize" || ast.text == "_GetWatchlist") return true;
  const Scope* found = FindName(scope, ast.text);
  return found != nullptr && found->kind == Scope::Kind::kFunction &&
         IsTabular(*found->function, found->parent, depth + 1);
}

bool Binder::IsTabular(const FunctionAst& function, const Scope* scope, int depth) const {
  if (function.body->body) return true;
  const Ast& result = *function.body->scalar;
  if (result.kind == AstKind::kName) {
    const ParameterAst* parameter = FindParameter(function, result.text);
    if (parameter != nullptr) return !parameter->type;
    for (const LetAst& let : function.body->lets) {
      if (let.name != result.text) continue;
      return let.table ||
             (let.scalar && depth < kMostNested && IsTabular(*let.scalar, scope, depth + 1));
    }
  }
  return depth < kMostNested && IsTabular(result, scope, depth);
}

// The value as the parameter's type; numbers widen, and a dynamic is converted.
Expression Binder::ParameterValue(const ParameterAst& parameter, Expression value, Span span) {
  if (value.type == *parameter.type) return value;
  const bool fits = (IsNumeric(value.type) && IsNumeric(*parameter.type)) ||
                    value.type == Type::kDynamic || *parameter.type == Type::kDynamic;
  if (!fits) {
    Refuse(span, "KS141",
           fmt::format("the parameter '{}' takes {}, not {}", EscapeTerminal(parameter.name),
                       TypeName(*parameter.type), TypeName(value.type)));
  }
  return Convert(std::move(value), *parameter.type, span);
}

void Binder::Argument(const ParameterAst& parameter, const Ast* argument, const Scope* caller,
                      const Scope& function, Scope& link) {
  if (!parameter.type) {
    link.kind = Scope::Kind::kTableAst;
    link.ast = argument;
    link.defined = caller;
    const PlanPtr table = TableOf(*argument, caller);
    for (const ColumnSchema& column : parameter.columns) {
      const auto place = FindColumn(table->schema, column.name);
      if (!place || table->schema[*place].type != column.type) {
        Refuse(argument->span, "KS141",
               fmt::format("the table has no column '{}' of type {}", EscapeTerminal(column.name),
                           TypeName(column.type)));
      }
    }
    return;
  }
  const Ast& ast = argument != nullptr ? *argument : *parameter.fallback;
  link.value = ParameterValue(
      parameter,
      ExpressionBinder(*this, kNoColumns, argument != nullptr ? caller : function.parent).Bind(ast),
      ast.span);
}

std::vector<const Ast*> Binder::InOrder(const Scope& function, Span span,
                                        const std::vector<const Ast*>& arguments,
                                        std::size_t first) {
  const std::vector<ParameterAst>& parameters = function.function->parameters;
  std::vector<const Ast*> ordered(parameters.size(), nullptr);
  const auto refuse = [&] {
    Refuse(
        span, "KS119",
        fmt::format("'{}' takes {} arguments", EscapeTerminal(function.name), parameters.size()));
  };
  std::size_t at = first;
  for (const Ast* argument : arguments) {
    std::size_t place = at++;  // a named one takes up a place too
    if (argument->kind == AstKind::kAssign) {
      for (place = 0; place < parameters.size(); ++place) {
        if (parameters[place].name == argument->text) break;
      }
    }
    if (place >= parameters.size() || place < first || ordered[place] != nullptr) refuse();
    ordered[place] = &Inside(*argument);
  }
  for (std::size_t i = first; i < parameters.size(); ++i) {
    if (ordered[i] == nullptr && !parameters[i].fallback) refuse();
  }
  return ordered;
}

PlanPtr Binder::CallTable(const Scope& function, Span span,
                          const std::vector<const Ast*>& arguments, const Scope* caller,
                          PlanPtr first) {
  const Step step(*this, span);
  const FunctionAst& ast = *function.function;
  if (first && (ast.parameters.empty() || ast.parameters[0].type)) {
    Refuse(span, "KS141", "invoke needs a function whose first parameter is a table");
  }
  const std::vector<const Ast*> ordered = InOrder(function, span, arguments, first ? 1 : 0);
  const Scope* scope = Link(function.parent, Scope::Kind::kFunctionStart, {});
  for (std::size_t i = 0; i < ast.parameters.size(); ++i) {
    Scope* link = Link(scope, Scope::Kind::kValue, ast.parameters[i].name);
    scope = link;
    if (first) {
      link->kind = Scope::Kind::kRows;
      link->rows = std::move(first);
    } else {
      Argument(ast.parameters[i], ordered[i], caller, function, *link);
    }
  }
  scope = Declare(ast.body->lets, scope);
  PlanPtr table;
  if (ast.body->body) {
    table = Pipe(*ast.body->body, scope);
  } else if (IsTabular(*ast.body->scalar, scope)) {
    table = TableOf(*ast.body->scalar, scope);
  }
  if (table) {
    if (ast.view) table->name = function.name;
    return table;
  }
  Refuse(span, "KS109",
         fmt::format("'{}' gives a scalar, not a table", EscapeTerminal(function.name)));
}

// The arguments may name columns of the caller's row; the body sees none of its own, so they mean
// the same inside.
Expression Binder::CallScalar(const Scope& function, const Ast& call, const Scope* caller,
                              const std::vector<const Ast*>& written,
                              std::vector<std::optional<Expression>> arguments) {
  const Step step(*this, call.span);
  const FunctionAst& ast = *function.function;
  const Scope* scope = Link(function.parent, Scope::Kind::kFunctionStart, {});
  for (std::size_t i = 0; i < ast.parameters.size(); ++i) {
    const ParameterAst& parameter = ast.parameters[i];
    Scope* link = Link(scope, Scope::Kind::kValue, parameter.name);
    scope = link;
    if (!parameter.type) {
      Argument(parameter, written[i], caller, function, *link);
    } else if (arguments[i]) {
      link->value = ParameterValue(parameter, *std::move(arguments[i]), call.span);
    } else {
      Argument(parameter, nullptr, nullptr, function, *link);
    }
  }
  scope = Declare(ast.body->lets, scope);
  if (!ast.body->scalar || IsTabular(*ast.body->scalar, scope)) {
    Refuse(
        call.span, "KS108",
        fmt::format("'{}' gives a table; a scalar is needed here", EscapeTerminal(function.name)));
  }
  return ExpressionBinder(*this, kNoColumns, scope).Bind(*ast.body->scalar);
}

}  // namespace picket::kql

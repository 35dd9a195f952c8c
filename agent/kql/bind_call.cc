// Calls of the function table that are more than a call: functions that give several columns, that
// take all columns of the row, or that are told a type.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "agent/kql/bind_core.h"
#include "base/text.h"

namespace picket::kql {
namespace {

bool IsTyped(const Ast& call) {
  const std::string_view name = FunctionName(call.text);
  const bool takes_type = name == "extract" || name == "extract_all" || name == "extract_json";
  return takes_type && !call.children.empty() && call.children.back()->kind == AstKind::kTyped;
}

// One value of the array that a function of several columns gives.
Expression Component(Expression call, std::size_t index, Type type, Span span) {
  std::vector<Expression> arguments;
  arguments.push_back(std::move(call));
  arguments.push_back(Literal(Value::Long(static_cast<std::int64_t>(index))));
  return Convert(Apply("index", span, std::move(arguments)), type, span);
}

// Whether it is known to give an array or a bag: most functions that give a dynamic do.
bool IsArrayOrBag(const Ast& ast) {
  if (ast.kind == AstKind::kLiteral && ast.value.type == Type::kDynamic) {
    return ast.value.text.starts_with('[') || ast.value.text.starts_with('{');
  }
  const Function* function =
      ast.kind == AstKind::kCall ? FindFunction(FunctionName(ast.text)) : nullptr;
  if (function == nullptr || !function->signature) return false;
  static constexpr std::array<std::string_view, 3> kAny = {"parse_json", "todynamic",
                                                           "extract_json"};
  return function->signature->result == Type::kDynamic &&
         std::find(kAny.begin(), kAny.end(), function->name) == kAny.end();
}

// todynamic() reads a text, which may come as a dynamic; not as one that cannot hold a text.
void CheckText(const Ast& call, const std::vector<Expression>& arguments) {
  if (arguments.size() != 1) return;
  if (IsText(arguments[0].type) && !IsArrayOrBag(*call.children[0])) return;
  Refuse(call.children[0]->span, "KS107", fmt::format("{}() takes a text here", call.text));
}

Schema ColumnsOf(const Function& function, const Ast& call,
                 const std::vector<Expression>& arguments) {
  std::vector<std::string> names;
  std::vector<Type> types;
  for (const AstPtr& child : call.children) names.push_back(AutomaticName(*child));
  for (const Expression& argument : arguments) types.push_back(argument.type);
  return function.tuple(names, types);
}

}  // namespace

const Function* ExpressionBinder::TupleFunction(const Ast& ast) const {
  if (ast.kind != AstKind::kCall) return nullptr;
  const Scope* let = FindName(scope_, ast.text);
  if (let != nullptr && let->kind == Scope::Kind::kFunction) return nullptr;
  const Function* function = FindFunction(FunctionName(ast.text));
  return function != nullptr && function->tuple != nullptr ? function : nullptr;
}

std::vector<BoundColumn> ExpressionBinder::BindColumns(const Ast& ast) {
  const Ast& inside = Inside(ast);
  std::vector<std::string> given =
      ast.kind == AstKind::kAssign ? ast.names : std::vector<std::string>{};
  if (ast.kind == AstKind::kAssign && given.empty()) given.push_back(ast.text);
  const Function* tuple = TupleFunction(inside);
  if (tuple == nullptr) {
    if (given.size() > 1) {
      Refuse(ast.span, "KS150", "there are more names than values");
    }
    std::vector<BoundColumn> one;
    one.push_back({AutomaticName(ast), Bind(inside)});
    return one;
  }
  const Binder::Step step(binder_, inside.span);
  std::vector<Expression> arguments = BindArguments(inside, inside.children.size());
  const Schema columns = ColumnsOf(*tuple, inside, arguments);
  const Expression call = Apply(tuple->name, inside.span, std::move(arguments));
  if (given.size() > columns.size()) Refuse(ast.span, "KS150", "there are more names than values");
  const std::size_t count = given.empty() ? columns.size() : given.size();
  std::vector<BoundColumn> made;
  for (std::size_t i = 0; i < count; ++i) {
    binder_.Charge(call, inside.span);
    made.push_back({given.empty() ? columns[i].name : given[i],
                    Component(call, i, columns[i].type, inside.span),
                    /*of_tuple=*/true});
  }
  return made;
}

// Within an expression a function of several columns is its first.
Expression ExpressionBinder::CallEntry(const Ast& ast) {
  const std::string_view name = FunctionName(ast.text);
  const bool typed = IsTyped(ast);
  std::vector<Expression> arguments = BindArguments(ast, ast.children.size() - (typed ? 1 : 0));
  if (const Function* tuple = TupleFunction(ast)) {
    const Type type = ColumnsOf(*tuple, ast, arguments).at(0).type;
    return Component(Apply(name, ast.span, std::move(arguments)), 0, type, ast.span);
  }
  if (name == "todynamic") CheckText(ast, arguments);
  Expression value = Apply(name, ast.span, std::move(arguments));
  if (value.function != nullptr && value.function->window) CheckConstants(value, ast);
  if (typed) return Convert(std::move(value), ast.children.back()->type, ast.span);
  // The recorded engine counts weeks as reals, whatever its documentation says.
  const Ast* part = ast.children.empty() ? nullptr : ast.children[0].get();
  const bool weeks = name == "datetime_diff" && part->kind == AstKind::kLiteral &&
                     EqualsIgnoreCase(part->value.text, "week");
  if (weeks) return Convert(std::move(value), Type::kReal, ast.span);
  return value;
}

// f(…)[i] is the i-th of the columns that f gives.
std::optional<Expression> ExpressionBinder::TupleElement(const Ast& ast) {
  const Ast& call = *ast.children[0];
  const Ast& index = *ast.children[1];
  const Function* tuple = TupleFunction(call);
  if (tuple == nullptr || index.kind != AstKind::kLiteral || !IsNumeric(index.value.type)) {
    return std::nullopt;
  }
  std::vector<Expression> arguments = BindArguments(call, call.children.size());
  const Schema columns = ColumnsOf(*tuple, call, arguments);
  const auto place = static_cast<std::size_t>(index.value.number);
  if (place >= columns.size()) return std::nullopt;
  return Component(Apply(tuple->name, call.span, std::move(arguments)), place, columns[place].type,
                   ast.span);
}

// Names and values of columns in pairs: of all columns, or of those that the arguments name.
std::vector<Expression> ExpressionBinder::NamedColumns(const std::vector<AstPtr>& chosen) {
  std::vector<Expression> pairs;
  const auto add = [&](std::size_t column) {
    pairs.push_back(Literal(Value::String(schema_[column].name)));
    pairs.push_back(ColumnOf(schema_, column));
  };
  for (const AstPtr& ast : chosen) {
    const auto column = ast->kind == AstKind::kName ? FindColumn(schema_, ast->text) : std::nullopt;
    if (!column) Refuse(ast->span, "KS109", "a column is needed here");
    add(*column);
  }
  for (std::size_t i = 0; chosen.empty() && i < schema_.size(); ++i) add(i);
  return pairs;
}

std::optional<Expression> ExpressionBinder::CallOnColumns(const Ast& ast) {
  const std::string_view name = FunctionName(ast.text);
  const bool star = ast.children.size() == 1 && ast.children[0]->kind == AstKind::kStar;
  if (name == "pack_array" && star) {
    std::vector<Expression> columns;
    for (std::size_t i = 0; i < schema_.size(); ++i) columns.push_back(ColumnOf(schema_, i));
    return Apply("pack_array", ast.span, std::move(columns));
  }
  if (name == "bag_pack_columns" && !ast.children.empty()) {
    return Apply("bag_pack", ast.span, NamedColumns(ast.children));
  }
  if (name != "pack_all") return std::nullopt;
  if (ast.children.size() > 1) Refuse(ast.span, "KS119", "pack_all() takes one argument at most");
  bool skip_empty = false;
  if (!ast.children.empty()) {
    const Expression flag = Bind(*ast.children[0]);
    if (flag.kind != Expression::Kind::kLiteral || flag.type != Type::kBool) {
      Refuse(ast.children[0]->span, "KS141", "pack_all() takes true or false");
    }
    skip_empty = flag.value.number != 0;
  }
  return Apply(skip_empty ? "pack_all(true)" : "bag_pack", ast.span, NamedColumns({}));
}

}  // namespace picket::kql

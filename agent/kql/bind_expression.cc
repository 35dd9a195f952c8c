#include "agent/kql/bind_expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "agent/kql/bind_core.h"
#include "agent/kql/geo_shapes.h"
#include "agent/kql/program.h"
#include "base/text.h"

namespace picket::kql {
namespace {

// Folding stops at what is small: text that grows is computed where memory is charged.
constexpr std::size_t kMostFoldedBytes = 1024;

bool Folds(const Function& function, const std::vector<Expression>& arguments) {
  // What depends on the query's clock waits for the run.
  const bool clock = function.name == "now" || function.name == "ago";
  if (clock || function.varies || arguments.empty()) return false;
  std::size_t bytes = 0;
  for (const Expression& argument : arguments) {
    if (argument.kind != Expression::Kind::kLiteral) return false;
    bytes += argument.value.text.size();
  }
  return bytes <= kMostFoldedBytes;
}

void CheckConstants(const Function& function, Span span, const std::vector<Expression>& arguments) {
  if (function.check == nullptr) return;
  std::vector<const Value*> values;
  for (const Expression& argument : arguments) {
    const bool constant = argument.kind == Expression::Kind::kLiteral;
    values.push_back(constant ? &argument.value : nullptr);
  }
  if (const auto wrong = function.check(values)) {
    Refuse(span, "PK104", fmt::format("{}(): {}", function.name, *wrong));
  }
}

}  // namespace

void UnknownFunction(std::string_view name, Span span) {
  if (name.starts_with("geo_") && !HasGeoShapes()) {
    Refuse(
        span, "PK100",
        fmt::format("'{}' needs S2, which this build of Picket is without", EscapeTerminal(name)));
  }
  if (name.starts_with("hll") || name == "dcount_hll") {
    Refuse(span, "PK100",
           fmt::format("the function '{}' is not supported: Picket has no sketches", name),
           "Count them by dcount() over the rows: it is exact here.");
  }
  if (name.find("tdigest") != std::string_view::npos && IsFunctionOfKusto(name)) {
    Refuse(span, "PK100",
           fmt::format("the function '{}' is not supported: Picket has no sketches", name),
           "Take percentile() over the rows: it is exact here.");
  }
  if (IsFunctionOfKusto(name)) {
    Refuse(span, "PK100", fmt::format("the function '{}' is not supported yet", name));
  }
  const std::string_view nearest = Nearest(name, FunctionNames());
  Refuse(span, "KS211", fmt::format("there is no function '{}'", EscapeTerminal(name)),
         nearest.empty() ? "" : fmt::format("Did you mean '{}'?", nearest));
}

void Refuse(Span span, std::string code, std::string message, std::string hint) {
  throw BindStop{{.code = std::move(code),
                  .message = std::move(message),
                  .span = span,
                  .hint = std::move(hint)}};
}

std::string_view FunctionName(std::string_view written) {
  static const std::map<std::string_view, std::string_view> kAliases = {
      {"toreal", "todouble"},
      {"parsejson", "parse_json"},
      {"pack", "bag_pack"},
      {"arraylength", "array_length"},
      {"iif", "iff"},
      {"columnifexists", "column_ifexists"},
      {"argmax", "arg_max"},
      {"argmin", "arg_min"},
      {"notempty", "isnotempty"},
      {"notnull", "isnotnull"},
      {"toobject", "todynamic"},
      {"extractall", "extract_all"},
      {"array_strcat", "strcat_array"},
      {"array_iif", "array_iff"},
      {"array_sum", "series_sum"},
      {"base64_decodestring", "base64_decode_tostring"},
      {"base64_encodestring", "base64_encode_tostring"},
      {"datepart", "datetime_part"},
      {"extractjson", "extract_json"},
      {"make_string", "unicode_codepoints_to_string"},
      {"pack_dictionary", "bag_pack"},
      {"parseurl", "parse_url"},
      {"parseurlquery", "parse_urlquery"},
      {"to_utf8", "unicode_codepoints_from_string"},
      {"toboolean", "tobool"},
      {"totime", "totimespan"},
      {"weekofyear", "week_of_year"}};
  const auto found = kAliases.find(written);
  return found == kAliases.end() ? written : found->second;
}

Expression Literal(Value value) {
  Expression expression;
  expression.kind = Expression::Kind::kLiteral;
  expression.type = value.type;
  expression.value = std::move(value);
  return expression;
}

Expression ColumnOf(const Schema& schema, std::size_t index) {
  Expression expression;
  expression.kind = Expression::Kind::kColumn;
  expression.type = schema[index].type;
  expression.column = index;
  return expression;
}

// No name of a query has the mark in it.
std::string StepColumn(std::string_view step, std::string_view column) {
  return std::string(step) + '\x01' + std::string(column);
}

std::optional<std::size_t> FindColumn(const Schema& schema, std::string_view name) {
  for (std::size_t i = 0; i < schema.size(); ++i) {
    if (schema[i].name == name) return i;
  }
  return std::nullopt;
}

void TakeDecimalsAsReals(const Signature& signature, std::vector<Expression>& arguments,
                         Span span) {
  for (std::size_t i = 0; i < std::min(arguments.size(), signature.most); ++i) {
    if (arguments[i].type != Type::kDecimal) continue;
    const ParameterKind kind = ParameterOf(signature, i).kind;
    const bool real = kind == ParameterKind::kReal || kind == ParameterKind::kNumber ||
                      (kind == ParameterKind::kSummable && signature.result);
    if (real) arguments[i] = Convert(std::move(arguments[i]), Type::kReal, span);
  }
}

namespace {

// What a dynamic is taken for beside a value of the type, as an operand of arithmetic.
std::optional<Type> OperandBeside(std::string_view op, Type type) {
  if (type == Type::kInt || type == Type::kLong) return Type::kLong;
  if (type == Type::kReal || type == Type::kDecimal) return type;
  if (op != "+" && op != "-") return std::nullopt;
  if (type == Type::kTimespan) return type;
  if (type == Type::kDateTime) return op == "+" ? Type::kTimespan : Type::kDateTime;
  return std::nullopt;
}

// `d - 1.0`: as Microsoft's binder has it, a dynamic follows the other operand. Two dynamics have
// no arithmetic.
void TakeDynamicOperand(std::string_view op, std::vector<Expression>& arguments, Span span) {
  static constexpr std::string_view kArithmetic = "+-*/%";
  if (op.size() != 1 || kArithmetic.find(op[0]) == std::string_view::npos) return;
  if (arguments.size() != 2) return;
  const std::size_t at = arguments[0].type == Type::kDynamic ? 0 : 1;
  if (arguments[at].type != Type::kDynamic) return;
  if (const auto type = OperandBeside(op, arguments[1 - at].type)) {
    arguments[at] = Convert(std::move(arguments[at]), *type, span);
  }
}

}  // namespace

Expression Apply(std::string_view name, Span span, std::vector<Expression> arguments) {
  const Function* function = FindFunction(name);
  if (function == nullptr) UnknownFunction(name, span);
  if (function->signature) TakeDecimalsAsReals(*function->signature, arguments, span);
  TakeDynamicOperand(name, arguments, span);
  std::vector<Type> types;
  for (const Expression& argument : arguments) types.push_back(argument.type);
  const Fit fit = FitArguments(*function, types);
  if (fit.misfit) Refuse(span, fit.misfit->code, fit.misfit->why);
  CheckConstants(*function, span, arguments);
  Expression expression;
  expression.kind = Expression::Kind::kCall;
  expression.type = fit.type;
  expression.function = function;
  const bool folds = Folds(*function, arguments);
  expression.arguments = std::move(arguments);
  if (!folds) return expression;
  Value value = EvaluateConstant(expression, EvalContext{});
  value.type = fit.type;
  return Literal(std::move(value));
}

Expression Convert(Expression expression, Type type, Span span) {
  if (expression.type == type) return expression;
  std::vector<Expression> arguments;
  arguments.push_back(std::move(expression));
  return Apply(ConverterTo(type), span, std::move(arguments));
}

Expression ExpressionBinder::Bind(const Ast& ast) {
  const Binder::Step step(binder_, ast.span);
  switch (ast.kind) {
    case AstKind::kLiteral:
      return Literal(ast.value);
    case AstKind::kName:
      return Name(ast);
    case AstKind::kCall:
      return Call(ast);
    case AstKind::kMember:
      if (ast.children[0]->kind == AstKind::kName) {
        const auto column = FindColumn(schema_, StepColumn(ast.children[0]->text, ast.text));
        if (column) return ColumnOf(schema_, *column);
      }
      [[fallthrough]];
    case AstKind::kIndex: {
      if (ast.kind == AstKind::kIndex) {
        if (std::optional<Expression> element = TupleElement(ast)) return *std::move(element);
      }
      std::vector<Expression> arguments;
      arguments.push_back(Bind(*ast.children[0]));
      const bool member = ast.kind == AstKind::kMember;
      arguments.push_back(member ? Literal(Value::String(ast.text)) : Bind(*ast.children[1]));
      return Apply(member ? "member" : "index", ast.span, std::move(arguments));
    }
    case AstKind::kStar:
      Refuse(ast.span, "PK100", "'*' for all columns is not supported here");
    case AstKind::kAssign:
      Refuse(ast.span, "KS006", "an argument cannot be named here");
    case AstKind::kTable:
      Refuse(ast.span, "PK100", "a tabular expression is not supported here yet");
    case AstKind::kList:
    case AstKind::kTyped:
      break;
  }
  Refuse(ast.span, "PK100", "this expression is not supported yet");
}

Expression ExpressionBinder::BindCondition(const Ast& ast) {
  Expression expression = Bind(ast);
  if (expression.type != Type::kBool) {
    Refuse(ast.span, "KS141",
           fmt::format("a condition must be a bool, not {}", TypeName(expression.type)));
  }
  return expression;
}

Expression ExpressionBinder::Name(const Ast& ast) {
  if (const auto column = FindColumn(schema_, ast.text)) return ColumnOf(schema_, *column);
  const Scope* found = FindName(scope_, ast.text);
  if (found == nullptr) UnknownName(ast);
  if (found->kind == Scope::Kind::kValue) {
    binder_.Charge(*found->value, ast.span);
    return *found->value;
  }
  if (found->kind == Scope::Kind::kScalar) {
    // A let is bound where no column is in sight.
    return ExpressionBinder(binder_, kNoColumns, found->parent).Bind(*found->ast);
  }
  if (IsTable(*found)) {
    Refuse(ast.span, "KS108",
           fmt::format("'{}' is a table; a scalar is needed here", EscapeTerminal(ast.text)));
  }
  return CallFunction(*found, ast);  // `f` for f()
}

Expression ExpressionBinder::CallFunction(const Scope& function, const Ast& ast) {
  std::vector<const Ast*> written;
  for (const AstPtr& child : ast.children) written.push_back(child.get());
  written = Binder::InOrder(function, ast.span, written, 0);
  std::vector<std::optional<Expression>> arguments(written.size());
  for (std::size_t i = 0; i < written.size(); ++i) {
    const bool table = !function.function->parameters[i].type;
    if (written[i] != nullptr && !table) arguments[i] = Bind(*written[i]);
  }
  return binder_.CallScalar(function, ast, scope_, written, std::move(arguments));
}

void ExpressionBinder::UnknownName(const Ast& ast) {
  std::vector<std::string_view> names;
  for (const ColumnSchema& column : schema_) names.push_back(column.name);
  for (const Scope* scope = scope_; scope != nullptr; scope = scope->parent) {
    if (!scope->name.empty()) names.push_back(scope->name);
  }
  const std::string_view nearest = Nearest(ast.text, names);
  Refuse(ast.span, "KS142",
         fmt::format("the name '{}' refers to no known column, table or let",
                     EscapeTerminal(ast.text)),
         nearest.empty() ? "" : fmt::format("Did you mean '{}'?", nearest));
}

Expression ExpressionBinder::ColumnIfExists(const Ast& ast) {
  if (ast.children.size() != 2) {
    Refuse(ast.span, "KS119", "column_ifexists() takes a column's name and a default");
  }
  const Expression name = Bind(*ast.children[0]);
  if (name.kind != Expression::Kind::kLiteral || name.type != Type::kString) {
    Refuse(ast.children[0]->span, "KS141", "column_ifexists() takes a column's name as a text");
  }
  // Of the default's type also where the column is there, as Microsoft's binder has it.
  Expression missing = Bind(*ast.children[1]);
  const auto column = FindColumn(schema_, name.value.text);
  return column ? Convert(ColumnOf(schema_, *column), missing.type, ast.span) : missing;
}

// bin_at() with what `set query_bin_auto_size` and `query_bin_auto_at` say.
Expression ExpressionBinder::BinAuto(const Ast& ast) {
  if (ast.children.size() != 1) Refuse(ast.span, "KS119", "bin_auto() takes one argument");
  std::vector<Expression> arguments;
  arguments.push_back(Bind(*ast.children[0]));
  const Scope* size = FindName(scope_, "set query_bin_auto_size");
  if (size == nullptr) {
    Refuse(ast.span, "PK104", "bin_auto() needs 'set query_bin_auto_size = …;' before the query");
  }
  arguments.push_back(ExpressionBinder(binder_, kNoColumns, size->parent).Bind(*size->ast));
  const Scope* at = FindName(scope_, "set query_bin_auto_at");
  if (at == nullptr) return Apply("bin", ast.span, std::move(arguments));
  arguments.push_back(ExpressionBinder(binder_, kNoColumns, at->parent).Bind(*at->ast));
  return Apply("bin_at", ast.span, std::move(arguments));
}

// Ticks see a row at its TimeGenerated, whenever it came: so does this, and a replay repeats it.
Expression ExpressionBinder::IngestionTime(const Ast& ast) {
  if (!ast.children.empty()) Refuse(ast.span, "KS119", "ingestion_time() takes no argument");
  const auto time = FindColumn(schema_, "TimeGenerated");
  if (time && schema_[*time].type == Type::kDateTime) return ColumnOf(schema_, *time);
  return Literal(Value::Null(Type::kDateTime));
}

// toscalar(T): a table's first value; of a scalar, the scalar.
Expression ExpressionBinder::ToScalar(const Ast& ast) {
  if (ast.children.size() != 1) Refuse(ast.span, "KS119", "toscalar() takes one table");
  const Ast& table = *ast.children[0];
  if (!binder_.IsTabular(table, scope_)) return Bind(table);
  return binder_.TableValue(table, scope_, /*list=*/false);
}

std::vector<Expression> ExpressionBinder::BindArguments(const Ast& ast, std::size_t count) {
  std::vector<Expression> arguments;
  for (std::size_t i = 0; i < count; ++i) {
    const AstPtr& child = ast.children[i];
    if (child->kind != AstKind::kList) {
      arguments.push_back(Bind(Inside(*child)));
      continue;
    }
    for (const AstPtr& item : child->children) {  // x in (a, b)
      const bool column = item->kind == AstKind::kName && FindColumn(schema_, item->text);
      if (!column && binder_.IsTabular(*item, scope_)) {
        arguments.push_back(binder_.TableValue(*item, scope_, /*list=*/true));
        continue;
      }
      arguments.push_back(Bind(*item));
    }
  }
  return arguments;
}

// prev(x, n, default): n and the default are the same for all rows; so is where row_number begins.
void ExpressionBinder::CheckConstants(const Expression& call, const Ast& ast) {
  const bool neighbour = call.function->name == "prev" || call.function->name == "next";
  for (std::size_t i = 1; neighbour && i < call.arguments.size(); ++i) {
    if (IsConstant(call.arguments[i])) continue;
    Refuse(ast.children[i]->span, "KS129", fmt::format("{}() needs a constant here", ast.text));
  }
}

Expression ExpressionBinder::Call(const Ast& ast) {
  const std::string_view name = FunctionName(ast.text);
  if (ast.children.size() == 2 && ast.children[0]->kind == AstKind::kStar) {
    return OnAnyColumn(name, schema_, Bind(*ast.children[1]), ast.span);
  }
  if (aggregates_) {
    if (std::optional<Expression> value = aggregates_(ast)) return *std::move(value);
  }
  if (const Scope* let = FindName(scope_, ast.text); let && let->kind == Scope::Kind::kFunction) {
    return CallFunction(*let, ast);
  }
  if (name == "column_ifexists") return ColumnIfExists(ast);
  if (name == "bin_auto") return BinAuto(ast);
  if (name == "ingestion_time") return IngestionTime(ast);
  if (std::optional<Expression> value = CallOnColumns(ast)) return *std::move(value);
  if (FindFunction(name) == nullptr) {
    if (FindAggregate(name) != nullptr) {
      Refuse(ast.span, "KS144", fmt::format("the aggregate '{}' belongs into summarize", ast.text));
    }
    if (name == "toscalar") return ToScalar(ast);
    UnknownFunction(name, ast.span);
  }
  return CallEntry(ast);
}

}  // namespace picket::kql

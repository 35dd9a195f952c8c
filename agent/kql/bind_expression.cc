#include "agent/kql/bind_expression.h"

#include <fmt/format.h>

#include "base/text.h"

namespace picket::kql {
namespace {

constexpr int kMaxLetDepth = 32;

// What a query writes → the entry of the function table.
std::string_view FunctionName(std::string_view written) {
  if (written == "toreal") return "todouble";
  if (written == "makeset") return "make_set";
  if (written == "makelist") return "make_list";
  return written;
}

}  // namespace

void Refuse(Span span, std::string code, std::string message, std::string hint) {
  throw BindStop{{.code = std::move(code),
                  .message = std::move(message),
                  .span = span,
                  .hint = std::move(hint)}};
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

std::optional<std::size_t> FindColumn(const Schema& schema, std::string_view name) {
  for (std::size_t i = 0; i < schema.size(); ++i) {
    if (schema[i].name == name) return i;
  }
  return std::nullopt;
}

std::string AutomaticName(const Ast& ast) {
  switch (ast.kind) {
    case AstKind::kName:
      return ast.text;
    case AstKind::kMember: {
      const std::string base = AutomaticName(*ast.children[0]);
      return base.empty() ? "" : base + "_" + ast.text;
    }
    case AstKind::kIndex: {
      const std::string base = AutomaticName(*ast.children[0]);
      const Ast& index = *ast.children[1];
      if (base.empty() || index.kind != AstKind::kLiteral) return "";
      return base + "_" + (index.value.type == Type::kString ? index.value.text
                                                            : std::to_string(index.value.number));
    }
    case AstKind::kCall: {
      static constexpr std::string_view kKeep[] = {
          "tostring", "toint",    "tolong",     "todouble",   "toreal",      "tobool",
          "todatetime", "totimespan", "todynamic", "parse_json", "bin",      "floor",
          "startofday", "startofweek", "startofmonth", "startofyear", "tolower", "toupper"};
      for (const std::string_view name : kKeep) {
        if (ast.text == name && !ast.children.empty()) return AutomaticName(*ast.children[0]);
      }
      return "";
    }
    default:
      return "";
  }
}

Expression ExpressionBinder::Bind(const Ast& ast) {
  switch (ast.kind) {
    case AstKind::kLiteral:
      return Literal(ast.value);
    case AstKind::kName:
      return Name(ast);
    case AstKind::kCall:
      return Call(ast);
    case AstKind::kMember: {
      std::vector<Expression> arguments;
      arguments.push_back(Bind(*ast.children[0]));
      arguments.push_back(Literal(Value::String(ast.text)));
      return Apply("member", ast.span, std::move(arguments));
    }
    case AstKind::kIndex: {
      std::vector<Expression> arguments;
      arguments.push_back(Bind(*ast.children[0]));
      arguments.push_back(Bind(*ast.children[1]));
      return Apply("index", ast.span, std::move(arguments));
    }
    case AstKind::kStar:
      Refuse(ast.span, "KS006", "'*' stands for no single value here");
    case AstKind::kAssign:
      Refuse(ast.span, "KS006", "an argument cannot be named here");
    case AstKind::kList:
    case AstKind::kTable:
      break;
  }
  Refuse(ast.span, "PK100", "this expression is not supported yet");
}

Expression ExpressionBinder::BindCondition(const Ast& ast) {
  Expression expression = Bind(ast);
  if (expression.type != Type::kBool) {
    Refuse(ast.span, "KS107",
           fmt::format("a condition must be a bool, not {}", TypeName(expression.type)));
  }
  return expression;
}

Expression ExpressionBinder::Name(const Ast& ast) {
  if (const auto column = FindColumn(schema_, ast.text)) return ColumnOf(schema_, *column);
  if (const auto let = lets_.find(ast.text); let != lets_.end()) {
    if (++depth_ > kMaxLetDepth) Refuse(ast.span, "PK003", "lets are nested too deep");
    // A let is bound where no column is in sight.
    static const Schema kNone;
    ExpressionBinder inner(kNone, lets_);
    inner.depth_ = depth_;
    Expression expression = inner.Bind(*let->second);
    --depth_;
    return expression;
  }
  std::vector<std::string_view> names;
  for (const ColumnSchema& column : schema_) names.push_back(column.name);
  const std::string_view nearest = Nearest(ast.text, names);
  Refuse(ast.span, "KS142",
         fmt::format("the name '{}' refers to no known column, table or let",
                     EscapeTerminal(ast.text)),
         nearest.empty() ? "" : fmt::format("Did you mean '{}'?", nearest));
}

Expression ExpressionBinder::Call(const Ast& ast) {
  if (ast.text == "column_ifexists") {
    if (ast.children.size() != 2 || ast.children[0]->kind != AstKind::kLiteral) {
      Refuse(ast.span, "KS119", "column_ifexists(name, default) takes a literal name");
    }
    if (const auto column = FindColumn(schema_, ast.children[0]->value.text)) {
      return ColumnOf(schema_, *column);
    }
    return Bind(*ast.children[1]);
  }
  if (FindAggregate(FunctionName(ast.text)) != nullptr && FindFunction(ast.text) == nullptr) {
    Refuse(ast.span, "KS114", fmt::format("the aggregate '{}' belongs into summarize", ast.text));
  }
  std::vector<Expression> arguments;
  for (const AstPtr& child : ast.children) {
    if (child->kind == AstKind::kList) {  // x in (a, b)
      for (const AstPtr& item : child->children) arguments.push_back(Bind(*item));
    } else {
      arguments.push_back(Bind(*child));
    }
  }
  return Apply(std::string(FunctionName(ast.text)), ast.span, std::move(arguments));
}

Expression ExpressionBinder::Apply(const std::string& name, Span span,
                                   std::vector<Expression> arguments) {
  const Function* function = FindFunction(name);
  if (function == nullptr) {
    const std::string_view nearest = Nearest(name, FunctionNames());
    Refuse(span, "KS211",
           fmt::format("the function '{}' is unknown or not supported yet", EscapeTerminal(name)),
           nearest.empty() ? "" : fmt::format("Did you mean '{}'?", nearest));
  }
  if (arguments.size() < function->min_arguments || arguments.size() > function->max_arguments) {
    Refuse(span, "KS119",
           fmt::format("{}() takes {} to {} arguments, not {}", name, function->min_arguments,
                       function->max_arguments, arguments.size()));
  }
  std::vector<Type> types;
  for (const Expression& argument : arguments) types.push_back(argument.type);
  std::string why;
  const std::optional<Type> type = function->bind(types, why);
  if (!type) Refuse(span, "KS106", fmt::format("'{}': {}", name, why));
  Expression expression;
  expression.kind = Expression::Kind::kCall;
  expression.type = *type;
  expression.function = function;
  expression.arguments = std::move(arguments);
  return expression;
}

}  // namespace picket::kql

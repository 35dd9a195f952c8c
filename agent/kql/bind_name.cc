// The names that Kusto gives to columns without one.

#include "agent/kql/bind_expression.h"

namespace picket::kql {
namespace {

std::string IndexName(const Ast& ast) {
  const std::string base = AutomaticName(*ast.children[0]);
  const Ast& index = *ast.children[1];
  if (base.empty() || index.kind != AstKind::kLiteral) return "";
  return base + "_" +
         (index.value.type == Type::kString ? index.value.text
                                            : std::to_string(index.value.number));
}

std::string CallName(const Ast& ast) {
  const std::string_view name = FunctionName(ast.text);
  std::string first = ast.children.empty() ? "" : AutomaticName(*ast.children[0]);
  if (const Function* function = FindFunction(name); function && function->column_prefix) {
    return std::string(*function->column_prefix) + first;
  }
  if (name == "bin_auto") return first;
  if (name == "ingestion_time") return "$IngestionTime";
  if (name == "column_ifexists" && !ast.children.empty() &&
      ast.children[0]->kind == AstKind::kLiteral) {
    return ast.children[0]->value.text;
  }
  if (const AggregateFunction* aggregate = FindAggregate(name); aggregate && !FindFunction(name)) {
    std::string text = std::string(aggregate->prefix) + first;
    for (std::size_t i = 1; i < aggregate->named && i < ast.children.size(); ++i) {
      text += "_" + AutomaticName(*ast.children[i]);
    }
    return text;
  }
  return "";
}

}  // namespace

std::string AutomaticName(const Ast& ast) {
  switch (ast.kind) {
    case AstKind::kName:
    case AstKind::kAssign:
      return ast.text;
    case AstKind::kMember: {
      const std::string base = AutomaticName(*ast.children[0]);
      return base.empty() ? "" : base + "_" + ast.text;
    }
    case AstKind::kIndex:
      return IndexName(ast);
    case AstKind::kCall:
      return CallName(ast);
    default:
      return "";
  }
}

std::string UniqueName(const Schema& schema, std::string name) {
  if (!FindColumn(schema, name)) return name;
  for (int i = 1;; ++i) {
    std::string tried = name + std::to_string(i);
    if (!FindColumn(schema, tried)) return tried;
  }
}

}  // namespace picket::kql

// The names that Kusto gives to columns without one.

#include <algorithm>
#include <array>

#include "agent/kql/bind_expression.h"

namespace picket::kql {
namespace {

// Functions whose result keeps the name of their first argument.
constexpr std::array<std::string_view, 46> kKeepName = {"split",
                                                        "tostring",
                                                        "tohex",
                                                        "todynamic",
                                                        "toobject",
                                                        "tolong",
                                                        "toint",
                                                        "toreal",
                                                        "todouble",
                                                        "todatetime",
                                                        "totimespan",
                                                        "totime",
                                                        "tobool",
                                                        "toboolean",
                                                        "todecimal",
                                                        "toguid",
                                                        "parse_csv",
                                                        "parsejson",
                                                        "parse_json",
                                                        "parse_xml",
                                                        "format_datetime",
                                                        "format_timespan",
                                                        "startofday",
                                                        "bin",
                                                        "floor",
                                                        "bin_at",
                                                        "bin_auto",
                                                        "binary_and",
                                                        "binary_or",
                                                        "binary_xor",
                                                        "binary_not",
                                                        "binary_shift_left",
                                                        "binary_shift_right",
                                                        "round",
                                                        "ceiling",
                                                        "pow",
                                                        "sqrt",
                                                        "log",
                                                        "log2",
                                                        "log10",
                                                        "exp",
                                                        "exp2",
                                                        "exp10",
                                                        "abs",
                                                        "rand",
                                                        "format_bytes"};

// Functions whose result is called after the function, or another prefix, and the first argument.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kPrefixed = {
    {{"strlen", "strlen"},
     {"string_size", "string_size"},
     {"gettype", "type"},
     {"repeat", "repeat"}}};

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
  const std::string first = ast.children.empty() ? "" : AutomaticName(*ast.children[0]);
  if (std::find(kKeepName.begin(), kKeepName.end(), ast.text) != kKeepName.end()) return first;
  for (const auto& [function, prefix] : kPrefixed) {
    if (function == ast.text) return std::string(prefix) + "_" + first;
  }
  if (name == "column_ifexists" && !ast.children.empty() &&
      ast.children[0]->kind == AstKind::kLiteral) {
    return ast.children[0]->value.text;
  }
  if (const AggregateFunction* aggregate = FindAggregate(name); aggregate && !FindFunction(name)) {
    return std::string(aggregate->prefix) + first;
  }
  return "";
}

}  // namespace

std::string AutomaticName(const Ast& ast) {
  switch (ast.kind) {
    case AstKind::kName:
      return ast.text;
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

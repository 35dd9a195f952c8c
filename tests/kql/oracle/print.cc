// The tree as KQL. Parentheses stand only where the grammar needs them, so that the parser's
// precedence is put to the test as well.

#include <fmt/format.h>

#include <cmath>
#include <set>

#include "tests/kql/oracle/tree.h"

namespace picket::kql::oracle {
namespace {

std::string Quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string RealLiteral(double value) {
  if (std::isnan(value)) return "real(nan)";
  if (std::isinf(value)) return value > 0 ? "real(+inf)" : "real(-inf)";
  std::string digits = fmt::format("{}", value);
  if (digits.find_first_of(".e") == std::string::npos) digits += ".0";
  return value < 0 || std::signbit(value) ? "real(" + digits + ")" : digits;
}

std::string Literal(const Datum& value) {
  const std::string type(TypeName(value.type));
  if (value.null) return type + "(null)";
  switch (value.type) {
    case Type::kBool:
      return value.number != 0 ? "true" : "false";
    case Type::kInt:
      return fmt::format("int({})", value.number);
    case Type::kLong:
      return value.number < 0 ? fmt::format("long({})", value.number)
                              : std::to_string(value.number);
    case Type::kReal:
      return RealLiteral(value.real);
    case Type::kDateTime:
      return "datetime(" + TextOfDateTime(value.number) + ")";
    case Type::kTimespan:
      return "time(" + TextOfTimespan(value.number) + ")";
    case Type::kDynamic:
      return "dynamic(" + value.json->dump() + ")";
    default:
      return Quoted(value.text);
  }
}

// How tightly an operator binds; 0: it is no infix operator.
int Strength(const std::string& op) {
  static const std::map<std::string, int> kStrengths = {
      {"or", 1}, {"and", 2}, {"==", 3}, {"!=", 3},
      {"<", 4},  {"<=", 4},  {">", 4},  {">=", 4},
      {"+", 5},  {"-", 5},   {"*", 6},  {"/", 6},
      {"%", 6},  {"=~", 7},  {"!~", 7}, {"matches regex", 7}};
  static const std::set<std::string> kTexts = {
      "has",           "!has",           "has_cs",       "!has_cs",    "contains",
      "!contains",     "contains_cs",    "!contains_cs", "startswith", "!startswith",
      "startswith_cs", "!startswith_cs", "endswith",     "!endswith",  "endswith_cs",
      "!endswith_cs",  "hasprefix",      "!hasprefix",   "hassuffix",  "!hassuffix"};
  const auto found = kStrengths.find(op);
  if (found != kStrengths.end()) return found->second;
  return kTexts.contains(op) ? 7 : 0;
}

std::string Operand(const Expr& expr, int least) {
  const int strength = Strength(expr.op);
  const bool list = expr.op.find("in") == 0 || expr.op.find("!in") == 0 ||
                    expr.op.find("has_a") == 0 || expr.op.find("between") != std::string::npos ||
                    expr.op == "negate";
  const bool bare = strength == 0 ? !list : strength >= least;
  return bare ? Print(expr) : "(" + Print(expr) + ")";
}

template <class T, class F>
std::string Joined(const std::vector<T>& parts, F print) {
  std::string text;
  for (const T& part : parts) text += (text.empty() ? "" : ", ") + print(part);
  return text;
}

std::string Arguments(const std::vector<ExprPtr>& args, std::size_t from = 0) {
  return Joined(std::vector<ExprPtr>(args.begin() + static_cast<std::ptrdiff_t>(from), args.end()),
                [](const ExprPtr& each) { return Print(*each); });
}

std::string NamedText(const Named& named) {
  return (named.name.empty() ? "" : named.name + " = ") + Print(*named.value);
}

std::string ColumnsText(const std::vector<std::string>& columns) {
  return Joined(columns, [](const std::string& name) { return name; });
}

std::string KeyText(const SortKey& key) {
  const std::string nulls = key.nulls == 0 ? "" : key.nulls == 1 ? " nulls first" : " nulls last";
  return Print(*key.value) + (key.descending ? " desc" : " asc") + nulls;
}

std::string AggregateText(const Aggregate& aggregate) {
  std::string call = aggregate.op + "(" + Arguments(aggregate.args) + ")";
  if (aggregate.op.find("sorted_") == 0) {
    call = "array_sort_asc(make_" + aggregate.op.substr(7) + "(" + Arguments(aggregate.args) + "))";
  }
  return (aggregate.name.empty() ? "" : aggregate.name + " = ") + call;
}

std::string JoinText(const Step& step) {
  std::string on;
  for (std::size_t i = 0; i < step.columns.size(); ++i) {
    const bool same = step.columns[i] == step.others[i];
    on += (i > 0 ? ", " : "") +
          (same ? step.columns[i] : "$left." + step.columns[i] + " == $right." + step.others[i]);
  }
  const std::string kind = step.kind.empty() ? "" : " kind=" + step.kind;
  return step.op + kind + " (" + Print(*step.table) + ") on " + on;
}

std::string MvExpandText(const Step& step) {
  std::string text = "mv-expand ";
  if (!step.kind.empty()) text += "with_itemindex=" + step.kind + " ";
  for (std::size_t i = 0; i < step.values.size(); ++i) {
    text += (i > 0 ? ", " : "") + NamedText(step.values[i]);
    if (step.types[i] != Type::kDynamic) {
      text += " to typeof(" + std::string(TypeName(step.types[i])) + ")";
    }
  }
  return step.count > 0 ? text + " limit " + std::to_string(step.count) : text;
}

std::string StepText(const Step& step) {
  if (step.op == "project-away" || step.op == "project-keep" || step.op == "distinct") {
    return step.op + " " + ColumnsText(step.columns);
  }
  if (step.op == "project-rename") {
    return step.op + " " + step.columns[0] + " = " + step.others[0];
  }
  if (step.op == "sort") return "sort by " + Joined(step.keys, KeyText);
  if (step.op == "take") return "take " + std::to_string(step.count);
  if (step.op == "top") {
    return "top " + std::to_string(step.count) + " by " + Joined(step.keys, KeyText);
  }
  if (step.op == "count" || step.op == "serialize") return step.op;
  if (step.op == "summarize") {
    const std::string by = step.values.empty() ? "" : " by " + Joined(step.values, NamedText);
    const std::string what = Joined(step.aggregates, AggregateText);
    return "summarize" + (what.empty() ? "" : " " + what) + by;
  }
  if (step.op == "join" || step.op == "lookup") return JoinText(step);
  if (step.op == "union") {
    return "union" + (step.kind.empty() ? "" : " kind=" + step.kind) + " (" + Print(*step.table) +
           ")";
  }
  if (step.op == "mv-expand") return MvExpandText(step);
  return step.op + " " + Joined(step.values, NamedText);
}

std::string DataTable(const Table& table) {
  std::string cells;
  for (const Row& row : table.rows) {
    for (const Datum& value : row) cells += (cells.empty() ? "" : ", ") + Literal(value);
  }
  return "datatable(" +
         Joined(table.columns,
                [](const Column& column) {
                  return column.name + ":" + std::string(TypeName(column.type));
                }) +
         ")[" + cells + "]";
}

}  // namespace

std::string Print(const Expr& expr) {
  if (expr.op == "literal") return Literal(expr.value);
  if (expr.op == "column" || expr.op == "let") return expr.name;
  if (expr.op == "member") return Operand(*expr.args[0], 9) + "." + expr.name;
  if (expr.op == "element") return Operand(*expr.args[0], 9) + "[" + Print(*expr.args[1]) + "]";
  if (expr.op == "negate") return "-(" + Print(*expr.args[0]) + ")";
  if (expr.op == "toscalar") return "toscalar(" + Print(*expr.table) + ")";
  if (expr.op == "between" || expr.op == "!between") {
    return Operand(*expr.args[0], 9) + " " + expr.op + " (" + Operand(*expr.args[1], 5) + " .. " +
           Operand(*expr.args[2], 5) + ")";
  }
  const bool list = expr.op == "in" || expr.op == "!in" || expr.op == "in~" || expr.op == "!in~" ||
                    expr.op == "has_any" || expr.op == "has_all";
  if (list) {
    const std::string items = expr.table ? Print(*expr.table) : Arguments(expr.args, 1);
    return Operand(*expr.args[0], 9) + " " + expr.op + " (" + items + ")";
  }
  const int strength = Strength(expr.op);
  if (strength == 0) return expr.op + "(" + Arguments(expr.args) + ")";
  // Comparisons do not chain; the others group to the left.
  const bool chains = strength < 3 || strength == 5 || strength == 6;
  return Operand(*expr.args[0], chains ? strength : strength + 1) + " " + expr.op + " " +
         Operand(*expr.args[1], strength + 1);
}

std::string Print(const Query& query) {
  std::string text = query.name.empty() ? DataTable(*query.cells) : query.name;
  for (const Step& step : query.steps) text += " | " + StepText(step);
  return text;
}

std::string Print(const Program& program) {
  std::string text;
  for (const Let& let : program.lets) {
    text += "let " + let.name + " = ";
    const std::string what = let.value ? Print(*let.value) : Print(*let.table);
    text += (let.kept ? "materialize(" + what + ")" : what) + ";\n";
  }
  return text + Print(*program.query);
}

}  // namespace picket::kql::oracle

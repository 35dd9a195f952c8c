// Plans in KQL's words.

#include "agent/kql/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "agent/kql/json_view.h"
#include "base/utf8.h"

namespace picket::kql {
namespace {

constexpr std::size_t kLongest = 400;

// Texts while they are short enough; what is too long is not built first and cut then.
class Writer {
 public:
  void Add(std::string_view text) {
    if (text_.size() <= kLongest) text_ += text;
  }
  [[nodiscard]] bool Full() const { return text_.size() > kLongest; }
  std::string Take() {
    if (!Full()) return std::move(text_);
    return std::string(Utf8Prefix(text_, kLongest)) + " …";
  }

 private:
  std::string text_;
};

std::string LiteralText(const Value& value) {
  if (value.null) return fmt::format("{}(null)", TypeName(value.type));
  switch (value.type) {
    case Type::kString:
      return QuoteJson(std::string_view(value.text).substr(0, kLongest));
    case Type::kDynamic:
      return fmt::format("dynamic({})", std::string_view(value.text).substr(0, kLongest));
    case Type::kDateTime:
      return fmt::format("datetime({})", FormatRfc3339(Instant{value.number}));
    case Type::kTimespan:
      return fmt::format("timespan({})", FormatTimespanText(value.number));
    case Type::kBool:
      return value.number != 0 ? "true" : "false";
    case Type::kReal:
      return RealAsString(value.real);
    case Type::kGuid:
    case Type::kDecimal:
      return fmt::format("{}({})", TypeName(value.type), value.text);
    case Type::kInt:
    case Type::kLong:
      break;
  }
  return fmt::format("{}", value.number);
}

// Words and signs that stand between their arguments.
bool IsOperator(std::string_view name) {
  constexpr std::array<std::string_view, 27> kWords = {"and",
                                                       "or",
                                                       "in",
                                                       "!in",
                                                       "in~",
                                                       "!in~",
                                                       "has",
                                                       "!has",
                                                       "has_cs",
                                                       "!has_cs",
                                                       "contains",
                                                       "!contains",
                                                       "contains_cs",
                                                       "!contains_cs",
                                                       "startswith",
                                                       "!startswith",
                                                       "startswith_cs",
                                                       "!startswith_cs",
                                                       "endswith",
                                                       "!endswith",
                                                       "endswith_cs",
                                                       "!endswith_cs",
                                                       "has_any",
                                                       "has_all",
                                                       "between",
                                                       "!between",
                                                       "matches regex"};
  if (std::find(kWords.begin(), kWords.end(), name) != kWords.end()) return true;
  return !name.empty() && std::string_view("=!<>+-*/%").find(name[0]) != std::string_view::npos;
}

void Write(const Expression& expression, const Schema& input, Writer& out);

void WriteList(const std::vector<Expression>& list, std::size_t from, std::string_view between,
               const Schema& input, Writer& out) {
  for (std::size_t i = from; i < list.size() && !out.Full(); ++i) {
    if (i > from) out.Add(between);
    Write(list[i], input, out);
  }
}

bool WriteSpecial(const Expression& call, const Schema& input, Writer& out) {
  const std::string_view name = call.function->name;
  const std::vector<Expression>& arguments = call.arguments;
  if ((name == "member" || name == "index") && arguments.size() == 2) {
    Write(arguments[0], input, out);
    const Expression& key = arguments[1];
    if (name == "member" && key.kind == Expression::Kind::kLiteral) {
      out.Add(".");
      out.Add(key.value.text);
    } else {
      out.Add("[");
      Write(key, input, out);
      out.Add("]");
    }
    return true;
  }
  if (!IsOperator(name) || arguments.size() < 2) return false;
  out.Add("(");
  Write(arguments[0], input, out);
  out.Add(fmt::format(" {} ", name));
  const bool range = name == "between" || name == "!between";
  const bool list = arguments.size() > 2;
  if (list) out.Add("(");
  WriteList(arguments, 1, range ? " .. " : ", ", input, out);
  out.Add(list ? "))" : ")");
  return true;
}

void Write(const Expression& expression, const Schema& input, Writer& out) {
  if (out.Full()) return;
  switch (expression.kind) {
    case Expression::Kind::kLiteral:
      return out.Add(LiteralText(expression.value));
    case Expression::Kind::kColumn:
      return out.Add(expression.column < input.size() ? input[expression.column].name : "?");
    case Expression::Kind::kTableValue:
      return out.Add("toscalar(…)");
    case Expression::Kind::kTableList:
      return out.Add("(…)");
    case Expression::Kind::kCall:
      break;
  }
  if (WriteSpecial(expression, input, out)) return;
  out.Add(expression.function->name);
  out.Add("(");
  WriteList(expression.arguments, 0, ", ", input, out);
  out.Add(")");
}

// "Name = expression, Name": what stays as it is goes by its name alone.
void WriteColumns(const Plan& plan, const std::vector<Expression>& list, const Schema& input,
                  Writer& out) {
  for (std::size_t i = 0; i < list.size() && !out.Full(); ++i) {
    if (i > 0) out.Add(", ");
    const Expression& made = list[i];
    const std::string& name = i < plan.schema.size() ? plan.schema[i].name : std::string();
    const bool same = made.kind == Expression::Kind::kColumn && made.column < input.size() &&
                      input[made.column].name == name;
    out.Add(name);
    if (same) continue;
    out.Add(" = ");
    Write(made, input, out);
  }
}

void WriteSort(const Plan& plan, const Schema& input, Writer& out) {
  if (plan.limit) {
    Write(*plan.limit, input, out);
    out.Add(" ");
  }
  out.Add("by ");
  for (std::size_t i = 0; i < plan.sort.size(); ++i) {
    if (i > 0) out.Add(", ");
    Write(plan.sort[i].expression, input, out);
    out.Add(plan.sort[i].ascending ? " asc" : " desc");
  }
}

void WriteAggregates(const Plan& plan, const Schema& input, Writer& out) {
  for (std::size_t i = 0; i < plan.aggregates.size(); ++i) {
    if (i > 0) out.Add(", ");
    out.Add(plan.aggregates[i].function->name());
    out.Add("(");
    WriteList(plan.aggregates[i].arguments, 0, ", ", input, out);
    out.Add(")");
  }
  if (plan.lists.empty() || plan.lists[0].empty()) return;
  out.Add(plan.aggregates.empty() ? "" : " by ");
  WriteList(plan.lists[0], 0, ", ", input, out);
}

void WriteJoin(const Plan& plan, Writer& out) {
  if (plan.kind == Plan::Kind::kJoin) out.Add(fmt::format("kind={} ", JoinKindName(plan.join)));
  out.Add("on ");
  for (std::size_t i = 0; i < plan.lists[0].size() && i < plan.lists[1].size(); ++i) {
    if (i > 0) out.Add(", ");
    Write(plan.lists[0][i], plan.inputs[0]->schema, out);
    out.Add(" == ");
    Write(plan.lists[1][i], plan.inputs[1]->schema, out);
  }
}

std::string_view Symbol(Condition::Operator op) {
  switch (op) {
    case Condition::Operator::kEqual:
      return "==";
    case Condition::Operator::kLess:
      return "<";
    case Condition::Operator::kLessEqual:
      return "<=";
    case Condition::Operator::kGreater:
      return ">";
    case Condition::Operator::kGreaterEqual:
      return ">=";
  }
  return "";
}

}  // namespace

std::string_view OperatorName(const Plan& plan) {
  switch (plan.kind) {
    case Plan::Kind::kScan:
      return plan.table;
    case Plan::Kind::kRows:
      return "rows";
    case Plan::Kind::kRange:
      return "range";
    case Plan::Kind::kInput:
      return "input";
    case Plan::Kind::kFilter:
      return "where";
    case Plan::Kind::kProject:
      return "project";
    case Plan::Kind::kSort:
      return plan.limit ? "top" : "sort";
    case Plan::Kind::kTake:
      return "take";
    case Plan::Kind::kCount:
      return "count";
    case Plan::Kind::kSummarize:
      return plan.aggregates.empty() ? "distinct" : "summarize";
    case Plan::Kind::kUnion:
      return "union";
    case Plan::Kind::kJoin:
      return "join";
    case Plan::Kind::kHeld:
      return "file";
    case Plan::Kind::kStored:
    case Plan::Kind::kPlugin:
      return "evaluate";
    case Plan::Kind::kIpLookup:
      return "ipv4_lookup";
    case Plan::Kind::kGeoLookup:
      return plan.plugin.lines ? "geo_line_lookup" : "geo_polygon_lookup";
    case Plan::Kind::kTopNested:
      return "top-nested";
    case Plan::Kind::kPartition:
      return "partition";
    case Plan::Kind::kScanSteps:
      return "scan";
    case Plan::Kind::kMvExpand:
      return "mv-expand";
    case Plan::Kind::kMvApply:
      return "mv-apply";
    case Plan::Kind::kParse:
      return "parse";
    case Plan::Kind::kMakeSeries:
      return "make-series";
  }
  return "";
}

std::string Describe(const Plan& plan) {
  static const Schema kNone;
  const Schema& input = plan.inputs.empty() ? kNone : plan.inputs[0]->schema;
  Writer out;
  switch (plan.kind) {
    case Plan::Kind::kFilter:
      Write(plan.lists[0][0], input, out);
      break;
    case Plan::Kind::kProject:
      WriteColumns(plan, plan.lists[0], input, out);
      break;
    case Plan::Kind::kSort:
      WriteSort(plan, input, out);
      break;
    case Plan::Kind::kTake:
      Write(*plan.limit, input, out);
      break;
    case Plan::Kind::kSummarize:
    case Plan::Kind::kMakeSeries:
      WriteAggregates(plan, input, out);
      break;
    case Plan::Kind::kJoin:
    case Plan::Kind::kIpLookup:
      WriteJoin(plan, out);
      break;
    case Plan::Kind::kMvExpand:
    case Plan::Kind::kMvApply:
    case Plan::Kind::kParse:
    case Plan::Kind::kPartition:
    case Plan::Kind::kRange:
      WriteList(plan.lists[0], 0, ", ", input, out);
      break;
    case Plan::Kind::kScan:
    case Plan::Kind::kRows:
    case Plan::Kind::kHeld:
    case Plan::Kind::kStored:
    case Plan::Kind::kInput:
    case Plan::Kind::kCount:
    case Plan::Kind::kUnion:
    case Plan::Kind::kPlugin:
    case Plan::Kind::kTopNested:
    case Plan::Kind::kScanSteps:
    case Plan::Kind::kGeoLookup:
      break;
  }
  return out.Take();
}

PushedDown PushedTo(const Plan& scan, const ScanRequest& request) {
  PushedDown pushed{.columns = {}, .from = request.from, .until = request.until, .conditions = {}};
  for (const ColumnSchema& column : scan.schema) pushed.columns.push_back(column.name);
  for (const Condition& condition : request.conditions) {
    // A condition's column is the table's; the scan has it, for the filter above needs it.
    for (std::size_t i = 0; i < scan.scan_columns.size(); ++i) {
      const ScanColumn& column = scan.scan_columns[i];
      if (column.column != condition.column || !column.member.empty()) continue;
      pushed.conditions.push_back(fmt::format("{} {} {}", scan.schema[i].name, Symbol(condition.op),
                                              LiteralText(condition.value)));
      break;
    }
  }
  return pushed;
}

}  // namespace picket::kql

#include "agent/kql/member_columns.h"

#include <algorithm>

#include "agent/kql/prune.h"

namespace picket::kql {
namespace {

// The operators between an expression and the scan whose rows it sees: each passes its input's
// columns on, or picks of them.
bool PassesOn(const Plan& plan) {
  return plan.kind == Plan::Kind::kFilter || plan.kind == Plan::Kind::kSort ||
         plan.kind == Plan::Kind::kTake || plan.kind == Plan::Kind::kProject;
}

const Plan* ScanBelow(const Plan& plan) {
  const Plan* at = &plan;
  while (PassesOn(*at)) at = at->inputs[0].get();
  return at->kind == Plan::Kind::kScan ? at : nullptr;
}

bool Calls(const Expression& expression, std::string_view name, std::size_t arguments) {
  return expression.kind == Expression::Kind::kCall && expression.function->name == name &&
         expression.arguments.size() == arguments;
}

// The column whose JSON the expression is: itself when it is dynamic, or what parses its text.
const Expression* JsonColumn(const Expression& expression) {
  if (expression.kind == Expression::Kind::kColumn) {
    return expression.type == Type::kDynamic ? &expression : nullptr;
  }
  for (const std::string_view parses : {"parse_json", "todynamic"}) {
    if (Calls(expression, parses, 1)) {
      const Expression& inner = expression.arguments[0];
      return inner.kind == Expression::Kind::kColumn ? &inner : nullptr;
    }
  }
  return nullptr;
}

// The table's column that a column of the plan's output is, where it is one as it stands.
std::optional<std::size_t> TableColumn(const Plan& plan, std::size_t column) {
  if (plan.kind == Plan::Kind::kScan) {
    const ScanColumn& scanned = plan.scan_columns[column];
    return scanned.member.empty() ? std::optional(scanned.column) : std::nullopt;
  }
  if (plan.kind != Plan::Kind::kProject) return TableColumn(*plan.inputs[0], column);
  const Expression& made = plan.lists[0][column];
  if (made.kind != Expression::Kind::kColumn) return std::nullopt;
  return TableColumn(*plan.inputs[0], made.column);
}

// Its number in the plan's output; appended if it is not there.
std::size_t Append(Plan& plan, const ScanColumn& wanted) {
  if (plan.kind == Plan::Kind::kScan) {
    const auto found = std::find(plan.scan_columns.begin(), plan.scan_columns.end(), wanted);
    if (found != plan.scan_columns.end()) {
      return static_cast<std::size_t>(found - plan.scan_columns.begin());
    }
    // Named for those who explain the plan.
    std::string name = wanted.member;
    for (std::size_t i = 0; i < plan.scan_columns.size(); ++i) {
      const ScanColumn& column = plan.scan_columns[i];
      if (column.column != wanted.column || !column.member.empty()) continue;
      name = plan.schema[i].name + "." + wanted.member;
    }
    plan.scan_columns.push_back(wanted);
    plan.schema.push_back({std::move(name), Type::kString});
    return plan.scan_columns.size() - 1;
  }
  const std::size_t below = Append(*plan.inputs[0], wanted);
  if (plan.kind != Plan::Kind::kProject) {
    plan.schema = plan.inputs[0]->schema;
    return below;
  }
  std::vector<Expression>& made = plan.lists[0];
  for (std::size_t i = 0; i < made.size(); ++i) {
    if (made[i].kind == Expression::Kind::kColumn && made[i].column == below) return i;
  }
  made.push_back({.kind = Expression::Kind::kColumn, .type = Type::kString, .column = below});
  plan.schema.push_back({plan.inputs[0]->schema[below].name, Type::kString});
  return made.size() - 1;
}

class Asker {
 public:
  explicit Asker(const Catalog& catalog) : catalog_(catalog) {}

  void Ask(Plan& plan) {
    if (PassesOn(plan) && ScanBelow(plan) != nullptr) {
      Chain(plan);
      return;
    }
    for (const PlanPtr& input : plan.inputs) {
      const std::size_t columns = input->schema.size();
      Ask(*input);
      // What was appended for expressions further down is nobody's business here.
      if (input->schema.size() > columns) CutAfter(*input, columns);
    }
    // An operator of another kind that stands right on the chain.
    for (const PlanPtr& input : plan.inputs) {
      if (plan.inputs.size() == 1 && plan.kind == Plan::Kind::kSummarize) Replace(plan, *input);
    }
  }

  static void CutAfter(Plan& plan, std::size_t columns) {
    auto inner = std::make_unique<Plan>(std::move(plan));
    plan = Plan();
    plan.kind = Plan::Kind::kProject;
    plan.name = inner->name;
    plan.ordered = inner->ordered;
    plan.schema.assign(inner->schema.begin(),
                       inner->schema.begin() + static_cast<std::ptrdiff_t>(columns));
    std::vector<Expression> kept;
    for (std::size_t i = 0; i < columns; ++i) {
      kept.push_back(
          {.kind = Expression::Kind::kColumn, .type = inner->schema[i].type, .column = i});
    }
    plan.lists.push_back(std::move(kept));
    plan.inputs.push_back(std::move(inner));
  }

 private:
  // From the scan upwards, so that a project's input has all its columns before it is looked at.
  void Chain(Plan& plan) {
    if (plan.kind == Plan::Kind::kScan) return;
    Chain(*plan.inputs[0]);
    if (plan.kind != Plan::Kind::kProject) plan.schema = plan.inputs[0]->schema;
    Replace(plan, *plan.inputs[0]);
    if (plan.kind != Plan::Kind::kProject) plan.schema = plan.inputs[0]->schema;
  }

  void Replace(Plan& plan, Plan& input) {
    const Plan* scan = ScanBelow(input);
    if (scan == nullptr) return;
    ForEachExpression(plan, [&](Expression& expression) { Replace(expression, input, *scan); });
  }

  void Replace(Expression& expression, Plan& input, const Plan& scan) {
    if (const auto wanted = WantedBy(expression, input, scan)) {
      expression = {.kind = Expression::Kind::kColumn,
                    .type = Type::kString,
                    .column = Append(input, *wanted)};
      return;
    }
    for (Expression& argument : expression.arguments) Replace(argument, input, scan);
  }

  [[nodiscard]] std::optional<ScanColumn> WantedBy(const Expression& expression, const Plan& input,
                                                   const Plan& scan) const {
    if (!Calls(expression, "tostring", 1)) return std::nullopt;
    const Expression& path = expression.arguments[0];
    if (!Calls(path, "member", 2) && !Calls(path, "index", 2)) return std::nullopt;
    const Expression& name = path.arguments[1];
    if (name.kind != Expression::Kind::kLiteral || name.type != Type::kString) return std::nullopt;
    const Expression* json = JsonColumn(path.arguments[0]);
    if (json == nullptr) return std::nullopt;
    const auto column = TableColumn(input, json->column);
    if (!column || !catalog_.KeepsMember(scan.table, *column, name.value.text)) return std::nullopt;
    return ScanColumn{.column = *column, .member = name.value.text};
  }

  const Catalog& catalog_;
};

}  // namespace

void AskForMembers(Plan& plan, const Catalog& catalog) {
  const std::size_t columns = plan.schema.size();
  Asker asker(catalog);
  asker.Ask(plan);
  if (plan.schema.size() > columns) Asker::CutAfter(plan, columns);
  PruneColumns(plan);
}

}  // namespace picket::kql

// Operators that choose, name and compute columns.

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "agent/kql/bind_core.h"
#include "base/text.h"

namespace picket::kql {
namespace {

[[noreturn]] void RefuseTwice(Span span, std::string_view name) {
  Refuse(span, "KS171", fmt::format("the column '{}' is given twice", EscapeTerminal(name)));
}

// A name that the query itself gives: `x = …`, or a column as it is.
bool IsGivenName(const Ast& ast) {
  return ast.kind == AstKind::kAssign || ast.kind == AstKind::kName;
}

// `*` in a pattern stands for any text.
bool Fits(std::string_view pattern, std::string_view name) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  const std::string_view head = pattern.substr(0, star);
  if (name.substr(0, head.size()) != head) return false;
  pattern.remove_prefix(star + 1);
  name.remove_prefix(head.size());
  if (pattern.find('*') == std::string_view::npos) {
    return name.size() >= pattern.size() && name.substr(name.size() - pattern.size()) == pattern;
  }
  // The shortest run that lets the rest fit is as good as any.
  const std::string_view middle = pattern.substr(0, pattern.find('*'));
  const std::size_t found = name.find(middle);
  if (found == std::string_view::npos) return false;
  return Fits(pattern.substr(middle.size()), name.substr(found + middle.size()));
}

bool Fits(const Ast& ast, std::string_view name) {
  return ast.kind == AstKind::kStar || Fits(ast.text, name);
}

// Each must be a pattern, or the name of a column that is there.
void CheckNames(const Schema& schema, const std::vector<AstPtr>& expressions) {
  for (const AstPtr& ast : expressions) {
    if (ast->kind == AstKind::kStar || ast->text.find('*') != std::string::npos) continue;
    if (ast->kind == AstKind::kName && FindColumn(schema, ast->text)) continue;
    std::vector<std::string_view> names;
    for (const ColumnSchema& column : schema) names.push_back(column.name);
    const std::string_view nearest = Nearest(ast->text, names);
    Refuse(ast->span, ast->kind == AstKind::kName ? "KS142" : "KS109",
           fmt::format("'{}' is no column here", EscapeTerminal(ast->text)),
           nearest.empty() ? "" : fmt::format("Did you mean '{}'?", nearest));
  }
}

}  // namespace

std::string ColumnName(const Ast& ast, int& unnamed) {
  std::string name = AutomaticName(ast);
  return name.empty() ? fmt::format("Column{}", ++unnamed) : name;
}

// A column that exists already keeps its place and gets the new value.
PlanPtr Binder::Extend(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  if (op.expressions.empty()) return input;
  PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kProject);
  const Schema& before = plan->inputs[0]->schema;
  std::vector<Expression>& list = plan->lists.emplace_back();
  for (std::size_t i = 0; i < before.size(); ++i) list.push_back(ColumnOf(before, i));
  ExpressionBinder binder(*this, before, scope);
  std::set<std::string> given;
  int unnamed = 0;
  for (const AstPtr& ast : op.expressions) {
    for (auto& [name, expression, of_tuple] : binder.BindColumns(*ast)) {
      if (name.empty()) name = fmt::format("Column{}", ++unnamed);
      if (!given.insert(name).second) {
        if (IsGivenName(*ast)) RefuseTwice(ast->span, name);
        name = UniqueName(plan->schema, std::move(name));
      }
      if (const auto place = FindColumn(plan->schema, name)) {
        plan->schema[*place].type = expression.type;
        list[*place] = std::move(expression);
      } else {
        plan->schema.push_back({std::move(name), expression.type});
        list.push_back(std::move(expression));
      }
    }
  }
  return plan;
}

PlanPtr Binder::Project(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kProject);
  plan->schema.clear();
  std::vector<Expression>& list = plan->lists.emplace_back();
  ExpressionBinder binder(*this, plan->inputs[0]->schema, scope);
  int unnamed = 0;
  for (const AstPtr& ast : op.expressions) {
    for (auto& [name, expression, of_tuple] : binder.BindColumns(*ast)) {
      if (name.empty()) name = fmt::format("Column{}", ++unnamed);
      if (IsGivenName(*ast) && FindColumn(plan->schema, name)) RefuseTwice(ast->span, name);
      plan->schema.push_back({UniqueName(plan->schema, std::move(name)), expression.type});
      list.push_back(std::move(expression));
    }
  }
  return plan;
}

PlanPtr Binder::ProjectSome(PlanPtr input, const OperatorAst& op, const Scope* /*scope*/) {
  const bool keep = op.name == "project-keep";
  PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kProject);
  const Schema& before = plan->inputs[0]->schema;
  CheckNames(before, op.expressions);
  plan->schema.clear();
  std::vector<Expression>& list = plan->lists.emplace_back();
  for (std::size_t i = 0; i < before.size(); ++i) {
    const bool named = std::any_of(op.expressions.begin(), op.expressions.end(),
                                   [&](const AstPtr& ast) { return Fits(*ast, before[i].name); });
    if (named != keep) continue;
    plan->schema.push_back(before[i]);
    list.push_back(ColumnOf(before, i));
  }
  return plan;
}

// The named columns in that order, then the others as they were. A pattern takes what no other
// name takes; the last one only says where the rest goes.
PlanPtr Binder::Reorder(PlanPtr input, const OperatorAst& op, const Scope* /*scope*/) {
  PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kProject);
  const Schema& before = plan->inputs[0]->schema;
  CheckNames(before, op.expressions);
  std::set<std::size_t> taken;
  std::set<std::string_view> named;
  for (const AstPtr& ast : op.expressions) named.insert(ast->text);
  std::vector<std::size_t> order;
  for (const AstPtr& ast : op.expressions) {
    std::vector<std::size_t> columns;
    for (std::size_t i = 0; i < before.size(); ++i) {
      const bool pattern = ast->text != before[i].name;
      if (!Fits(*ast, before[i].name) || (pattern && named.contains(before[i].name))) continue;
      if (taken.insert(i).second) columns.push_back(i);
    }
    if (!ast->names.empty() && ast->kind != AstKind::kAssign) {
      if (ast->names[0].substr(0, 6) == "granny") {
        Refuse(ast->span, "PK100", fmt::format("'{}' is not supported yet", ast->names[0]));
      }
      const bool ascending = ast->names[0] == "asc";
      std::sort(columns.begin(), columns.end(), [&](std::size_t a, std::size_t b) {
        return ascending ? before[a].name < before[b].name : before[b].name < before[a].name;
      });
    }
    order.insert(order.end(), columns.begin(), columns.end());
  }
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (!taken.contains(i)) order.push_back(i);
  }
  plan->schema.clear();
  std::vector<Expression>& list = plan->lists.emplace_back();
  for (const std::size_t i : order) {
    plan->schema.push_back(before[i]);
    list.push_back(ColumnOf(before, i));
  }
  return plan;
}

PlanPtr Binder::Rename(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kProject);
  const Schema& before = plan->inputs[0]->schema;
  std::vector<Expression>& list = plan->lists.emplace_back();
  for (std::size_t i = 0; i < before.size(); ++i) list.push_back(ColumnOf(before, i));
  for (const AstPtr& ast : op.expressions) {
    if (ast->kind != AstKind::kAssign) Refuse(ast->span, "KS006", "write new = old");
    const Expression old = ExpressionBinder(*this, before, scope).Bind(*ast->children[0]);
    if (old.kind != Expression::Kind::kColumn) Refuse(ast->span, "KS109", "write new = old");
    const auto same = FindColumn(plan->schema, ast->text);
    if (same && *same != old.column) RefuseTwice(ast->span, ast->text);
    plan->schema[old.column].name = ast->text;
  }
  return plan;
}

}  // namespace picket::kql

// join and lookup.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "agent/kql/bind_core.h"
#include "base/text.h"

namespace picket::kql {
namespace {

// The first name of each is the one that is shown.
constexpr std::array<std::pair<std::string_view, JoinKind>, 13> kKinds = {
    {{"innerunique", JoinKind::kInnerUnique},
     {"inner", JoinKind::kInner},
     {"leftouter", JoinKind::kLeftOuter},
     {"rightouter", JoinKind::kRightOuter},
     {"fullouter", JoinKind::kFullOuter},
     {"leftsemi", JoinKind::kLeftSemi},
     {"rightsemi", JoinKind::kRightSemi},
     {"leftanti", JoinKind::kLeftAnti},
     {"anti", JoinKind::kLeftAnti},
     {"leftantisemi", JoinKind::kLeftAnti},
     {"rightanti", JoinKind::kRightAnti},
     {"rightantisemi", JoinKind::kRightAnti},
     {"outer", JoinKind::kFullOuter}}};

JoinKind KindOf(const OperatorAst& op) {
  const bool lookup = op.name == "lookup";
  const OptionAst* option = op.Option("kind");
  if (option == nullptr) return lookup ? JoinKind::kLeftOuter : JoinKind::kInnerUnique;
  for (const auto& [name, kind] : kKinds) {
    const bool known = !lookup || kind == JoinKind::kInner || kind == JoinKind::kLeftOuter;
    if (name == option->text && known) return kind;
  }
  Refuse(op.span, "KS006",
         fmt::format("'{}' is no kind of {}", EscapeTerminal(option->text), op.name));
}

bool IsSide(const Ast& ast, std::string_view side) {
  return ast.kind == AstKind::kMember && ast.children[0]->kind == AstKind::kName &&
         ast.children[0]->text == side;
}

struct KeyPair {
  const Ast* ast = nullptr;
  std::string left, right;
};

// `on a`, `on $left.a == $right.b`, several by commas or `and`.
void AddConditions(const Ast& ast, std::vector<KeyPair>& conditions) {
  if (ast.kind == AstKind::kName) {
    conditions.push_back({&ast, ast.text, ast.text});
    return;
  }
  if (ast.kind == AstKind::kCall && ast.text == "and") {
    for (const AstPtr& part : ast.children) AddConditions(*part, conditions);
    return;
  }
  if (ast.kind == AstKind::kCall && ast.text == "==") {
    const Ast& a = *ast.children[0];
    const Ast& b = *ast.children[1];
    if (IsSide(a, "$left") && IsSide(b, "$right")) {
      conditions.push_back({&ast, a.text, b.text});
      return;
    }
    if (IsSide(a, "$right") && IsSide(b, "$left")) {
      conditions.push_back({&ast, b.text, a.text});
      return;
    }
  }
  Refuse(ast.span, "KS227", "a join compares columns for equality: on a, $left.b == $right.c");
}

Expression KeyColumn(const Schema& schema, const std::string& name, Span span) {
  const auto column = FindColumn(schema, name);
  if (!column) {
    std::vector<std::string_view> names;
    for (const ColumnSchema& each : schema) names.push_back(each.name);
    const std::string_view nearest = Nearest(name, names);
    Refuse(span, "KS142", fmt::format("'{}' is no column of that side", EscapeTerminal(name)),
           nearest.empty() ? "" : fmt::format("Did you mean '{}'?", nearest));
  }
  Expression key = ColumnOf(schema, *column);
  if (key.type == Type::kDynamic) {
    Refuse(span, "KS116",
           fmt::format("the dynamic column '{}' cannot be a key; convert it, as by tostring()",
                       EscapeTerminal(name)));
  }
  return key;
}

void AddKeys(Plan& plan, const KeyPair& condition) {
  Expression left = KeyColumn(plan.inputs[0]->schema, condition.left, condition.ast->span);
  Expression right = KeyColumn(plan.inputs[1]->schema, condition.right, condition.ast->span);
  if (left.type != right.type) {
    if (!IsNumeric(left.type) || !IsNumeric(right.type)) {
      Refuse(condition.ast->span, "KS227",
             fmt::format("the keys are of different types: {} and {}", TypeName(left.type),
                         TypeName(right.type)));
    }
    const bool real = left.type == Type::kReal || right.type == Type::kReal;
    const Type common = real ? Type::kReal : Type::kLong;
    left = Convert(std::move(left), common, condition.ast->span);
    right = Convert(std::move(right), common, condition.ast->span);
  }
  plan.lists[0].push_back(std::move(left));
  plan.lists[1].push_back(std::move(right));
}

void AddColumns(Plan& plan, const Schema& from, std::size_t offset,
                const std::vector<std::string>& left_out) {
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (std::find(left_out.begin(), left_out.end(), from[i].name) != left_out.end()) continue;
    plan.schema.push_back({UniqueName(plan.schema, from[i].name), from[i].type});
    plan.picked[0].push_back(offset + i);
  }
}

}  // namespace

std::string_view JoinKindName(JoinKind kind) {
  return std::find_if(kKinds.begin(), kKinds.end(),
                      [&](const auto& one) { return one.second == kind; })
      ->first;
}

PlanPtr Binder::Join(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  auto plan = std::make_unique<Plan>();
  plan->kind = Plan::Kind::kJoin;
  plan->join = KindOf(op);
  plan->inputs.push_back(std::move(input));
  plan->inputs.push_back(Pipe(*op.tables[0], scope));
  plan->lists.resize(2);
  plan->picked.emplace_back();
  std::vector<KeyPair> conditions;
  for (const AstPtr& ast : op.by) AddConditions(*ast, conditions);
  if (conditions.empty()) Refuse(op.span, "KS006", "'on' is missing here");
  std::vector<std::string> right_keys;
  for (const KeyPair& condition : conditions) {
    AddKeys(*plan, condition);
    right_keys.push_back(condition.right);
  }
  const bool right_only = plan->join == JoinKind::kRightSemi || plan->join == JoinKind::kRightAnti;
  const bool left_only = plan->join == JoinKind::kLeftSemi || plan->join == JoinKind::kLeftAnti;
  const Schema& left = plan->inputs[0]->schema;
  if (!right_only) AddColumns(*plan, left, 0, {});
  if (!left_only) {
    const bool lookup = op.name == "lookup";
    AddColumns(*plan, plan->inputs[1]->schema, left.size(),
               lookup ? right_keys : std::vector<std::string>{});
  }
  return plan;
}

}  // namespace picket::kql

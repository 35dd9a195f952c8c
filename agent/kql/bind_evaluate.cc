// evaluate: plugins. Where the columns depend on the data, binding stops there, and goes on when
// the rows before it are known (see engine.h).

#include <fmt/format.h>

#include <algorithm>

#include "agent/kql/bind_aggregate.h"
#include "agent/kql/bind_core.h"
#include "agent/kql/geo_shapes.h"
#include "agent/kql/json_view.h"
#include "base/text.h"

namespace picket::kql {
namespace {

// `name = value` among a plugin's arguments.
const Ast* Named(const OperatorAst& op, std::string_view name) {
  for (const AstPtr& ast : op.expressions) {
    if (ast->kind == AstKind::kAssign && ast->text == name) return ast->children[0].get();
  }
  return nullptr;
}

std::vector<const Ast*> Positional(const OperatorAst& op) {
  std::vector<const Ast*> list;
  for (const AstPtr& ast : op.expressions) {
    if (ast->kind != AstKind::kAssign) list.push_back(ast.get());
  }
  return list;
}

std::string TextOf(const Expression& value, Span span) {
  if (value.kind != Expression::Kind::kLiteral || value.type != Type::kString) {
    Refuse(span, "KS141", "a text is needed here");
  }
  return value.value.text;
}

void NeedArguments(const OperatorAst& op, const std::vector<const Ast*>& arguments,
                   std::size_t least) {
  if (arguments.size() >= least) return;
  Refuse(op.span, "KS119", fmt::format("{}() takes {} arguments or more", op.target, least));
}

void MarkColumns(const Expression& expression, std::vector<bool>& used) {
  if (expression.kind == Expression::Kind::kColumn) used[expression.column] = true;
  for (const Expression& argument : expression.arguments) MarkColumns(argument, used);
}

}  // namespace

PlanPtr Binder::Late(PlanPtr plugin, const OperatorAst& op) {
  if (!inner_rows_.empty()) {
    Refuse(op.span, "PK100", fmt::format("{} is not supported within mv-apply", op.target));
  }
  const Schema input = plugin->inputs[0]->schema;
  const std::size_t at = late_++;
  if (at >= known_.size()) throw BindStage{std::move(plugin)};
  auto stored = std::make_unique<Plan>();
  stored->kind = Plan::Kind::kStored;
  stored->schema = known_[at];
  stored->stored = at;
  if (op.columns.empty()) return stored;
  // evaluate … : (a:long, b:string): these columns, whatever the data has; with a star before them,
  // after the input's own.
  PlanPtr project = PlanOver(std::move(stored), Plan::Kind::kProject);
  project->schema.clear();
  std::vector<Expression>& list = project->lists.emplace_back();
  const Schema& before = project->inputs[0]->schema;
  const bool star = op.columns.front().name == "*";
  for (std::size_t i = 0; star && i < input.size(); ++i) {
    const auto place = FindColumn(before, input[i].name);
    if (!place || FindColumn(op.columns, input[i].name)) continue;
    project->schema.push_back(before[*place]);
    list.push_back(ColumnOf(before, *place));
  }
  for (std::size_t i = star ? 1 : 0; i < op.columns.size(); ++i) {
    const ColumnSchema& column = op.columns[i];
    project->schema.push_back(column);
    const auto place = FindColumn(before, column.name);
    list.push_back(place ? Convert(ColumnOf(before, *place), column.type, op.span)
                         : Literal(Value::Null(column.type)));
  }
  return project;
}

PlanPtr Binder::Evaluate(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  if (op.target == "bag_unpack") return BagUnpack(std::move(input), op, scope);
  if (op.target == "pivot") return Pivot(std::move(input), op, scope);
  if (op.target == "ipv4_lookup" || op.target == "ipv6_lookup") {
    return IpLookup(std::move(input), op, scope);
  }
  if (op.target == "geo_polygon_lookup" || op.target == "geo_line_lookup") {
    return GeoLookup(std::move(input), op, scope);
  }
  if (op.target == "narrow") {
    PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kPlugin);
    plan->plugin.kind = Plan::Plugin::Kind::kNarrow;
    return Late(std::move(plan), op);
  }
  Refuse(op.span, "PK100",
         fmt::format("the plugin '{}' is not supported yet", EscapeTerminal(op.target)));
}

// bag_unpack(column, prefix, columnsConflict=…, ignoredProperties=…)
PlanPtr Binder::BagUnpack(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  const std::vector<const Ast*> arguments = Positional(op);
  NeedArguments(op, arguments, 1);
  PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kPlugin);
  Plan::Plugin& plugin = plan->plugin;
  plugin.kind = Plan::Plugin::Kind::kUnpack;
  Expression bag = ExpressionBinder(*this, plan->schema, scope).Bind(*arguments[0]);
  if (bag.kind != Expression::Kind::kColumn || bag.type != Type::kDynamic) {
    Refuse(arguments[0]->span, "KS141", "bag_unpack() takes a dynamic column");
  }
  plan->lists.emplace_back().push_back(std::move(bag));
  const Ast* prefix = arguments.size() > 1 ? arguments[1] : Named(op, "OutputColumnPrefix");
  if (prefix != nullptr) plugin.prefix = TextOf(Constant(*prefix, scope), prefix->span);
  const Ast* conflict = arguments.size() > 2 ? arguments[2] : Named(op, "columnsConflict");
  if (conflict != nullptr) {
    const std::string text = TextOf(Constant(*conflict, scope), conflict->span);
    if (text == "keep_source") {
      plugin.conflict = Plan::Plugin::Conflict::kKeepSource;
    } else if (text == "replace_source") {
      plugin.conflict = Plan::Plugin::Conflict::kReplaceSource;
    } else if (text != "error") {
      Refuse(conflict->span, "KS141", "columnsConflict is error, keep_source or replace_source");
    }
  }
  const Ast* ignored = arguments.size() > 3 ? arguments[3] : Named(op, "ignoredProperties");
  if (ignored != nullptr) {
    const Expression list = Constant(*ignored, scope);
    if (list.kind != Expression::Kind::kLiteral || list.type != Type::kDynamic) {
      Refuse(ignored->span, "KS141", "ignoredProperties is a dynamic array");
    }
    ForEachElement(list.value.text, [&](std::string_view name) {
      plugin.ignored.push_back(UnquoteJson(name));
      return true;
    });
  }
  return Late(std::move(plan), op);
}

// pivot(column, aggregate, columns…): a summarize by the columns and the pivot, whose values then
// become columns.
PlanPtr Binder::Pivot(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  const std::vector<const Ast*> arguments = Positional(op);
  NeedArguments(op, arguments, 1);
  PlanPtr groups = PlanOver(std::move(input), Plan::Kind::kSummarize);
  const Schema before = groups->inputs[0]->schema;
  groups->schema.clear();
  ExpressionBinder rows(*this, before, scope);
  Expression pivot = rows.Bind(*arguments[0]);
  std::vector<bool> used(before.size(), false);
  MarkColumns(pivot, used);

  Ast count;
  count.kind = AstKind::kCall;
  count.text = "count";
  count.span = op.span;
  const Ast& call = arguments.size() > 1 ? *arguments[1] : count;
  if (!IsAggregateCall(call)) Refuse(call.span, "KS141", "pivot() takes an aggregate here");
  std::vector<Expression> keys;
  int unnamed = 0;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    AddKey(*groups, keys, rows, *arguments[i], unnamed);
  }
  AggregateBinder(*groups, rows, op.by).Add(call);
  if (groups->aggregates[0].outputs != 1) {
    Refuse(call.span, "KS141", "pivot() takes an aggregate of one value");
  }
  const ColumnSchema value = groups->schema.back();
  groups->schema.pop_back();
  if (arguments.size() <= 2) {  // by all columns that are not used otherwise
    for (const Expression& argument : groups->aggregates[0].arguments) MarkColumns(argument, used);
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (used[i]) continue;
      if (before[i].type == Type::kDynamic) {
        Refuse(
            op.span, "KS116",
            fmt::format("the dynamic column '{}' cannot be a key", EscapeTerminal(before[i].name)));
      }
      keys.push_back(ColumnOf(before, i));
      groups->schema.push_back(before[i]);
    }
  }
  keys.push_back(Convert(std::move(pivot), Type::kString, arguments[0]->span));
  groups->schema.push_back({"pivot", Type::kString});
  groups->schema.push_back(value);
  groups->lists.push_back(std::move(keys));
  PlanPtr plan = PlanOver(std::move(groups), Plan::Kind::kPlugin);
  plan->plugin.kind = Plan::Plugin::Kind::kPivot;
  return Late(std::move(plan), op);
}

// ipv4_lookup(table, address, network, further keys…, return_unmatched=…)
PlanPtr Binder::IpLookup(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  const std::vector<const Ast*> arguments = Positional(op);
  NeedArguments(op, arguments, 3);
  auto plan = std::make_unique<Plan>();
  plan->kind = Plan::Kind::kIpLookup;
  plan->plugin.v4 = op.target == "ipv4_lookup";
  plan->inputs.push_back(std::move(input));
  plan->inputs.push_back(TableOf(*arguments[0], scope));
  const Schema& left = plan->inputs[0]->schema;
  const Schema& right = plan->inputs[1]->schema;
  plan->lists.resize(2);
  const auto key = [&](const Ast& ast, const Schema& schema, std::size_t side) {
    Expression bound = ExpressionBinder(*this, schema, scope).Bind(ast);
    if (bound.type == Type::kDynamic) Refuse(ast.span, "KS116", "a dynamic cannot be a key");
    plan->lists[side].push_back(std::move(bound));
  };
  key(*arguments[1], left, 0);
  key(*arguments[2], right, 1);
  std::size_t keys = arguments.size();
  bool outer = false;
  const auto flag = [&](const Ast& ast) {
    const Expression value = Constant(ast, scope);
    if (value.kind != Expression::Kind::kLiteral || value.type != Type::kBool) return false;
    outer = value.value.number != 0;
    return true;
  };
  if (const Ast* named = Named(op, "return_unmatched"); named != nullptr) flag(*named);
  if (keys > 3 && arguments.back()->kind == AstKind::kLiteral && flag(*arguments.back())) --keys;
  for (std::size_t i = 3; i < keys; ++i) {
    key(*arguments[i], left, 0);
    key(*arguments[i], right, 1);
  }
  plan->join = outer ? JoinKind::kLeftOuter : JoinKind::kInner;
  plan->picked.emplace_back();
  const auto add = [&](const Schema& side, std::size_t offset) {
    for (std::size_t i = 0; i < side.size(); ++i) {
      plan->schema.push_back({UniqueName(plan->schema, side[i].name), side[i].type});
      plan->picked[0].push_back(offset + i);
    }
  };
  const bool networks_first = op.target == "ipv6_lookup";  // the engine does so
  if (networks_first) add(right, left.size());
  add(left, 0);
  if (!networks_first) add(right, left.size());
  return plan;
}

// geo_polygon_lookup(table, polygon, longitude, latitude, radius=…, return_unmatched=…,
// return_lookup_key=…); geo_line_lookup the same with lines, its radius the fifth argument.
PlanPtr Binder::GeoLookup(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  if (!HasGeoShapes()) {
    Refuse(op.span, "PK100",
           fmt::format("'{}' needs S2, which this build of Picket is without", op.target));
  }
  const std::vector<const Ast*> arguments = Positional(op);
  NeedArguments(op, arguments, 4);
  auto plan = std::make_unique<Plan>();
  plan->kind = Plan::Kind::kGeoLookup;
  plan->plugin.lines = op.target == "geo_line_lookup";
  plan->inputs.push_back(std::move(input));
  plan->inputs.push_back(TableOf(*arguments[0], scope));
  const Schema& left = plan->inputs[0]->schema;
  const Schema& right = plan->inputs[1]->schema;
  plan->lists.resize(2);
  for (const Ast* ast : {arguments[2], arguments[3]}) {
    Expression place = ExpressionBinder(*this, left, scope).Bind(*ast);
    if (!IsNumeric(place.type)) Refuse(ast->span, "KS137", "a number is needed here");
    plan->lists[0].push_back(std::move(place));
  }
  Expression shape = ExpressionBinder(*this, right, scope).Bind(*arguments[1]);
  if (shape.kind != Expression::Kind::kColumn || shape.type != Type::kDynamic) {
    Refuse(arguments[1]->span, "KS141", "a dynamic column of the looked-up table is needed here");
  }
  const std::size_t key = shape.column;
  plan->lists[1].push_back(std::move(shape));
  const auto flag = [&](std::string_view name) {
    const Ast* ast = Named(op, name);
    if (ast == nullptr) return false;
    const Expression value = Constant(*ast, scope);
    if (value.kind != Expression::Kind::kLiteral || value.type != Type::kBool) {
      Refuse(ast->span, "KS107", fmt::format("{} is true or false", name));
    }
    return value.value.number != 0;
  };
  const Ast* radius = arguments.size() > 4 ? arguments[4] : Named(op, "radius");
  if (radius == nullptr && plan->plugin.lines) NeedArguments(op, arguments, 5);
  if (radius != nullptr) {
    const Expression metres = Convert(Constant(*radius, scope), Type::kReal, radius->span);
    const bool known = metres.kind == Expression::Kind::kLiteral && !metres.value.null;
    constexpr double kMost = 20'015'118;  // half around the Earth
    if (!known || !(metres.value.real >= 0 && metres.value.real <= kMost)) {
      Refuse(radius->span, "PK104", "the radius is 0 to 20,015,118 metres");
    }
    plan->plugin.radius = metres.value.real;
  }
  plan->join = flag("return_unmatched") ? JoinKind::kLeftOuter : JoinKind::kInner;
  const bool with_key = flag("return_lookup_key");
  plan->picked.emplace_back();
  for (std::size_t i = 0; i < left.size() + right.size(); ++i) {
    const bool of_left = i < left.size();
    if (!with_key && i == left.size() + key) continue;
    const ColumnSchema& column = of_left ? left[i] : right[i - left.size()];
    plan->schema.push_back({UniqueName(plan->schema, column.name), column.type});
    plan->picked[0].push_back(i);
  }
  return plan;
}

}  // namespace picket::kql

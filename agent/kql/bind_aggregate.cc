#include "agent/kql/bind_aggregate.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/kql/bind_core.h"

namespace picket::kql {
namespace {

bool IsArgExtreme(std::string_view name) { return name == "arg_max" || name == "arg_min"; }
bool IsAny(std::string_view name) { return name == "take_any" || name == "any"; }

// Of the aggregates with a column for each percentile: where these begin.
std::optional<std::size_t> FirstPercentile(std::string_view name) {
  if (name == "percentile" || name == "percentiles") return 1;
  if (name == "percentilew" || name == "percentilesw") return 2;
  return std::nullopt;
}

// 99.9 → "99_9"
std::string NumberInName(const Expression& expression) {
  const Value& value = expression.value;
  std::string text =
      expression.type == Type::kReal ? RealAsString(value.real) : std::to_string(value.number);
  if (text.size() > 2 && text.substr(text.size() - 2) == ".0") text.resize(text.size() - 2);
  std::replace(text.begin(), text.end(), '.', '_');
  return text;
}

void AddArgOutput(const Ast& child, std::size_t at, const BoundAggregate& aggregate,
                  Schema& outputs) {
  std::string name = AutomaticName(child);
  const std::string prefix(aggregate.function->prefix);
  if (name.empty()) name = at == 0 ? prefix : fmt::format("{}arg{}", prefix, at);
  outputs.push_back({std::move(name), aggregate.arguments.back().type});
}

Type Check(const Ast& call, const BoundAggregate& aggregate) {
  std::vector<Type> types;
  for (const Expression& argument : aggregate.arguments) types.push_back(argument.type);
  const Fit fit = FitArguments(*aggregate.function, types);
  if (fit.misfit) Refuse(call.span, fit.misfit->code, fit.misfit->why);
  return fit.type;
}

}  // namespace

bool IsAggregateCall(const Ast& ast) {
  const std::string_view name = FunctionName(ast.text);
  return ast.kind == AstKind::kCall && FindFunction(name) == nullptr &&
         FindAggregate(name) != nullptr;
}

Schema AggregateBinder::Add(const Ast& call) {
  const std::string_view name = FunctionName(call.text);
  BoundAggregate aggregate{.function = FindAggregate(name), .arguments = {}, .outputs = 1};
  Schema outputs;
  for (std::size_t i = 0; i < call.children.size(); ++i) {
    const Ast& child = Inside(*call.children[i]);
    if (child.kind == AstKind::kStar) {
      if (!IsArgExtreme(name) && !IsAny(name)) {
        Refuse(child.span, "PK100", fmt::format("{}(*) is not supported yet", name));
      }
      AddAllColumns(call, aggregate, outputs);
      continue;
    }
    aggregate.arguments.push_back(rows_.Bind(child));
    if (IsArgExtreme(name)) AddArgOutput(child, i, aggregate, outputs);
  }
  TakeDecimalsAsReals(aggregate.function->signature, aggregate.arguments, call.span);
  const Type type = Check(call, aggregate);
  if (!IsArgExtreme(name) && outputs.empty()) outputs = OutputsOf(call, aggregate, type);
  aggregate.outputs = outputs.size();
  plan_.schema.insert(plan_.schema.end(), outputs.begin(), outputs.end());
  plan_.aggregates.push_back(std::move(aggregate));
  return outputs;
}

Schema AggregateBinder::OutputsOf(const Ast& call, const BoundAggregate& aggregate,
                                  Type type) const {
  const std::string_view name = aggregate.function->name();
  Schema outputs;
  if (IsAny(name) && call.children.size() > 1) {
    for (std::size_t i = 0; i < call.children.size(); ++i) {
      std::string output = AutomaticName(Inside(*call.children[i]));
      if (output.empty()) output = fmt::format("any_arg{}", i);
      outputs.push_back({std::move(output), aggregate.arguments[i].type});
    }
    return outputs;
  }
  if (const auto first = FirstPercentile(name)) {
    const std::string base = AutomaticName(Inside(*call.children[0]));
    for (std::size_t i = *first; i < aggregate.arguments.size(); ++i) {
      if (aggregate.arguments[i].kind != Expression::Kind::kLiteral) {
        Refuse(call.children[i]->span, "KS141", "a percentile must be a constant");
      }
      outputs.push_back(
          {fmt::format("percentile_{}_{}", base, NumberInName(aggregate.arguments[i])), type});
    }
    return outputs;
  }
  std::string output = AutomaticName(call);
  if (output.empty() && !call.children.empty()) {
    output = fmt::format("{}_arg0", call.text == "take_any" ? "any" : call.text);
  }
  outputs.push_back({std::move(output), type});
  return outputs;
}

// arg_max(x, *), take_any(*): every column that is no key and not x itself.
void AggregateBinder::AddAllColumns(const Ast& call, BoundAggregate& aggregate, Schema& outputs) {
  const Schema& before = plan_.inputs[0]->schema;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto is_column = [&](const Ast& ast) {
      return ast.kind == AstKind::kName && ast.text == before[i].name;
    };
    const bool key = std::any_of(by_.begin(), by_.end(),
                                 [&](const AstPtr& by) { return is_column(Inside(*by)); });
    if (key || is_column(Inside(*call.children[0]))) continue;
    aggregate.arguments.push_back(ColumnOf(before, i));
    outputs.push_back(before[i]);
  }
}

}  // namespace picket::kql

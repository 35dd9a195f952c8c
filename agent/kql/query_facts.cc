// What a query is by its plan alone: how it depends on the clock, and what it may read.

#include <algorithm>
#include <numeric>

#include "agent/kql/engine.h"
#include "agent/kql/evaluator.h"

namespace picket::kql {
namespace {

bool AsksClock(const Plan& plan);

bool AsksClock(const Expression& expression) {
  if (expression.function != nullptr &&
      (expression.function->name == "now" || expression.function->name == "ago")) {
    return true;
  }
  if (expression.table && AsksClock(*expression.table)) return true;
  return std::any_of(expression.arguments.begin(), expression.arguments.end(),
                     [](const Expression& argument) { return AsksClock(argument); });
}

bool AsksClock(const Plan& plan) {
  bool asks = std::any_of(plan.inputs.begin(), plan.inputs.end(),
                          [](const PlanPtr& input) { return AsksClock(*input); });
  ForEachExpression(plan, [&](const Expression& each) { asks = asks || AsksClock(each); });
  return asks;
}

// now() itself.
bool IsNow(const Expression& expression) {
  return expression.kind == Expression::Kind::kCall && expression.function->name == "now" &&
         expression.arguments.empty();
}

// Grows with the clock: now(), ago(x), and these less a constant, or rounded down.
bool GrowsWithClock(const Expression& expression) {
  if (IsNow(expression)) return true;
  if (expression.kind != Expression::Kind::kCall || expression.arguments.empty()) return false;
  const std::string_view name = expression.function->name;
  const bool constant_rest =
      std::none_of(expression.arguments.begin() + 1, expression.arguments.end(),
                   [](const Expression& each) { return AsksClock(each); });
  if (!constant_rest) return false;
  if (name == "ago" || name == "now") return !AsksClock(expression.arguments[0]);
  const bool rounds = name == "-" || name == "+" || name == "bin" || name == "floor" ||
                      name == "startofday" || name == "startofweek" || name == "startofmonth" ||
                      name == "startofyear";
  return rounds && GrowsWithClock(expression.arguments[0]);
}

bool IsTime(const Expression& expression, const Plan& scan) {
  return expression.kind == Expression::Kind::kColumn &&
         scan.schema[expression.column].name == "TimeGenerated" &&
         scan.scan_columns[expression.column].member.empty();
}

// A condition right above a scan.
bool OnlyForgets(const Expression& condition, const Plan& scan) {
  if (!AsksClock(condition)) return true;
  if (condition.kind != Expression::Kind::kCall) return false;
  const std::string_view name = condition.function->name;
  const std::vector<Expression>& arguments = condition.arguments;
  if (name == "and") {
    return std::all_of(arguments.begin(), arguments.end(),
                       [&](const Expression& part) { return OnlyForgets(part, scan); });
  }
  if (name == "between") {
    return IsTime(arguments[0], scan) && GrowsWithClock(arguments[1]) && IsNow(arguments[2]);
  }
  if (arguments.size() != 2) return false;
  if (name == ">" || name == ">=") {
    return IsTime(arguments[0], scan)
               ? GrowsWithClock(arguments[1])
               : name == ">=" && IsNow(arguments[0]) && IsTime(arguments[1], scan);
  }
  if (name == "<" || name == "<=") {
    return IsTime(arguments[1], scan)
               ? GrowsWithClock(arguments[0])
               : name == "<=" && IsTime(arguments[0], scan) && IsNow(arguments[1]);
  }
  return false;
}

bool OnlyForgets(const Plan& plan) {
  if (plan.kind == Plan::Kind::kFilter) {
    // Through the filters below: a scan's columns are still the scan's.
    const Plan* below = plan.inputs[0].get();
    while (below->kind == Plan::Kind::kFilter) below = below->inputs[0].get();
    const bool above_scan = below->kind == Plan::Kind::kScan;
    const bool holds =
        above_scan ? OnlyForgets(plan.lists[0][0], *below) : !AsksClock(plan.lists[0][0]);
    return holds && OnlyForgets(*plan.inputs[0]);
  }
  bool asks = false;
  ForEachExpression(plan, [&](const Expression& each) { asks = asks || AsksClock(each); });
  return !asks && std::all_of(plan.inputs.begin(), plan.inputs.end(),
                              [](const PlanPtr& input) { return OnlyForgets(*input); });
}

using Filters = std::vector<const Expression*>;

void Collect(const Plan& plan, Filters filters, const EvalContext& context,
             std::vector<ScanRequest>& requests);

void Collect(const Expression& expression, const EvalContext& context,
             std::vector<ScanRequest>& requests) {
  if (expression.table) Collect(*expression.table, {}, context, requests);
  for (const Expression& argument : expression.arguments) Collect(argument, context, requests);
}

void Collect(const Plan& plan, Filters filters, const EvalContext& context,
             std::vector<ScanRequest>& requests) {
  ForEachExpression(plan, [&](const Expression& each) { Collect(each, context, requests); });
  if (plan.kind == Plan::Kind::kScan) {
    requests.push_back(RequestOf(plan, filters, context));
    return;
  }
  if (plan.kind == Plan::Kind::kFilter) {
    filters.push_back(plan.lists[0].data());
  } else {
    filters.clear();
  }
  for (const PlanPtr& input : plan.inputs) Collect(*input, filters, context, requests);
}

std::optional<std::vector<std::size_t>> GroupColumns(const Plan& plan) {
  switch (plan.kind) {
    case Plan::Kind::kSummarize: {
      std::vector<std::size_t> keys(plan.lists[0].size());
      std::iota(keys.begin(), keys.end(), std::size_t{0});
      return keys;
    }
    case Plan::Kind::kFilter:
    case Plan::Kind::kSort:
    case Plan::Kind::kTake:
      return GroupColumns(*plan.inputs[0]);
    case Plan::Kind::kProject: {
      const auto below = GroupColumns(*plan.inputs[0]);
      if (!below) return std::nullopt;
      std::vector<std::size_t> keys;
      for (std::size_t i = 0; i < plan.lists[0].size(); ++i) {
        const Expression& expression = plan.lists[0][i];
        if (expression.kind == Expression::Kind::kColumn &&
            std::find(below->begin(), below->end(), expression.column) != below->end()) {
          keys.push_back(i);
        }
      }
      // Without all of its keys a group is not told from the others.
      return keys.size() < below->size() ? std::nullopt : std::optional(std::move(keys));
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<std::vector<std::size_t>> Query::GroupColumns() const {
  return later_ ? std::nullopt : kql::GroupColumns(*plan_);
}

bool Query::OnlyForgets() const { return !later_ && kql::OnlyForgets(*plan_); }

std::vector<ScanRequest> Query::Requests(Instant now) const {
  std::vector<ScanRequest> requests;
  if (!later_) Collect(*plan_, {}, {.now = now}, requests);
  return requests;
}

}  // namespace picket::kql

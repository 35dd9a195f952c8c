// The scan operator: what the conditions above a table let its source skip. Hints only; the filters
// are applied again.

#include <algorithm>

#include "agent/kql/evaluator.h"
#include "agent/kql/explain.h"
#include "agent/kql/meter.h"
#include "agent/kql/shared_scan.h"

namespace picket::kql {
namespace {

std::optional<Condition::Operator> OperatorOf(std::string_view name, bool swapped) {
  using Op = Condition::Operator;
  if (name == "==") return Op::kEqual;
  if (name == "<") return swapped ? Op::kGreater : Op::kLess;
  if (name == "<=") return swapped ? Op::kGreaterEqual : Op::kLessEqual;
  if (name == ">") return swapped ? Op::kLess : Op::kGreater;
  if (name == ">=") return swapped ? Op::kLessEqual : Op::kGreaterEqual;
  return std::nullopt;
}

bool NeedsTables(const Expression& expression) {
  return expression.table != nullptr ||
         std::any_of(expression.arguments.begin(), expression.arguments.end(), &NeedsTables);
}

class HintCollector {
 public:
  HintCollector(const Plan& plan, ScanRequest& request, const EvalContext& context)
      : plan_(plan), request_(request), context_(context) {}

  void Take(const Expression& condition) {
    if (condition.kind != Expression::Kind::kCall) return;
    const std::string_view name = condition.function->name;
    if (name == "and") {
      for (const Expression& part : condition.arguments) Take(part);
      return;
    }
    if (name == "between") {
      Compare(condition.arguments[0], condition.arguments[1], Condition::Operator::kGreaterEqual);
      // datetime between (a .. 1d) has a span for its end; only the start is a hint then.
      if (condition.arguments[2].type == condition.arguments[0].type) {
        Compare(condition.arguments[0], condition.arguments[2], Condition::Operator::kLessEqual);
      }
      return;
    }
    const bool swapped = condition.arguments.size() == 2 && IsConstant(condition.arguments[0]);
    const std::optional<Condition::Operator> op = OperatorOf(name, swapped);
    if (!op) return;
    Compare(condition.arguments[swapped ? 1 : 0], condition.arguments[swapped ? 0 : 1], *op);
  }

 private:
  void Compare(const Expression& column, const Expression& constant, Condition::Operator op) {
    if (column.kind != Expression::Kind::kColumn || !IsConstant(constant)) return;
    if (context_.tables == nullptr && NeedsTables(constant)) return;
    Value value = EvaluateConstant(constant, context_);
    if (value.null) return;
    // ResultType == 0: the text of the number, and what else equals it, only when it is canonical
    // is not for a hint to decide; equal types only.
    if (value.type != column.type) return;
    const ScanColumn& scanned = plan_.scan_columns[column.column];
    if (!scanned.member.empty()) return;
    const ColumnSchema& schema = plan_.schema[column.column];
    if (schema.name == "TimeGenerated" && schema.type == Type::kDateTime) Time(value.number, op);
    request_.conditions.push_back({.column = scanned.column, .op = op, .value = std::move(value)});
  }

  void Time(std::int64_t ticks, Condition::Operator op) {
    using Op = Condition::Operator;
    if (op == Op::kEqual || op == Op::kGreater || op == Op::kGreaterEqual) {
      const Instant from{ticks};
      request_.from = request_.from ? std::max(*request_.from, from) : from;
    }
    if (op == Op::kEqual || op == Op::kLess || op == Op::kLessEqual) {
      const Instant until{ticks};
      request_.until = request_.until ? std::min(*request_.until, until) : until;
    }
  }

  const Plan& plan_;
  ScanRequest& request_;
  const EvalContext& context_;
};

}  // namespace

ScanRequest RequestOf(const Plan& plan, const std::vector<const Expression*>& filters,
                      const EvalContext& context) {
  ScanRequest request{.table = plan.table, .columns = plan.scan_columns, .conditions = {}};
  HintCollector hints(plan, request, context);
  for (const Expression* filter : filters) hints.Take(*filter);
  return request;
}

Result<OperatorPtr> MakeScan(const Plan& plan, const std::vector<const Expression*>& filters,
                             RunState& state) {
  ScanRequest request = RequestOf(
      plan, state.options.pushdown ? filters : std::vector<const Expression*>(), state.context);
  const std::optional<Instant>& from = state.options.from;
  const std::optional<Instant>& until = state.options.until;
  if (from) request.from = request.from ? std::max(*request.from, *from) : from;
  if (until) request.until = request.until ? std::min(*request.until, *until) : until;
  request.after_seq = state.options.after_seq;
  request.until_seq = state.options.until_seq;
  request.stop = state.options.stop;
  OperatorStats* stats = state.meter ? state.meter->Of(plan) : nullptr;
  if (stats != nullptr) stats->pushed = PushedTo(plan, request);
  return state.scans->Make(std::move(request), stats != nullptr ? &stats->shared : nullptr);
}

}  // namespace picket::kql

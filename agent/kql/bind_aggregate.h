#pragma once

#include <string>
#include <vector>

#include "agent/kql/bind_expression.h"
#include "agent/kql/plan.h"

namespace picket::kql {

// True for a call of an aggregate function (not of a scalar one with the same name).
bool IsAggregateCall(const Ast& ast);

// Adds aggregates to a plan; their outputs stand at the end of the plan's schema.
class AggregateBinder {
 public:
  // `rows` binds over the plan's input; `by` are the keys, which arg_max(x, *) leaves out.
  AggregateBinder(Plan& plan, ExpressionBinder& rows, const std::vector<AstPtr>& by)
      : plan_(plan), rows_(rows), by_(by) {}

  // The outputs, with the names that Kusto gives them, not yet made unique.
  Schema Add(const Ast& call);

 private:
  void AddAllColumns(const Ast& call, BoundAggregate& aggregate, Schema& outputs);
  Schema OutputsOf(const Ast& call, const BoundAggregate& aggregate, Type type) const;

  Plan& plan_;
  ExpressionBinder& rows_;
  const std::vector<AstPtr>& by_;
};

}  // namespace picket::kql

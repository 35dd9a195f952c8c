// Operators that work within groups or along rows: top-nested, top-hitters, partition, scan.

#include <fmt/format.h>

#include "agent/kql/bind_aggregate.h"
#include "agent/kql/bind_core.h"
#include "base/text.h"

namespace picket::kql {

// summarize approximate_sum_w = sum(w) by x | top n by approximate_sum_w
PlanPtr Binder::TopHitters(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  PlanPtr groups = PlanOver(std::move(input), Plan::Kind::kSummarize);
  const Schema& before = groups->inputs[0]->schema;
  groups->schema.clear();
  ExpressionBinder rows(*this, before, scope);
  std::vector<Expression> keys;
  int unnamed = 0;
  AddKey(*groups, keys, rows, *op.expressions[0], unnamed);
  groups->lists.push_back(std::move(keys));
  BoundAggregate aggregate;
  std::string name = "approximate_count_" + groups->schema[0].name;
  Type type = Type::kLong;
  if (op.by.empty()) {
    aggregate.function = FindAggregate("count");
  } else {
    aggregate.function = FindAggregate("sum");
    aggregate.arguments.push_back(rows.Bind(Inside(*op.by[0])));
    std::string why;
    const auto sum = aggregate.function->bind({aggregate.arguments[0].type}, why);
    if (!sum) Refuse(op.by[0]->span, "KS106", why);
    type = *sum;
    name = "approximate_sum_" + AutomaticName(*op.by[0]);
  }
  groups->aggregates.push_back(std::move(aggregate));
  groups->schema.push_back({UniqueName(groups->schema, std::move(name)), type});
  PlanPtr top = PlanOver(std::move(groups), Plan::Kind::kSort);
  top->sort.push_back({.expression = ColumnOf(top->schema, 1)});
  top->limit = Limit(*op.count, scope);
  return top;
}

PlanPtr Binder::TopNested(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kTopNested);
  const Schema& before = plan->inputs[0]->schema;
  ExpressionBinder rows(*this, before, scope);
  Schema columns;
  plan->lists.resize(2);
  int unnamed = 0;
  for (std::size_t level = 0; level < op.expressions.size(); ++level) {
    const OptionAst& count = op.options[level];
    if (count.text == "others") {
      Refuse(op.span, "PK100", "top-nested with others is not supported");
    }
    plan->lists[1].push_back(count.value ? Limit(*count.value, scope)
                                         : Literal(Value::Null(Type::kLong)));
    plan->schema.clear();
    AddKey(*plan, plan->lists[0], rows, *op.by[level], unnamed);
    const std::string key = plan->schema[0].name;
    columns.push_back({UniqueName(columns, key), plan->schema[0].type});
    const Ast& ast = *op.expressions[level];
    if (!IsAggregateCall(Inside(ast))) {
      Refuse(ast.span, "KS141", "top-nested orders by an aggregate");
    }
    const Schema made = AggregateBinder(*plan, rows, op.by).Add(Inside(ast));
    if (made.size() != 1 || made[0].type == Type::kDynamic) {
      Refuse(ast.span, "KS141", "top-nested orders by an aggregate of one value");
    }
    std::string name = ast.kind == AstKind::kAssign ? ast.text : "aggregated_" + key;
    columns.push_back({UniqueName(columns, std::move(name)), made[0].type});
    plan->sort.push_back({.expression = Literal(Value::Null(made[0].type)),
                          .ascending = op.sort[level].ascending,
                          .nulls_first = op.sort[level].ascending});
  }
  plan->schema = std::move(columns);
  return plan;
}

// The operators run over the rows of each value apart.
PlanPtr Binder::Partition(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kPartition);
  const Schema before = plan->schema;
  Expression key = ExpressionBinder(*this, before, scope).Bind(*op.by[0]);
  if (key.kind != Expression::Kind::kColumn || key.type == Type::kDynamic) {
    Refuse(op.by[0]->span, "KS141", "partition needs a column that is not dynamic");
  }
  plan->lists.emplace_back().push_back(std::move(key));
  inner_rows_.push_back(before);
  plan->inputs.push_back(Pipe(*op.tables[0], scope));
  inner_rows_.pop_back();
  plan->schema = plan->inputs[1]->schema;
  return plan;
}

// Expressions see the row, the declared columns as they begin, and of each step the row that it
// last took, as `step.column`.
PlanPtr Binder::Scan(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  if (!IsOrdered(*input)) {
    Refuse(op.span, "PK101", "scan needs rows in an order: sort them, or serialize");
  }
  PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kScanSteps);
  for (const ColumnSchema& column : op.columns) {
    if (FindColumn(plan->schema, column.name)) {
      Refuse(op.span, "KS171",
             fmt::format("the column '{}' exists already", EscapeTerminal(column.name)));
    }
    plan->schema.push_back(column);
  }
  const Schema row = plan->schema;
  const std::size_t source = row.size() - op.columns.size();
  Schema seen = row;
  for (const AstPtr& step : op.expressions) {
    for (const ColumnSchema& column : row) {
      seen.push_back({StepColumn(step->text, column.name), column.type});
    }
  }
  plan->lists.resize(2 + op.expressions.size());
  for (std::size_t i = 0; i < op.columns.size(); ++i) {
    Expression value =
        op.by[i] ? Constant(*op.by[i], scope) : Literal(Value::Null(op.columns[i].type));
    plan->lists[1].push_back(Convert(std::move(value), op.columns[i].type, op.span));
  }
  ExpressionBinder binder(*this, seen, scope);
  for (std::size_t i = 0; i < op.expressions.size(); ++i) {
    const Ast& step = *op.expressions[i];
    plan->lists[0].push_back(binder.BindCondition(*step.children[0]));
    std::vector<Expression>& assigned = plan->lists[2 + i];
    for (std::size_t j = source; j < row.size(); ++j) assigned.push_back(ColumnOf(seen, j));
    for (std::size_t j = 1; j < step.children.size(); ++j) {
      const Ast& ast = *step.children[j];
      const auto place = FindColumn(op.columns, ast.text);
      if (ast.kind != AstKind::kAssign || !place) {
        Refuse(ast.span, "KS142", "a declared column must be assigned here");
      }
      assigned[*place] = Convert(binder.Bind(*ast.children[0]), op.columns[*place].type, ast.span);
    }
    plan->steps.push_back({.shown = step.names.empty()});
  }
  if (const OptionAst* id = op.Option("with_match_id"); id != nullptr) {
    plan->match_id = true;
    plan->schema.push_back({UniqueName(plan->schema, id->text), Type::kLong});
  }
  plan->ordered = true;
  return plan;
}

}  // namespace picket::kql

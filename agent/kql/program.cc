#include "agent/kql/program.h"

#include <fmt/format.h>

#include <algorithm>

namespace picket::kql {

namespace {

Error TooMuchText(std::string_view what, std::size_t limit) {
  return {.kind = ErrorKind::kLimit,
          .message = fmt::format("{} makes more than {} MB of text a batch", what, limit >> 20),
          .hint = "Keep texts short before they are put together."};
}

}  // namespace

bool IsConstant(const Expression& expression) {
  if (expression.kind == Expression::Kind::kColumn) return false;
  if (expression.function != nullptr && expression.function->varies) return false;
  return std::all_of(expression.arguments.begin(), expression.arguments.end(), &IsConstant);
}

Program::Program(const Expression& expression, const EvalContext& context)
    : context_(context), root_(Make(expression)) {}

Program::Node Program::Make(const Expression& expression) {
  Node node;
  node.expression = &expression;
  for (const Expression& argument : expression.arguments) node.arguments.push_back(Make(argument));
  const bool varies = expression.kind == Expression::Kind::kColumn ||
                      (expression.function != nullptr && expression.function->varies);
  node.fixed = !varies && std::all_of(node.arguments.begin(), node.arguments.end(),
                                      [](const Node& argument) { return argument.fixed; });
  if (expression.kind == Expression::Kind::kCall) node.state = std::make_unique<KernelState>();
  return node;
}

ColumnPtr Program::Run(Node& node, const Batch& batch) {
  if (node.value) return node.value;
  const Expression& expression = *node.expression;
  ColumnPtr column;
  switch (expression.kind) {
    case Expression::Kind::kLiteral:
      column = ConstantColumn(expression.value, 1);
      break;
    case Expression::Kind::kColumn:
      return batch.columns[expression.column];
    case Expression::Kind::kTableValue:
    case Expression::Kind::kTableList:
      column = context_.tables->at(expression.table.get());
      break;
    case Expression::Kind::kCall: {
      Arguments arguments;
      arguments.reserve(node.arguments.size());
      arguments.StopBy(context_.stop);
      for (Node& argument : node.arguments) arguments.push_back(Run(argument, batch));
      if (!node.fixed) column = CallOverValues(node, arguments, batch.rows);
      if (!column) column = Call(node, arguments, node.fixed ? 1 : batch.rows);
      break;
    }
  }
  if (column->too_large && too_large_.empty() && expression.function != nullptr) {
    too_large_ = expression.function->name;
  }
  if (!node.fixed) return column;
  if (!column->constant) {
    auto constant = std::make_shared<Column>(*column);
    constant->constant = true;
    column = std::move(constant);
  }
  node.value = column;
  return column;
}

ColumnPtr Program::Call(Node& node, const Arguments& arguments, std::size_t rows) {
  context_.state = node.state.get();
  return node.expression->function->run(context_, arguments, rows);
}

// A function of one dictionary's values (and constants) is computed once a value, and not again
// while the dictionary stays.
ColumnPtr Program::CallOverValues(Node& node, const Arguments& arguments, std::size_t rows) {
  CodesPtr codes;
  Arguments values;
  for (const ColumnPtr& argument : arguments) {
    if (!argument->constant && (!argument->codes || (codes && argument->codes != codes))) {
      return nullptr;
    }
    if (argument->codes) codes = argument->codes;
    values.push_back(argument->codes ? argument->dictionary : argument);
  }
  if (!codes || node.expression->function->varies) return nullptr;
  if (node.of_values != values) {
    std::size_t count = 0;
    for (const ColumnPtr& argument : arguments) {
      if (argument->codes) count = argument->dictionary->rows;
    }
    // After a filter few rows may be left of many values.
    if (2 * count > rows) return nullptr;
    node.for_values = Call(node, values, count);
    node.of_values = std::move(values);
  }
  return CodedColumn(node.for_values, std::move(codes));
}

Result<ColumnPtr> Program::Run(const Batch& batch) {
  ColumnPtr column = Run(root_, batch);
  // What kernels gave after a stop is not to be used.
  if (context_.stop.stop_requested()) {
    return Fail({.kind = ErrorKind::kCancelled, .message = "stopped"});
  }
  if (!too_large_.empty()) return Fail(TooMuchText(too_large_, kMostColumnBytes));
  return column;
}

std::vector<Program> MakePrograms(const std::vector<Expression>& list, const EvalContext& context) {
  std::vector<Program> programs;
  programs.reserve(list.size());
  for (const Expression& expression : list) programs.emplace_back(expression, context);
  return programs;
}

Result<Arguments> RunAll(std::vector<Program>& programs, const Batch& batch) {
  Arguments columns;
  columns.reserve(programs.size());
  std::size_t bytes = 0;
  for (Program& program : programs) {
    PK_ASSIGN_OR_RETURN(ColumnPtr column, program.Run(batch));
    const bool passed =
        std::find(batch.columns.begin(), batch.columns.end(), column) != batch.columns.end();
    if (!passed) bytes += column->made_bytes;
    if (bytes > kMostBatchBytes) return Fail(TooMuchText("an operator", kMostBatchBytes));
    columns.push_back(std::move(column));
  }
  return columns;
}

Value EvaluateConstant(const Expression& expression, const EvalContext& context) {
  Batch one;
  one.rows = 1;
  const Result<ColumnPtr> column = Program(expression, context).Run(one);
  return column ? (*column)->Get(0) : Value::Null(expression.type);
}

}  // namespace picket::kql

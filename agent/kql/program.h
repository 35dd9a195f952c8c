#pragma once

#include <memory>
#include <vector>

#include "agent/kql/column.h"
#include "agent/kql/function.h"
#include "agent/kql/plan.h"
#include "base/result.h"

namespace picket::kql {

// True when the value is the same for all rows.
bool IsConstant(const Expression& expression);

// An expression made ready for one run: what is constant is evaluated once, and kernels keep what
// they prepare from batch to batch. For one thread; the expression outlives it.
class Program {
 public:
  Program(const Expression& expression, const EvalContext& context);
  // kLimit when the values' texts are too large; kCancelled.
  [[nodiscard]] Result<ColumnPtr> Run(const Batch& batch);

 private:
  struct Node {
    const Expression* expression = nullptr;
    bool fixed = false;
    ColumnPtr value;  // of a fixed one, once it is known
    std::unique_ptr<KernelState> state;
    std::vector<Node> arguments;
    // Of a call over a dictionary: the dictionary's and the other arguments, and what it gave.
    Arguments of_values;
    ColumnPtr for_values;
  };
  static Node Make(const Expression& expression);
  ColumnPtr Run(Node& node, const Batch& batch);
  ColumnPtr Call(Node& node, const Arguments& arguments, std::size_t rows);
  // nullptr: it must be done row by row.
  ColumnPtr CallOverValues(Node& node, const Arguments& arguments, std::size_t rows);

  EvalContext context_;
  Node root_;
  std::string_view too_large_;  // the function that made too much text; a name of the one table
};

std::vector<Program> MakePrograms(const std::vector<Expression>& list, const EvalContext& context);
Result<Arguments> RunAll(std::vector<Program>& programs, const Batch& batch);

// A constant expression's value.
Value EvaluateConstant(const Expression& expression, const EvalContext& context);

}  // namespace picket::kql

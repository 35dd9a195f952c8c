#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/column.h"
#include "agent/kql/type.h"
#include "base/time.h"

namespace picket::kql {

struct Plan;

using Arguments = std::vector<ColumnPtr>;

// What a kernel made of its constant arguments (a compiled regex, a hashed list), kept from batch
// to batch; see Prepared() in kernel.h.
struct KernelState {
  Arguments of;
  std::shared_ptr<const void> made;
};

// What a kernel may know beside its arguments.
struct EvalContext {
  Instant now;  // one for the whole query
  // The values of tables that stand in expressions, by plan: toscalar(T), x in (T).
  const std::map<const Plan*, ColumnPtr>* tables = nullptr;
  KernelState* state = nullptr;  // of this call in this run; nullptr when it is a single evaluation
};

// The result's type for these argument types, or nullopt and why not.
using BindRule = std::optional<Type> (*)(const std::vector<Type>& arguments, std::string& why);
// Columns in, a column of `rows` rows out. Constant when all arguments are.
using Kernel = ColumnPtr (*)(const EvalContext& context, const Arguments& arguments,
                             std::size_t rows);

// A scalar function or operator: one entry, so that binder, evaluator and documentation agree.
struct Function {
  std::string_view name;
  std::size_t min_arguments;
  std::size_t max_arguments;
  BindRule bind;
  Kernel run;
  // Whose value is not decided by the arguments alone: each row's is another (rand), or it looks
  // at the rows around (prev; `window`, which needs an ordered input).
  bool varies = false;
  bool window = false;
};

const Function* FindFunction(std::string_view name);
std::vector<std::string_view> FunctionNames();
// The function that converts to the type.
std::string_view ConverterTo(Type type);

// One group's running aggregate.
class Accumulator {
 public:
  virtual ~Accumulator() = default;
  virtual void Add(const Arguments& arguments, std::size_t row) = 0;
  // One value for each output.
  [[nodiscard]] virtual std::vector<Value> Finish() const = 0;
  // Bytes that it holds, roughly; charged to the query's budget.
  [[nodiscard]] virtual std::size_t Bytes() const { return 64; }
};

struct AggregateFunction {
  std::string_view name;
  std::string_view prefix;  // of the automatic column name: "count_", "dcount_"
  std::size_t min_arguments;
  std::size_t max_arguments;
  BindRule bind;  // type of the first output
  std::unique_ptr<Accumulator> (*make)(const std::vector<Type>& arguments);
};

const AggregateFunction* FindAggregate(std::string_view name);

}  // namespace picket::kql

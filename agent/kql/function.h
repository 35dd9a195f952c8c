#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/column.h"
#include "agent/kql/signature.h"
#include "agent/kql/type.h"
#include "base/time.h"

namespace picket::kql {

struct Plan;

// A call's arguments. A kernel that takes long for a row looks at the stop; what it has made by
// then is thrown away.
class Arguments : public std::vector<ColumnPtr> {
 public:
  using std::vector<ColumnPtr>::vector;
  void StopBy(const std::stop_token& stop) { stop_ = &stop; }  // which outlives the call
  [[nodiscard]] bool Stopped() const { return stop_ != nullptr && stop_->stop_requested(); }

 private:
  const std::stop_token* stop_ = nullptr;
};

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
  std::stop_token stop{};        // of the run
};

// The result's type for these argument types, or nullopt and why not.
using BindRule = std::optional<Type> (*)(const std::vector<Type>& arguments, std::string& why);
// Columns in, a column of `rows` rows out. Constant when all arguments are.
using Kernel = ColumnPtr (*)(const EvalContext& context, const Arguments& arguments,
                             std::size_t rows);

// What is wrong with the values of constant arguments (nullptr for those that are not); nullopt
// when nothing is.
using ConstantCheck = std::optional<std::string> (*)(const std::vector<const Value*>& values);

// A scalar function or operator: one entry, so that binder, evaluator and documentation agree.
// Operators and what takes any arguments go without a signature.
struct Function {
  std::string_view name;
  std::size_t min_arguments = 0;
  std::size_t max_arguments = 0;
  BindRule bind = nullptr;  // nullptr: the signature's result
  Kernel run = nullptr;
  // Whose value is not decided by the arguments alone: each row's is another (rand), or it looks
  // at the rows around (prev; `window`, which needs an ordered input).
  bool varies = false;
  bool window = false;
  std::optional<Signature> signature;
  ConstantCheck check = nullptr;
  // Of a function that gives several columns, as a dynamic array of their values: the columns, by
  // the names ("" for none) and types of the arguments.
  Schema (*tuple)(const std::vector<std::string>& names, const std::vector<Type>& types) = nullptr;
  // What stands before the first argument's name in the automatic name of the column ("" for
  // bin(x, 1): x, "strlen_" for strlen(x)); nullopt: the column is Column1, Column2, …
  std::optional<std::string_view> column_prefix;
};

// The result's type, or why the arguments do not fit.
struct Fit {
  Type type = Type::kString;
  std::optional<Misfit> misfit;
};
Fit FitArguments(const Function& function, const std::vector<Type>& arguments);

const Function* FindFunction(std::string_view name);
std::vector<std::string_view> FunctionNames();
// The function that converts to the type.
std::string_view ConverterTo(Type type);
std::vector<const Function*> Functions();  // by name

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
  Signature signature;
  std::string_view prefix;  // of the automatic column name: "count_", "dcount_"
  std::unique_ptr<Accumulator> (*make)(const std::vector<Type>& arguments);
  BindRule bind;          // type of the first output; nullptr: the signature's result
  std::size_t named = 1;  // how many arguments' names follow the prefix

  [[nodiscard]] std::string_view name() const { return signature.name; }
};
Fit FitArguments(const AggregateFunction& function, const std::vector<Type>& arguments);

const AggregateFunction* FindAggregate(std::string_view name);
std::vector<const AggregateFunction*> Aggregates();  // by name

}  // namespace picket::kql

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/kql/function.h"
#include "agent/kql/type.h"

namespace picket::kql {

// A bound expression: every name is a column's index, every call an entry of the function table.
struct Expression {
  enum class Kind : std::uint8_t { kLiteral, kColumn, kCall };
  Kind kind = Kind::kLiteral;
  Type type = Type::kString;
  Value value;             // kLiteral
  std::size_t column = 0;  // kColumn
  const Function* function = nullptr;
  std::vector<Expression> arguments;
};

struct BoundSortKey {
  Expression expression;
  bool ascending = false;
  bool nulls_first = false;
};

struct BoundAggregate {
  const AggregateFunction* function = nullptr;
  std::vector<Expression> arguments;
  std::size_t outputs = 1;
};

// A bound operator, its input first. Row operators (filter, project, sort, take) pass the keys of
// the events on; the others end the lineage.
struct Plan {
  enum class Kind : std::uint8_t {
    kScan,
    kRows,     // datatable, print: literal rows, `lists` row by row
    kRange,    // lists[0] = from, to, step
    kFilter,   // lists[0] = the condition
    kProject,  // lists[0] = one expression a column
    kSort,     // sort; limit for top
    kTake,     // limit
    kCount,
    kSummarize,  // lists[0] = keys; aggregates
    kUnion,      // inputs; union_columns
  };
  Kind kind = Kind::kRows;
  Schema schema;
  std::vector<std::unique_ptr<Plan>> inputs;
  std::string table;
  std::vector<std::size_t> scan_columns;  // of the table's schema, in the order of `schema`
  std::vector<std::vector<Expression>> lists;
  std::vector<BoundSortKey> sort;
  std::optional<Expression> limit;
  std::vector<BoundAggregate> aggregates;
  // For each input: the input's column for each of ours, or none.
  std::vector<std::vector<std::optional<std::size_t>>> union_columns;
};
using PlanPtr = std::unique_ptr<Plan>;

}  // namespace picket::kql

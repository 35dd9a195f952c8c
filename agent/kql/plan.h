#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/kql/diagnostic.h"
#include "agent/kql/function.h"
#include "agent/kql/table_source.h"
#include "agent/kql/type.h"

namespace picket::kql {

struct Plan;

// A bound expression: every name is a column's index, every call an entry of the function table.
struct Expression {
  enum class Kind : std::uint8_t {
    kLiteral,
    kColumn,
    kCall,
    kTableValue,  // toscalar(table): the first row's first value
    kTableList,   // in (table): the first column's values as a dynamic array
  };
  Kind kind = Kind::kLiteral;
  Type type = Type::kString;
  Value value;             // kLiteral
  std::size_t column = 0;  // kColumn
  const Function* function = nullptr;
  std::vector<Expression> arguments;
  std::shared_ptr<const Plan> table;  // run once, before the operator that the expression is of
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

enum class JoinKind : std::uint8_t {
  kInnerUnique,
  kInner,
  kLeftOuter,
  kRightOuter,
  kFullOuter,
  kLeftSemi,
  kLeftAnti,
  kRightSemi,
  kRightAnti,
};
// "leftouter": as `kind=` names it.
std::string_view JoinKindName(JoinKind kind);

// One part of the pattern of parse: what stands there, and then the text of a column up to what
// follows.
struct ParsePart {
  std::string text;                   // to be found; empty for a star
  bool star = false;                  // any text
  std::optional<std::size_t> output;  // which of the made columns; none: text or star
  Type type = Type::kString;
};

// A bound operator, its input first. Row operators (filter, project, sort, take …) pass the keys of
// the events on; of the others a row's events are its origins.
struct Plan {
  enum class Kind : std::uint8_t {
    kScan,
    kRows,     // datatable, print: literal rows, `lists` row by row
    kRange,    // lists[0] = from, to, step
    kHeld,     // rows that were read when the query was bound; held
    kStored,   // the rows that a plugin gave before; stored
    kInput,    // the rows that the operator around gives: within mv-apply's inputs[1]
    kFilter,   // lists[0] = the condition
    kProject,  // lists[0] = one expression a column
    kSort,     // sort; limit for top
    kTake,     // limit
    kCount,
    kSummarize,  // lists[0] = keys; aggregates
    kUnion,      // inputs; picked, one list an input
    kJoin,       // inputs left, right; lists[0], lists[1] = their keys; join; picked[0]
    kIpLookup,   // as kJoin, the first keys an address and a network; plugin.v4
    kGeoLookup,  // as kJoin, the keys longitude and latitude, and a shape; plugin.lines, .radius
    kPlugin,     // columns that only the data tells: inputs[0], plugin; the root of a stage
    kTopNested,  // lists[0] = keys, lists[1] = how many; sort's directions; aggregates; by level
    kPartition,  // inputs[1] over the rows of each value of lists[0][0], a column
    kScanSteps,  // lists[0] = conditions, lists[1] = how declared columns begin, then a list of
                 // what each step gives them; steps; match_id
    kMvExpand,   // lists[0] = what is expanded; expand; picked[0]; limit
    kMvApply,    // inputs[0] as kMvExpand gives its rows one by one; inputs[1] over them; picked[0]
    kParse,      // lists[0] = the text; parse; picked[0]
    kMakeSeries,  // lists[0] = keys, lists[1] = axis, from, to, step, lists[2] = defaults;
                  // aggregates
  };
  Kind kind = Kind::kRows;
  Schema schema;
  std::vector<std::unique_ptr<Plan>> inputs;
  std::string table;
  std::string name;  // `as NAME`, a view's: what the column of union withsource=… says
  std::vector<ScanColumn> scan_columns;  // in the order of `schema`
  std::vector<std::vector<Expression>> lists;
  std::vector<BoundSortKey> sort;
  std::optional<Expression> limit;
  std::vector<BoundAggregate> aggregates;
  JoinKind join = JoinKind::kInnerUnique;
  struct Expand {
    std::vector<Type> types;  // of the made columns: a dynamic's elements are cast to them
    bool index = false;       // the last made column is the element's number
    bool pairs = false;       // a bag gives [key, value] instead of {key: value}
  } expand;
  struct Parse {
    enum class Mode : std::uint8_t { kSimple, kRelaxed, kRegex };
    Mode mode = Mode::kSimple;
    std::vector<ParsePart> parts;
    std::string regex;    // kRegex: the whole pattern
    bool filter = false;  // parse-where: rows that do not match are dropped
    // parse-kv: delimiters between and within pairs, a quote; the made columns' names are the keys.
    bool pairs = false;
    std::string pair_delimiter, value_delimiter, quote, escape;
    bool greedy = false;
  } parse;
  struct Plugin {
    enum class Kind : std::uint8_t {
      kUnpack,  // lists[0] = the column of bags
      kPivot,   // over rows of keys, the pivot's text and a value
      kNarrow,
    } kind = Kind::kUnpack;
    enum class Conflict : std::uint8_t { kError, kKeepSource, kReplaceSource };
    Conflict conflict = Conflict::kError;  // with a column of the same name
    std::string prefix;
    std::vector<std::string> ignored;
    bool v4 = true;      // kIpLookup
    bool lines = false;  // kGeoLookup; else polygons
    double radius = 0;   // metres
  } plugin;
  std::size_t stored = 0;
  std::shared_ptr<const std::vector<Batch>> held;
  Diagnostics lacks;      // kHeld: the files that could not be read; the query cannot run
  bool nonempty = false;  // make-series gives a row of defaults where there is no row
  struct Step {
    bool shown = true;  // its rows are in the result
  };
  std::vector<Step> steps;
  bool match_id = false;  // the last column is the sequence's number
  // What each output column is. For a join: a column of the left and then of the right input,
  // counted through. For mv-expand, mv-apply and parse: of the input, and then of what the operator
  // makes. For a union: a list for each input, where none is null.
  std::vector<std::vector<std::optional<std::size_t>>> picked;
  bool whole = false;    // kProject: has functions that look at other rows
  bool ordered = false;  // the rows' order means something: sort, serialize
};
using PlanPtr = std::unique_ptr<Plan>;

// Calls with every expression of the operator itself (not of its inputs).
template <class P, class F>
void ForEachExpression(P& plan, F f) {
  for (auto& list : plan.lists) {
    for (auto& expression : list) f(expression);
  }
  for (auto& key : plan.sort) f(key.expression);
  if (plan.limit) f(*plan.limit);
  for (auto& aggregate : plan.aggregates) {
    for (auto& argument : aggregate.arguments) f(argument);
  }
}

PlanPtr ClonePlan(const Plan& plan);

}  // namespace picket::kql

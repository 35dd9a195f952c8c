// Turns a plan into running operators.

#include "agent/kql/evaluator.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/kql/kernel.h"
#include "agent/kql/meter.h"
#include "agent/kql/shared_scan.h"

namespace picket::kql {
namespace {

// Most values that a table in an expression may give (`in (T)`).
constexpr std::size_t kMostListed = 1'000'000;

Result<ColumnPtr> ListOf(Operator& root, RunState& state) {
  std::string json = "[";
  std::size_t values = 0;
  while (true) {
    PK_ASSIGN_OR_RETURN(const Batch batch, root.Next());
    if (batch.rows == 0) break;
    const std::size_t before = json.size();
    for (std::size_t row = 0; row < batch.rows; ++row) {
      if (batch.columns[0]->IsNull(row)) continue;
      if (json.size() > 1) json += ',';
      json += ToJsonText(*batch.columns[0], row);
    }
    PK_RETURN_IF_ERROR(state.Charge(2 * (json.size() - before), "in (table)"));
    values += batch.rows;
    if (values > kMostListed) {
      return Fail({.kind = ErrorKind::kLimit,
                   .message = fmt::format("in (table): more than {} values", kMostListed)});
    }
  }
  return ConstantColumn(Value::Dynamic(json + "]"), 1);
}

Result<ColumnPtr> ValueOf(Operator& root, Type type) {
  PK_ASSIGN_OR_RETURN(const Batch batch, root.Next());
  return ConstantColumn(batch.rows == 0 ? Value::Null(type) : batch.columns[0]->Get(0), 1);
}

// Tables that stand in expressions are run before the operator that asks for their values.
Status RunTables(const Expression& expression, RunState& state) {
  for (const Expression& argument : expression.arguments) {
    PK_RETURN_IF_ERROR(RunTables(argument, state));
  }
  if (!expression.table || state.tables.contains(expression.table.get())) return {};
  PK_ASSIGN_OR_RETURN(const OperatorPtr root, MakeOperator(*expression.table, state));
  ColumnPtr value;
  if (expression.kind == Expression::Kind::kTableList) {
    PK_ASSIGN_OR_RETURN(value, ListOf(*root, state));
  } else {
    PK_ASSIGN_OR_RETURN(value, ValueOf(*root, expression.type));
  }
  state.tables[expression.table.get()] = std::move(value);
  return {};
}

Status RunTablesOf(const Plan& plan, RunState& state) {
  Status status;
  ForEachExpression(plan, [&](const Expression& expression) {
    if (status) status = RunTables(expression, state);
  });
  return status;
}

Result<OperatorPtr> Make(const Plan& plan, const std::vector<const Expression*>& filters,
                         RunState& state);

Result<OperatorPtr> MakeOf(const Plan& plan, std::vector<const Expression*> filters,
                           RunState& state) {
  PK_RETURN_IF_ERROR(RunTablesOf(plan, state));
  if (plan.kind == Plan::Kind::kScan) return MakeScan(plan, filters, state);
  // Filters right above a scan tell it what it may skip.
  if (plan.kind == Plan::Kind::kFilter) {
    filters.push_back(plan.lists[0].data());
  } else {
    filters.clear();
  }
  std::vector<OperatorPtr> inputs;
  // The second input of these is run over and over, with rows that they give.
  const bool inner = plan.kind == Plan::Kind::kMvApply || plan.kind == Plan::Kind::kPartition;
  const std::size_t count = inner ? 1 : plan.inputs.size();
  for (std::size_t i = 0; i < count; ++i) {
    PK_ASSIGN_OR_RETURN(OperatorPtr made, Make(*plan.inputs[i], filters, state));
    inputs.push_back(std::move(made));
  }
  switch (plan.kind) {
    case Plan::Kind::kProject:
      if (plan.whole) return MakeWindow(plan, std::move(inputs[0]), state);
      break;
    case Plan::Kind::kSort:
      return MakeSort(plan, std::move(inputs[0]), state);
    case Plan::Kind::kSummarize:
      return MakeSummarize(plan, std::move(inputs[0]), state);
    case Plan::Kind::kJoin:
      return MakeJoin(plan, std::move(inputs[0]), std::move(inputs[1]), state);
    case Plan::Kind::kIpLookup:
      return MakeIpLookup(plan, std::move(inputs[0]), std::move(inputs[1]), state);
    case Plan::Kind::kGeoLookup:
      return MakeGeoLookup(plan, std::move(inputs[0]), std::move(inputs[1]), state);
    case Plan::Kind::kHeld:
      if (!plan.lacks.empty()) {
        return Fail({.kind = ErrorKind::kRefused,
                     .message = plan.lacks.front().message,
                     .hint = plan.lacks.front().hint});
      }
      return MakeStored(plan, state);
    case Plan::Kind::kStored:
      return MakeStored(plan, state);
    case Plan::Kind::kTopNested:
      return MakeTopNested(plan, std::move(inputs[0]), state);
    case Plan::Kind::kPartition:
      return MakePartition(plan, std::move(inputs[0]), state);
    case Plan::Kind::kScanSteps:
      return MakeScanSteps(plan, std::move(inputs[0]), state);
    case Plan::Kind::kMvExpand:
      return MakeMvExpand(plan, std::move(inputs[0]), state);
    case Plan::Kind::kMvApply:
      return MakeMvApply(plan, std::move(inputs[0]), state);
    case Plan::Kind::kParse:
      return MakeParse(plan, std::move(inputs[0]), state);
    case Plan::Kind::kMakeSeries:
      return MakeSeries(plan, std::move(inputs[0]), state);
    default:
      break;
  }
  return MakeRowOperator(plan, std::move(inputs), state);
}

Result<OperatorPtr> Make(const Plan& plan, const std::vector<const Expression*>& filters,
                         RunState& state) {
  PK_ASSIGN_OR_RETURN(OperatorPtr made, MakeOf(plan, filters, state));
  return state.meter ? state.meter->Measured(plan, std::move(made)) : std::move(made);
}

}  // namespace

RunState::RunState(const RunOptions& run_options, TableSource& table_source)
    : options(run_options), source(table_source), scans(std::make_unique<SharedScans>(*this)) {
  context.now = options.now;
  context.stop = options.stop;
  context.tables = &tables;
  if (options.stats != nullptr) {
    *options.stats = {};
    meter = std::make_unique<Meter>(*options.stats);
  }
}

std::int64_t RunState::TableBits(std::string_view table) {
  if (!options.lineage) return 0;
  auto found = std::find(lineage_tables.begin(), lineage_tables.end(), table);
  if (found == lineage_tables.end()) found = lineage_tables.emplace(found, table);
  return std::int64_t{found - lineage_tables.begin()} << kEventBits;
}

RunState::~RunState() {
  if (options.stats != nullptr) options.stats->scanned = scanned;
}

Status RunState::Charge(std::size_t bytes, const char* operator_name) {
  memory += bytes;
  // What shared scans hold is a convenience.
  if (memory > options.memory_bytes) scans->GiveBack();
  if (options.stats != nullptr) {
    options.stats->peak_bytes = std::max(options.stats->peak_bytes, memory);
  }
  if (memory <= options.memory_bytes) return {};
  return Fail({.kind = ErrorKind::kLimit,
               .message = fmt::format("{} needs more than the query's {} MB", operator_name,
                                      options.memory_bytes >> 20),
               .hint = "Ask for less: a shorter time, fewer columns, a filter before it."});
}

Status RunState::CheckStop() const {
  if (!options.stop.stop_requested()) return {};
  return Fail({.kind = ErrorKind::kCancelled, .message = "stopped"});
}

BatchBuilder::BatchBuilder(const Schema& schema, std::size_t expected_rows) {
  builders_.reserve(schema.size());
  for (const ColumnSchema& column : schema) builders_.emplace_back(column.type, expected_rows);
}

Batch BatchBuilder::Finish() {
  for (ColumnBuilder& builder : builders_) batch_.columns.push_back(builder.Finish());
  return std::move(batch_);
}

Result<OperatorPtr> MakeOperator(const Plan& plan, RunState& state) {
  if (state.meter) state.meter->Enter(plan);
  return Make(plan, {}, state);
}

}  // namespace picket::kql

#include "agent/rules/evaluation.h"

#include <algorithm>
#include <map>
#include <set>

#include "agent/kql/json_view.h"
#include "agent/tables/event_table_source.h"
#include "agent/tables/mapping.h"

namespace picket::rules {
namespace {

// Ticks at which something is to be judged, and the events of each.
struct Due {
  std::set<Instant> ticks;
  std::map<std::int64_t, Instant> times;  // event → its time
};

Result<Due> FindDue(const Rule& rule, const tables::TableMapping& table,
                    storage::TenantStore& store, const Guid& tenant, std::int64_t after_seq,
                    std::int64_t until_seq, Instant oldest) {
  Due due;
  if (table.shows_versions) {
    PK_ASSIGN_OR_RETURN(storage::VersionScan versions,
                        store.events().Versions(std::string(table.stream), after_seq, until_seq));
    while (true) {
      PK_ASSIGN_OR_RETURN(const bool more, versions.Next());
      if (!more) return due;
      PK_ASSIGN_OR_RETURN(const std::string_view json, versions.Json());
      const kql::Value time = tables::ColumnValue(table, table.TimeColumn(), json, tenant);
      const Instant t = time.null ? versions.created() : Instant{time.number};
      if (t < oldest) continue;
      due.ticks.insert(TickOf(t, rule.query_frequency));
      due.times[versions.key()] = t;
    }
  }
  storage::ScanSpec spec;
  spec.after_seq = after_seq;
  spec.until_seq = until_seq;
  if (oldest.ticks > 0) spec.from = oldest;
  PK_ASSIGN_OR_RETURN(storage::EventScan scan,
                      store.events().Scan(std::string(table.stream), spec));
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool more, scan.Next());
    if (!more) return due;
    due.ticks.insert(TickOf(scan.created(), rule.query_frequency));
    due.times[scan.key()] = scan.created();
  }
}

}  // namespace

RuleRow MakeRow(const kql::Schema& schema, const kql::Batch& batch, std::size_t row) {
  RuleRow made;
  made.json = "{";
  for (std::size_t i = 0; i < schema.size(); ++i) {
    const kql::Column& column = *batch.columns[i];
    made.columns.emplace_back(schema[i].name, kql::DisplayText(column, row));
    made.json +=
        (i > 0 ? "," : "") + kql::QuoteJson(schema[i].name) + ":" + kql::JsonText(column, row);
  }
  made.json += "}";
  return made;
}

Instant TickOf(Instant time, Timespan frequency) {
  const std::int64_t since = time.ticks - Instant::kUnixEpochTicks;
  std::int64_t steps = since / frequency.ticks;
  if (steps * frequency.ticks < since) ++steps;
  return Instant{Instant::kUnixEpochTicks + steps * frequency.ticks};
}

Result<Evaluation> EvaluateRows(const Rule& rule, const kql::Query& query,
                                storage::TenantStore& store, const Guid& tenant,
                                std::int64_t after_seq, std::int64_t until_seq, Instant oldest,
                                std::stop_token stop) {
  Evaluation evaluation;
  const tables::TableMapping* table = tables::FindTable(query.Tables().front());
  PK_CHECK(table != nullptr, "a row-wise rule reads a table of the mapping");
  evaluation.stream = table->stream;
  PK_ASSIGN_OR_RETURN(const Due due,
                      FindDue(rule, *table, store, tenant, after_seq, until_seq, oldest));
  for (const auto& [event, time] : due.times) evaluation.looked_at.push_back(event);
  tables::EventTableSource source(store, tenant);
  for (const Instant tick : due.ticks) {
    ++evaluation.ticks;
    // Each row at the tick of its own time: only this tick's share of the grid is shown to it.
    const kql::RunOptions options{.now = tick,
                                  .from = tick - rule.query_frequency + kTick,
                                  .until = tick,
                                  .after_seq = after_seq,
                                  .until_seq = until_seq,
                                  .memory_bytes = kRuleMemory,
                                  .stop = stop};
    PK_ASSIGN_OR_RETURN(const kql::ResultTable result, kql::Run(query, source, options));
    for (const kql::Batch& batch : result.batches) {
      for (std::size_t row = 0; row < batch.rows; ++row) {
        RuleRow made = MakeRow(result.schema, batch, row);
        made.event = batch.keys[row];
        made.tick = tick;
        const auto time = due.times.find(made.event);
        made.time = time == due.times.end() ? tick : time->second;
        evaluation.rows.push_back(std::move(made));
      }
    }
  }
  std::sort(evaluation.rows.begin(), evaluation.rows.end(), [](const RuleRow& a, const RuleRow& b) {
    return a.time != b.time ? a.time < b.time : a.event < b.event;
  });
  return evaluation;
}

}  // namespace picket::rules

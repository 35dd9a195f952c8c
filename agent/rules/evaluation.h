#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/rules/rule.h"
#include "agent/rules/verdict.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "storage/tenant_store.h"

namespace picket::rules {

// What a rule's query may hold at a time.
inline constexpr std::size_t kRuleMemory = std::size_t{64} << 20;

// A row that a rule returned.
struct RuleRow {
  std::int64_t event = 0;  // key in its stream of the event that it came from, when it is one
  Instant time;            // TimeGenerated of the event; else the tick
  Instant tick;
  std::vector<std::pair<std::string, std::string>> columns;  // name, text as people read it
  std::string json;                                          // the same, typed
  // What tells it from the other rows of its tick, for machines and for people: the keys by which
  // the query groups; all of it when it does not. Only of rows of ticks.
  std::string group, group_name;
};

// A row of a result, with columns and json.
RuleRow MakeRow(const kql::Schema& schema, const kql::Batch& batch, std::size_t row);

struct Evaluation {
  std::string stream;
  std::vector<RuleRow> rows;            // in (time, event) order
  std::vector<std::int64_t> looked_at;  // events that came or changed, whether they matched or not
  std::int64_t ticks = 0;
};

// The point of the rule's grid (multiples of its frequency) at which a row of this time is judged:
// the first at or after it.
Instant TickOf(Instant time, Timespan frequency);

// Evaluates a row-wise rule over the events that came or changed in (after_seq, until_seq], each at
// the tick of its own time, so that a risk that is added to an old sign-in is still seen. Events
// older than `oldest` are left out (a new rule starts at its newest tick).
Result<Evaluation> EvaluateRows(const Rule& rule, const kql::Query& query,
                                storage::TenantStore& store, const Guid& tenant,
                                std::int64_t after_seq, std::int64_t until_seq, Instant oldest,
                                std::stop_token stop);

}  // namespace picket::rules

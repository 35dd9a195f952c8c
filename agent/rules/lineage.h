#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/kql/engine.h"
#include "agent/rules/rule.h"
#include "base/result.h"
#include "base/time.h"

namespace picket::rules {

// An event that a row of a rule's result comes from, as the rule saw it.
struct SourceRow {
  std::string table;
  Instant time;      // its TimeGenerated; else the tick
  std::string json;  // Type (the table), the columns that the query reads, and those that say who
};

// What a finding comes from.
struct Lineage {
  std::vector<SourceRow> rows;  // oldest first; of many events the first and the last
  std::uint64_t events = 0;     // how many there are; see kql::Origins
  std::string why_not;          // for people: why rows are missing; "" when they are not
};

inline constexpr std::size_t kMostSources = 20;          // rows of a finding
inline constexpr std::size_t kMostTickSources = 20'000;  // events of all findings of a tick

// Errors that end the tenant's turn; any other is of the tick alone.
bool EndsTurn(const Error& error);

// Evaluates the rule once more at the tick, as Evaluate does, and follows each row of the result
// back to the events that it comes from: through filters, joins, unions and groups. `findings` are
// numbers of rows, in the order of Evaluate. What cannot be followed says why; only what ends the
// tenant's turn is an error.
Result<std::vector<Lineage>> Trace(const Rule& rule, const kql::Query& query,
                                   kql::TableSource& source, Instant tick,
                                   const std::vector<std::vector<std::size_t>>& findings,
                                   std::stop_token stop);

}  // namespace picket::rules

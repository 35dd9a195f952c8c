#pragma once

#include <cstddef>
#include <stop_token>
#include <vector>

#include "agent/kql/engine.h"
#include "agent/rules/evaluation.h"
#include "agent/rules/rule.h"
#include "base/result.h"
#include "base/time.h"

namespace picket::rules {

// More rows than these of one tick are no findings that anyone reads: the tick fails with kLimit.
inline constexpr std::size_t kMostTickRows = 10'000;

// The newest point of the grid (multiples of the frequency since the epoch) at or before the time.
Instant NewestTick(Instant time, Timespan frequency);

// The first instant that the query of a tick sees: its window is (tick - queryPeriod, tick].
Instant WindowStart(const Rule& rule, Instant tick);

// Whether so many rows of a result are what the rule asks for (triggerOperator, triggerThreshold).
bool Triggers(const Rule& rule, std::size_t rows);

// How its query runs at a tick: with `now` = the tick, over the rows of its window.
kql::RunOptions OptionsAt(const Rule& rule, Instant tick, std::stop_token stop);

// What a rule says at a tick: the rows of its result when they trigger, in the result's order; none
// when they don't. A rule that triggers on an empty result says so with one row of its own,
// {"Results": 0}.
//
// The query has `now` = the tick, and sees of every table the rows with TimeGenerated in
// (tick - queryPeriod, tick]. The one way in which a rule is evaluated: the agent, backtests and
// tests call it. Errors: of kql::Run.
Result<std::vector<RuleRow>> Evaluate(const Rule& rule, const kql::Query& query,
                                      kql::TableSource& source, Instant tick, std::stop_token stop);

}  // namespace picket::rules

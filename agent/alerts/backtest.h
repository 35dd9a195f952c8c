#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/alerts/alert_book.h"
#include "agent/kql/table_source.h"
#include "base/result.h"
#include "base/time.h"
#include "storage/alert_store.h"

namespace picket::alerts {

// What a rule would have found, told once for the ticks of a bucket as the agent does it.
struct BacktestFinding {
  storage::EntityKey entity;
  Instant first, last;     // ticks that find it
  std::int64_t ticks = 0;  // how many
  bool held = false;       // all of them within the rule's suppression: no alert
  std::string row;         // of the last, JSON
};

struct BacktestResult {
  std::int64_t ticks = 0;
  std::vector<BacktestFinding> findings;  // by first tick
};

// Evaluates the rule at every tick in [from, to], in order, over what the source has; stores and
// delivers nothing. `progress` hears of each tick: done, of how many. Errors: those of the first
// tick that fails, naming it.
Result<BacktestResult> Backtest(const LoadedRule& loaded, kql::TableSource& source, Instant from,
                                Instant to,
                                const std::function<void(std::int64_t, std::int64_t)>& progress,
                                std::stop_token stop);

}  // namespace picket::alerts

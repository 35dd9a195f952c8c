#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/alerts/alerting.h"
#include "agent/graph/budgets.h"
#include "agent/poll/report.h"
#include "agent/run/coverage.h"
#include "agent/run/deliveries.h"
#include "agent/run/rules_loader.h"
#include "agent/run/settings.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/result.h"

namespace picket::run {

// The counts of a round; `once` prints them as its last line.
struct RoundCounts {
  storage::PageCounts pages;
  alerts::AlertCounts alerts;
  std::int64_t tenants = 0;
  std::int64_t failed = 0;      // tenants in which something failed, or holds a stream back still
  std::int64_t held = 0;        // of those, which have streams that an earlier failure holds back
  std::int64_t refused = 0;     // tenants whose credential or permission was refused
  std::int64_t broken = 0;      // tenants whose data could not be opened or written
  std::int64_t unlicensed = 0;  // streams of "all" that the tenants' licences do not give
  std::int64_t requests = 0;
  std::int64_t deleted = 0;                // events that retention took
  std::int64_t delivered = 0;              // acknowledged by their receivers
  std::vector<std::string> failing;        // outputs whose last try failed
  [[nodiscard]] std::string Json() const;  // flat integers
};

struct TenantOutcome {
  std::string tenant;
  poll::TenantRound polled;
  alerts::AlertCounts alerts;
  std::int64_t deleted = 0;                             // events that retention took
  std::vector<std::pair<std::string, Error>> failures;  // what failed: a stream, a rule, the tenant
  std::vector<MissingRole> missing_roles;               // as the token of this round says
  // Every stream is read up to now, and all else of the round was done. No failures are no proof:
  // what failed before may be held back in this round.
  bool well = false;
};

// Called after each page that was stored, as Observer.
using PageObserver = std::function<void(const poll::PageNote&)>;

struct RoundOptions {
  bool all_streams = false;  // also what a stretched interval would leave out
  PageObserver on_page = {};
};

// Called after each tenant's turn, from any thread, one at a time.
using Observer = std::function<void(const TenantOutcome&)>;

// What an agent meets outside. All of it must outlive the agent.
struct Surroundings {
  HttpTransport& network;
  Clock& clock;                // that of the events; `--now` sets it
  const Clock& machine_clock;  // of budgets and tokens, whatever `--now` says
  bool clock_is_set = false;   // then nobody is told that it is wrong
  // A config cannot widen these: they keep Graph's limits. Benches do.
  graph::BudgetSettings budgets{};
};

// All tenants of one config: what they need is opened once, under a lock on the data directory.
class Agent {
 public:
  // kRefused with remote_code "locked" when another instance works on the directory. With the
  // network and the machine's clock that the settings say; `settings` and `clock` must outlive it.
  static Result<std::unique_ptr<Agent>> Open(const Settings& settings, Clock& clock,
                                             bool clock_is_set);
  // The same in other surroundings.
  static Result<std::unique_ptr<Agent>> Open(const Settings& settings,
                                             const Surroundings& surroundings);
  virtual ~Agent() = default;
  // Hears how outputs do, from any thread, one at a time. Before the first round.
  virtual void OnOutput(OutputObserver observer) = 0;
  // One round: every due stream of every tenant is polled, its rules are evaluated, and what waits
  // for the outputs is delivered.
  [[nodiscard]] virtual RoundCounts Once(const RoundOptions& options, const Observer& observer,
                                         std::stop_token stop) = 0;
  // Rounds until stop.
  virtual void Forever(const Observer& observer, const PageObserver& on_page,
                       std::stop_token stop) = 0;
  [[nodiscard]] virtual const RuleBook& rules() const = 0;
  // What others could read of the data folder until it was opened.
  [[nodiscard]] virtual const std::vector<std::filesystem::path>& tightened() const = 0;
};

// 0 done; 3 some tenants or outputs failed; of all tenants: 77 refused, 74 their data cannot be
// used, 69 not reachable (design §9).
int ExitCodeOf(const RoundCounts& counts, bool stopped);

}  // namespace picket::run

#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

#include "agent/graph/budgets.h"
#include "agent/graph/client.h"
#include "agent/poll/report.h"
#include "agent/poll/settings.h"
#include "base/clock.h"
#include "base/result.h"
#include "storage/tenant_store.h"

namespace picket::poll {

class TenantWork;

// One tenant's polling: its streams, on two lanes (audit logs, identity protection) that each have
// at most one request in flight. Its store is used under its lock; nothing else may use that store
// while a round runs, but for the `done` callback.
class TenantPoller {
 public:
  // All references must outlive it. `budgets` is shared by all tenants.
  TenantPoller(TenantSettings tenant, const Settings& settings, storage::TenantStore& store,
               graph::Client& client, graph::Budgets& budgets, const Clock& clock);
  ~TenantPoller();
  TenantPoller(const TenantPoller&) = delete;
  TenantPoller& operator=(const TenantPoller&) = delete;

  // Windows that a crash left open are given up, states and coverage read. Once. kStorage,
  // kInvalidConfig (an unknown stream).
  [[nodiscard]] Status Load();

  [[nodiscard]] const TenantSettings& tenant() const;
  [[nodiscard]] storage::TenantStore& store();
  // When something is due next. Between rounds.
  [[nodiscard]] Instant NextDue() const;

 private:
  friend class Scheduler;
  const std::unique_ptr<TenantWork> work_;
};

// What `status` shows of the streams; reads the database only.
Result<std::vector<StreamStatus>> ReadStatus(storage::TenantStore& store,
                                             const std::vector<std::string>& streams,
                                             const Settings& settings);

struct RoundOptions {
  bool once = true;          // bounds backfill and waits, so that the round ends
  bool all_streams = false;  // also what a stretched interval would leave out
  // After each page of a window; from any of the pool's threads, several at a time. May be empty.
  std::function<void(const PageNote&)> on_page = {};
};

// Called when a tenant's round is over, while nothing else uses its store: the place to evaluate
// and deliver. From one of the pool's threads, for several tenants at a time. Must not throw.
using TenantDone = std::function<void(TenantPoller&, const TenantRound&)>;

// One round of all tenants; each is done at its own pace. Returns when all are, or at once on
// stop (after the commit in hand). The result is in the order of the tenants.
std::vector<TenantRound> RunRound(const std::vector<TenantPoller*>& tenants,
                                  const Settings& settings, const RoundOptions& options,
                                  Clock& clock, const TenantDone& done, std::stop_token stop);

// Rounds until stop, each tenant's when it is due, independent of the others. Of the options only
// `on_page` counts.
void RunForever(const std::vector<TenantPoller*>& tenants, const Settings& settings,
                const RoundOptions& options, Clock& clock, const TenantDone& done,
                std::stop_token stop);

}  // namespace picket::poll

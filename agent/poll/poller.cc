#include "agent/poll/poller.h"

#include <algorithm>

#include "agent/poll/scheduler.h"
#include "agent/poll/tenant_work.h"

namespace picket::poll {

TenantPoller::TenantPoller(TenantSettings tenant, const Settings& settings,
                           storage::TenantStore& store, graph::Client& client,
                           graph::Budgets& budgets, const Clock& clock)
    : work_(std::make_unique<TenantWork>(std::move(tenant), settings, store, client, budgets,
                                         clock)) {}

TenantPoller::~TenantPoller() = default;

Status TenantPoller::Load() { return work_->Load(); }
const TenantSettings& TenantPoller::tenant() const { return work_->tenant(); }
storage::TenantStore& TenantPoller::store() { return work_->store(); }
Instant TenantPoller::NextDue() const { return work_->NextDue(); }

namespace {

Result<std::vector<Hole>> ReadHoles(storage::TenantStore& store, const std::string& stream) {
  std::vector<Hole> holes;
  for (const char* state : {"lost", "stuck"}) {
    PK_ASSIGN_OR_RETURN(const auto windows, store.ledger().Windows(stream, state));
    for (const storage::Window& window : windows) {
      holes.push_back({window.from, window.to, window.state, window.note});
    }
  }
  std::sort(holes.begin(), holes.end(),
            [](const Hole& a, const Hole& b) { return a.from > b.from; });
  if (holes.size() > kMostHoles) holes.resize(kMostHoles);
  return holes;
}

}  // namespace

Result<std::vector<StreamStatus>> ReadStatus(storage::TenantStore& store,
                                             const std::vector<std::string>& streams,
                                             const Settings& settings) {
  std::vector<StreamStatus> all;
  const auto set = [](Instant t) { return t.ticks == 0 ? std::nullopt : std::optional(t); };
  for (const graph::Collection& collection : graph::Collections()) {
    const std::string name(collection.stream);
    if (!streams.empty() && std::find(streams.begin(), streams.end(), name) == streams.end()) {
      continue;
    }
    PK_ASSIGN_OR_RETURN(const storage::StreamState state, store.streams().Get(name));
    PK_ASSIGN_OR_RETURN(
        const storage::StreamProgress progress,
        store.ledger().Progress(name, static_cast<int>(settings.reconcile_after.size())));
    PK_ASSIGN_OR_RETURN(const std::int64_t events, store.events().Count(name));
    PK_ASSIGN_OR_RETURN(const std::int64_t deleted, store.events().Deleted(name));
    PK_ASSIGN_OR_RETURN(std::vector<Hole> holes, ReadHoles(store, name));
    all.push_back({.name = name,
                   .state = state.state,
                   .reason = state.reason,
                   .licensed = !LacksLicence(state),
                   .read_to = progress.read_to,
                   .complete_to = progress.complete_to,
                   .reconciled_to = progress.reconciled_to,
                   .last_success = set(state.last_success),
                   .events = events,
                   .late = progress.late,
                   .rejected = progress.rejected,
                   .expired = progress.expired,
                   .deleted = deleted,
                   .holes = std::move(holes),
                   .last_error = state.last_error});
  }
  return all;
}

std::vector<TenantRound> RunRound(const std::vector<TenantPoller*>& tenants,
                                  const Settings& settings, const RoundOptions& options,
                                  Clock& clock, const TenantDone& done, std::stop_token stop) {
  RoundOptions once = options;
  once.once = true;
  return Scheduler(tenants, settings, once, clock, done).Run(std::move(stop));
}

void RunForever(const std::vector<TenantPoller*>& tenants, const Settings& settings,
                const RoundOptions& options, Clock& clock, const TenantDone& done,
                std::stop_token stop) {
  Scheduler(tenants, settings, {.once = false, .on_page = options.on_page}, clock, done)
      .Run(std::move(stop));
}

}  // namespace picket::poll

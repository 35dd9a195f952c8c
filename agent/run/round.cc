#include "agent/run/round.h"

#include <fmt/format.h>

#include <atomic>
#include <map>
#include <mutex>
#include <semaphore>
#include <set>
#include <thread>
#include <utility>

#include "agent/graph/budgets.h"
#include "agent/graph/cached_tokens.h"
#include "agent/graph/client.h"
#include "agent/poll/journal.h"
#include "agent/poll/poller.h"
#include "agent/run/tenant_files.h"
#include "auth/token_cache.h"
#include "base/files.h"
#include "base/heap.h"
#include "base/log.h"
#include "storage/agent_store.h"
#include "storage/data_folder.h"

namespace picket::run {
namespace {

// All that belongs to one tenant, in the order in which it depends on each other.
struct TenantParts {
  const Tenant* tenant = nullptr;
  std::unique_ptr<storage::TenantStore> store;
  std::unique_ptr<graph::CachedTokens> tokens;
  std::unique_ptr<graph::Client> client;
  std::unique_ptr<poll::TenantPoller> poller;
  std::unique_ptr<alerts::Alerting> alerting;
};

// How often `run` tries to open what could not be opened.
constexpr std::chrono::minutes kReopenEvery{15};

struct ReleaseWorker {
  void operator()(std::counting_semaphore<64>* workers) const { workers->release(); }
};

class AgentImpl : public Agent {
 public:
  AgentImpl(const Settings& settings, const Surroundings& around)
      : settings_(settings),
        poll_settings_(settings.poll),
        network_(around.network),
        clock_(around.clock),
        machine_clock_(around.machine_clock),
        budget_settings_(around.budgets),
        workers_(settings.workers) {
    poll_settings_.check_clock = !around.clock_is_set;
  }

  Status Open() {
    PK_ASSIGN_OR_RETURN(tightened_,
                        storage::SecureDataFolder(settings_.data_dir, storage::Lax::kTighten));
    PK_ASSIGN_OR_RETURN(DirectoryLock lock, DirectoryLock::Acquire(settings_.data_dir));
    lock_ = std::make_unique<DirectoryLock>(std::move(lock));
    PK_ASSIGN_OR_RETURN(agent_store_, storage::AgentStore::Open(settings_.data_dir));
    journal_ = std::make_unique<poll::StoredJournal>(*agent_store_);
    budgets_ = std::make_unique<graph::Budgets>(machine_clock_, journal_.get(), budget_settings_);
    PK_RETURN_IF_ERROR(budgets_->Load());
    token_client_ =
        std::make_unique<auth::TokenClient>(network_, machine_clock_, settings_.cloud.authority);
    token_cache_ = std::make_unique<auth::TokenCache>(*token_client_, machine_clock_);
    rules_ = LoadRuleBook(settings_);
    for (const Tenant& tenant : settings_.tenants) closed_.push_back(&tenant);
    OpenClosed();
    return {};
  }

  [[nodiscard]] RoundCounts Once(const RoundOptions& options, const Observer& observer,
                                 std::stop_token stop) override {
    Begin(observer);
    OpenDeliveries();
    const poll::RoundOptions polling{
        .once = true, .all_streams = options.all_streams, .on_page = OneAtATime(options.on_page)};
    poll::RunRound(
        Pollers(), poll_settings_, polling, clock_,
        [&](poll::TenantPoller& poller, const poll::TenantRound& round) {
          AfterPolling(poller, round, observer, stop);
        },
        stop);
    if (deliveries_) deliveries_->Finish(stop);
    if (beat_is_due_.exchange(false) && Failing().empty()) Heartbeat(stop);
    const std::lock_guard lock(mutex_);
    if (deliveries_) {
      counts_.delivered = deliveries_->delivered();
      counts_.failing = deliveries_->Failing();
      deliveries_.reset();
    }
    return counts_;
  }

  void Forever(const Observer& observer, const PageObserver& on_page,
               std::stop_token stop) override {
    OpenDeliveries();
    forever_ = true;
    while (!stop.stop_requested()) {
      Begin(observer);
      if (parts_.empty()) {
        clock_.SleepFor(kReopenEvery, stop);
        continue;
      }
      std::stop_source pause;
      const std::stop_callback on_stop(stop, [&pause] { pause.request_stop(); });
      std::jthread reopen;
      if (!unusable_.empty()) {
        reopen = std::jthread([&](const std::stop_token& done) {
          if (clock_.SleepFor(kReopenEvery, done)) pause.request_stop();
        });
      }
      poll::RunForever(
          Pollers(), poll_settings_, {.on_page = OneAtATime(on_page)}, clock_,
          [&](poll::TenantPoller& poller, const poll::TenantRound& round) {
            AfterPolling(poller, round, observer, stop);
          },
          pause.get_token());
    }
    deliveries_.reset();  // what is not acknowledged stays in the outbox
  }

  void OnOutput(OutputObserver observer) override { on_output_ = std::move(observer); }

  [[nodiscard]] const RuleBook& rules() const override { return rules_; }
  [[nodiscard]] const std::vector<std::filesystem::path>& tightened() const override {
    return tightened_;
  }

 private:
  // One tenant's broken file must not stop the others; when it is mended, or the disk has room
  // again, the tenant comes back.
  void OpenClosed() {
    unusable_.clear();
    std::erase_if(closed_, [this](const Tenant* tenant) {
      Status opened = OpenParts(*tenant);
      if (opened) return true;
      LogError("tenant.unusable", opened.error(), {{"tenant", tenant->name}});
      unusable_.emplace_back(tenant->name, std::move(opened).error());
      return false;
    });
  }

  Status OpenParts(const Tenant& tenant) {
    const auto app = settings_.apps.find(tenant.app);
    PK_CHECK(app != settings_.apps.end(), "the config checks that a tenant's app is there");
    TenantParts parts;
    parts.tenant = &tenant;
    PK_ASSIGN_OR_RETURN(parts.store, OpenTenant(settings_, tenant.id, /*read_only=*/false));
    parts.tokens = std::make_unique<graph::CachedTokens>(*token_cache_, app->second, tenant.id,
                                                         settings_.cloud.GraphAudience());
    parts.client = std::make_unique<graph::Client>(
        network_, *parts.tokens, clock_, graph::ClientSettings{.root = settings_.cloud.graph});
    parts.poller = std::make_unique<poll::TenantPoller>(
        poll::TenantSettings{.name = tenant.name,
                             .id = tenant.id,
                             .app = app->second.client_id,
                             .streams = tenant.streams},
        poll_settings_, *parts.store, *parts.client, *budgets_, clock_);
    PK_RETURN_IF_ERROR(parts.poller->Load());
    parts.alerting =
        std::make_unique<alerts::Alerting>(*parts.store, tenant.id, rules_.rules, settings_.alerts,
                                           StreamsOf(tenant), TellingOf(settings_, tenant));
    by_poller_.emplace(parts.poller.get(), parts_.size());
    parts_.push_back(std::move(parts));
    return {};
  }

  // Reading goes on without: what is to be told waits in the outbox.
  void OpenDeliveries() {
    if (settings_.outputs.empty()) return;
    const auto note = [this](const outputs::OutputNote& said) {
      const std::lock_guard lock(mutex_);
      if (on_output_) on_output_(said);
    };
    auto opened = Deliveries::Open(settings_, *agent_store_, network_, clock_, note);
    if (opened) {
      deliveries_ = *std::move(opened);
    } else {
      LogError("outputs.unusable", opened.error());
    }
  }

  [[nodiscard]] std::vector<std::string> Failing() const {
    return deliveries_ ? deliveries_->Failing() : std::vector<std::string>();
  }

  std::vector<poll::TenantPoller*> Pollers() {
    std::vector<poll::TenantPoller*> pollers;
    for (const TenantParts& parts : parts_) pollers.push_back(parts.poller.get());
    return pollers;
  }

  // `on_page` must outlive what is returned.
  PageObserver OneAtATime(const PageObserver& on_page) {
    if (!on_page) return {};
    return [this, &on_page](const poll::PageNote& note) {
      const std::lock_guard lock(mutex_);
      on_page(note);
    };
  }

  // Between rounds.
  void Begin(const Observer& observer) {
    if (began_) OpenClosed();
    began_ = true;
    const std::lock_guard lock(mutex_);
    counts_ = {};
    well_.clear();
    for (const auto& [tenant, error] : unusable_) {
      ++counts_.tenants;
      ++counts_.failed;
      ++counts_.broken;
      if (observer) observer({.tenant = tenant, .failures = {{"", error}}});
    }
  }

  // The rules see what is new; then events past retention go.
  void AfterPolling(poll::TenantPoller& poller, const poll::TenantRound& round,
                    const Observer& observer, std::stop_token stop) {
    workers_.acquire();
    const std::unique_ptr<std::counting_semaphore<64>, ReleaseWorker> worker(&workers_);
    TenantParts& parts = parts_.at(by_poller_.at(&poller));
    TenantOutcome outcome{.tenant = parts.tenant->name, .polled = round};
    for (const auto& [stream, error] : round.errors) outcome.failures.emplace_back(stream, error);
    const auto roles = token_cache_->Roles(settings_.apps.at(parts.tenant->app), parts.tenant->id,
                                           settings_.cloud.GraphAudience());
    if (roles) outcome.missing_roles = MissingRoles(*roles, StreamsOf(*parts.tenant));
    // Graph's time where it is known: a clock that is ahead must not empty the files, nor a rule
    // begin in the future.
    const Instant now = round.data_time.value_or(clock_.Now());
    outcome.well = round.well;
    const std::size_t of_streams = outcome.failures.size();
    Result<alerts::AlertCounts> evaluated =
        parts.alerting->Evaluate({.now = now, .sure = round.data_time.has_value()}, stop);
    if (evaluated) {
      outcome.alerts = *evaluated;
    } else if (evaluated.error().kind != ErrorKind::kCancelled) {
      outcome.failures.emplace_back("rules", evaluated.error());
    }
    if (round.data_time) {
      Result<std::int64_t> expired = parts.store->Expire(now - poll_settings_.retention, now);
      if (expired) {
        outcome.deleted = *expired;
      } else {
        outcome.failures.emplace_back("retention", std::move(expired).error());
      }
    }
    for (const auto& [rule, error] : parts.alerting->failures()) {
      outcome.failures.emplace_back("rule " + rule, error);
    }
    // A stopped evaluation is none.
    outcome.well = outcome.well && evaluated && outcome.failures.size() == of_streams;
    if (deliveries_) {
      deliveries_->Touch(static_cast<std::size_t>(parts.tenant - settings_.tenants.data()));
    }
    parts.store->Rest();  // 300 tenants must not each keep their caches
    ReturnFreeHeap();
    bool all_well = false;
    {
      const std::lock_guard lock(mutex_);
      Count(outcome);
      if (outcome.well) {
        well_.insert(outcome.tenant);
      } else {
        well_.erase(outcome.tenant);
      }
      all_well = well_.size() == settings_.tenants.size();
      if (all_well) well_.clear();
      if (observer) observer(outcome);
    }
    if (!all_well) return;
    if (!forever_) {
      beat_is_due_ = true;  // when all is delivered too
    } else if (Failing().empty()) {
      Heartbeat(stop);
    }
  }

  // Every tenant was read up to now and evaluated since the last one, and no output fails.
  void Heartbeat(std::stop_token stop) {
    if (settings_.heartbeat_url.empty()) return;
    const Result<HttpResponse> beat = network_.Send(
        {.url = settings_.heartbeat_url, .timeout = std::chrono::seconds(30)}, std::move(stop));
    if (!beat) {
      LogError("heartbeat.failed", beat.error());
    } else if (beat->status >= 300) {
      LogError("heartbeat.failed",
               {.message = fmt::format("heartbeat_url answered {}", beat->status)});
    }
  }

  void Count(const TenantOutcome& outcome) {
    ++counts_.tenants;
    counts_.pages += outcome.polled.Total();
    counts_.alerts += outcome.alerts;
    counts_.requests += outcome.polled.requests;
    counts_.deleted += outcome.deleted;
    counts_.unlicensed += std::ssize(outcome.polled.unlicensed);
    if (outcome.failures.empty() && outcome.polled.held.empty()) return;
    ++counts_.failed;
    if (!outcome.polled.held.empty()) ++counts_.held;
    bool refused = true, broken = false;
    const auto count = [&](ErrorKind kind) {
      refused = refused && (kind == ErrorKind::kAuth || kind == ErrorKind::kPermission ||
                            kind == ErrorKind::kInvalidConfig);
      broken = broken || kind == ErrorKind::kStorage || kind == ErrorKind::kLimit;
    };
    for (const auto& [where, error] : outcome.failures) count(error.kind);
    for (const poll::HeldStream& held : outcome.polled.held) count(held.error.kind);
    if (broken) ++counts_.broken;
    if (refused && outcome.polled.Total().read == 0) ++counts_.refused;
  }

  const Settings& settings_;
  poll::Settings poll_settings_;
  HttpTransport& network_;
  Clock& clock_;
  const Clock& machine_clock_;
  const graph::BudgetSettings budget_settings_;
  std::unique_ptr<DirectoryLock> lock_;
  std::unique_ptr<storage::AgentStore> agent_store_;
  std::unique_ptr<poll::StoredJournal> journal_;
  std::unique_ptr<graph::Budgets> budgets_;
  std::unique_ptr<auth::TokenClient> token_client_;
  std::unique_ptr<auth::TokenCache> token_cache_;
  RuleBook rules_;
  OutputObserver on_output_;
  std::unique_ptr<Deliveries> deliveries_;  // while a round runs; none without outputs
  bool forever_ = false;
  std::atomic<bool> beat_is_due_ = false;
  std::vector<std::filesystem::path> tightened_;
  std::vector<TenantParts> parts_;
  std::map<const poll::TenantPoller*, std::size_t> by_poller_;
  bool began_ = false;
  std::vector<const Tenant*> closed_;                    // whose file could not be opened yet
  std::vector<std::pair<std::string, Error>> unusable_;  // the same, and why
  std::counting_semaphore<64> workers_;
  std::set<std::string> well_;  // tenants that are well, since the last heartbeat; by mutex_
  std::mutex mutex_;            // counts_, the observer
  RoundCounts counts_;
};

// The network and the clock of this machine.
struct Machine {
  std::unique_ptr<HttpTransport> own_network;
  SystemClock own_clock;
};

// The machine is a base, so that it is there before the agent and after it.
class MachineAgent final : private Machine, public AgentImpl {
 public:
  MachineAgent(std::unique_ptr<HttpTransport> network, const Settings& settings, Clock& clock,
               bool clock_is_set)
      : Machine{std::move(network), SystemClock()},
        AgentImpl(settings, {.network = *own_network,
                             .clock = clock,
                             .machine_clock = own_clock,
                             .clock_is_set = clock_is_set}) {}
};

}  // namespace

std::string RoundCounts::Json() const {
  return fmt::format(
      R"({{"tenants":{},"failed":{},"held":{},"unlicensed":{},"requests":{},"read":{},"new":{},)"
      R"("changed":{},"same":{},"poorer":{},"rejected":{},"expired":{},"late":{},"deleted":{},)"
      R"("findings":{},"withdrawn":{},"alerts":{},"incidents":{},"delivered":{}}})",
      tenants, failed, held, unlicensed, requests, pages.read, pages.added, pages.changed,
      pages.same, pages.poorer, pages.rejected, pages.expired, pages.late, deleted, alerts.findings,
      alerts.withdrawn, alerts.alerts, alerts.incidents, delivered);
}

Result<std::unique_ptr<Agent>> Agent::Open(const Settings& settings, Clock& clock,
                                           bool clock_is_set) {
  PK_ASSIGN_OR_RETURN(std::unique_ptr<HttpTransport> network, MakeHttpTransport(settings.network));
  auto agent = std::make_unique<MachineAgent>(std::move(network), settings, clock, clock_is_set);
  PK_RETURN_IF_ERROR(agent->Open());
  return std::unique_ptr<Agent>(std::move(agent));
}

Result<std::unique_ptr<Agent>> Agent::Open(const Settings& settings,
                                           const Surroundings& surroundings) {
  auto agent = std::make_unique<AgentImpl>(settings, surroundings);
  PK_RETURN_IF_ERROR(agent->Open());
  return std::unique_ptr<Agent>(std::move(agent));
}

int ExitCodeOf(const RoundCounts& counts, bool stopped) {
  if (stopped) return 3;
  if (counts.failed == 0) return counts.failing.empty() ? 0 : 3;
  if (counts.refused == counts.tenants) return 77;
  if (counts.broken == counts.tenants) return 74;
  if (counts.failed == counts.tenants && counts.pages.read == 0) return 69;
  return 3;
}

}  // namespace picket::run

// The first contact with a tenant, over TLS: all of a week's sign-ins. Within the limits that Graph
// publishes, by the program; and without any, beside a bare loop that fetches the same pages and
// keeps nothing of them.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "agent/run/round.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/text.h"
#include "tests/bench/bench_tenant.h"
#include "tests/bench/beside_floor.h"
#include "tests/process/child_process.h"

namespace picket::bench {
namespace {

constexpr int kSignIns = 20'000;

// Runs `picket once`; how many events it stored.
std::int64_t Once(BenchTenantOverTls& tenant) {
  const auto picket =
      ChildProcess::Start({PICKET_PROGRAM, "once", "--config", tenant.FreshConfig()});
  PK_CHECK(picket != nullptr, "picket starts");
  const auto counts = nlohmann::json::parse(picket->Output(), nullptr, false);
  PK_CHECK(picket->ExitStatus() == 0 && counts.is_object(), "picket once ends well");
  return counts.value("new", std::int64_t{0});
}

// Graph gives an app 5 requests in 10 s for a tenant's sign-in logs; Picket allows itself 4. How
// much of what the time allowed was used.
void BM_WithinLimits(benchmark::State& state) {
  BenchTenantOverTls tenant(kSignIns, /*limits=*/true);
  constexpr double kRequests = 4;
  constexpr double kSeconds = 10;
  double used = 0;
  for (auto unused : state) {
    (void)unused;
    tenant.simulator().ForgetRequests();
    PK_CHECK(Once(tenant) == tenant.emitted(), "every event was stored");
    std::vector<Instant> times;
    for (const simulator::LoggedRequest& request : tenant.simulator().Requests()) {
      if (request.path.find("/auditLogs/") != std::string::npos) times.push_back(request.time);
    }
    std::sort(times.begin(), times.end());
    const std::size_t whole = (times.size() - 1) / static_cast<std::size_t>(kRequests);
    const auto full = static_cast<double>(whole);
    const double took = static_cast<double>((times.back() - times.front()).ticks) /
                        static_cast<double>(kSecond.ticks);
    used = full * kSeconds / took;
    state.counters["requests"] = static_cast<double>(times.size());
  }
  state.counters["budget used"] = used;
  state.counters["throttled"] = static_cast<double>(tenant.simulator().ThrottledCount());
}

BenchTenantOverTls& Unlimited() {
  static BenchTenantOverTls tenant(kSignIns, /*limits=*/false);
  return tenant;
}

void CountEvents(benchmark::State& state) {
  state.counters["events/s"] = benchmark::Counter(
      static_cast<double>(Unlimited().emitted()) * static_cast<double>(state.iterations()),
      benchmark::Counter::kIsRate);
}

// An agent with an empty data directory, which nobody holds back.
class FreshAgent {
 public:
  explicit FreshAgent(BenchTenantOverTls& tenant)
      : settings_(tenant.FreshSettings()), network_(MakeHttpTransport(settings_.network).value()) {
    constexpr graph::Limit kMany{1'000'000, kSecond};
    constexpr graph::Allowance kNone{.own = kMany, .published = kMany};
    const run::Surroundings around{.network = *network_,
                                   .clock = clock_,
                                   .machine_clock = clock_,
                                   .budgets = {.audit_per_tenant = kNone,
                                               .audit_per_app = kNone,
                                               .protection_per_tenant = kNone,
                                               .margin = {}}};
    agent_ = run::Agent::Open(settings_, around).value();
  }
  // How many events it stored.
  std::int64_t Once() {
    return agent_->Once({}, [](const run::TenantOutcome&) {}, {}).pages.added;
  }

 private:
  const run::Settings settings_;
  const std::unique_ptr<HttpTransport> network_;
  SystemClock clock_;
  std::unique_ptr<run::Agent> agent_;
};

// Windows, pages, ledger and store.
void BM_Unlimited(benchmark::State& state) {
  BenchTenantOverTls& tenant = Unlimited();
  for (auto unused : state) {
    (void)unused;
    state.PauseTiming();
    auto agent = std::make_unique<FreshAgent>(tenant);
    state.ResumeTiming();
    const std::int64_t stored = agent->Once();
    state.PauseTiming();
    PK_CHECK(stored == tenant.emitted(), "every event was stored");
    agent.reset();
    state.ResumeTiming();
  }
  CountEvents(state);
}

// The queries that the agent began with; their further pages come by next links.
std::vector<std::string> FirstUrls(BenchTenantOverTls& tenant) {
  std::vector<std::string> urls;
  for (const simulator::LoggedRequest& request : tenant.simulator().Requests()) {
    if (request.path.find("/auditLogs/") == std::string::npos) continue;
    if (request.query.find("$skiptoken") != std::string::npos) continue;
    std::string url = tenant.simulator().Url() + request.path;
    char between = '?';
    for (const std::string_view part : Split(request.query, '&')) {
      const std::size_t equals = part.find('=');
      url += between;
      url += part.substr(0, equals);
      if (equals != std::string_view::npos) url += "=" + PercentEncode(part.substr(equals + 1));
      between = '&';
    }
    urls.push_back(std::move(url));
  }
  return urls;
}

// nullopt on the last page.
std::optional<std::string> NextLink(std::string_view body) {
  constexpr std::string_view kName = "\"@odata.nextLink\":\"";
  const std::size_t found = body.find(kName);
  if (found == std::string_view::npos) return std::nullopt;
  const std::size_t begin = found + kName.size();
  return std::string(body.substr(begin, body.find('"', begin) - begin));
}

void BM_BareFetch(benchmark::State& state) {
  BenchTenantOverTls& tenant = Unlimited();
  static const std::vector<std::string> urls = [&tenant] {
    tenant.simulator().ForgetRequests();
    (void)FreshAgent(tenant).Once();
    return FirstUrls(tenant);
  }();
  std::int64_t pages = 0;
  for (auto unused : state) {
    (void)unused;
    state.PauseTiming();
    const auto network = MakeHttpTransport({.proxy = "", .ca_file = tenant.CaFile()}).value();
    pages = 0;
    state.ResumeTiming();
    const std::string bearer = "Bearer " + tenant.Token(*network);
    for (const std::string& url : urls) {
      for (std::optional<std::string> next = url; next; ++pages) {
        const auto page =
            network->Send({.url = *next,
                           .headers = {{"Authorization", bearer}, {"Accept-Encoding", "gzip"}},
                           .max_body = std::size_t{64} << 20},
                          {});
        PK_CHECK(page && page->status == 200, "a page");
        next = NextLink(page->body);
      }
    }
  }
  state.counters["pages"] = static_cast<double>(pages);
  CountEvents(state);
}

BENCHMARK(BM_Unlimited)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(1);
BENCHMARK(BM_BareFetch)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(1);
BENCHMARK(BM_WithinLimits)->Unit(benchmark::kSecond)->UseRealTime()->Iterations(1)->Repetitions(1);

}  // namespace
}  // namespace picket::bench

int main(int argc, char** argv) {
  return picket::bench::RunBesideFloor(
      argc, argv,
      {{.figure = "budget used", .ours = "BM_WithinLimits", .floor = "", .least = 0.95},
       {.figure = "throttled", .ours = "BM_WithinLimits", .floor = "", .most = 0},
       {.figure = "events/s", .ours = "BM_Unlimited", .floor = "BM_BareFetch"}},
      /*repetitions=*/3);
}

// The program's first contact with a tenant, over TLS: all of a week's sign-ins, within the limits
// that Graph publishes.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/http.h"
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
    const auto full = static_cast<double>((times.size() - 1) / static_cast<std::size_t>(kRequests));
    const double took = static_cast<double>((times.back() - times.front()).ticks) /
                        static_cast<double>(kSecond.ticks);
    used = full * kSeconds / took;
    state.counters["requests"] = static_cast<double>(times.size());
  }
  state.counters["budget used"] = used;
  state.counters["throttled"] = static_cast<double>(tenant.simulator().ThrottledCount());
}

BENCHMARK(BM_WithinLimits)->Unit(benchmark::kSecond)->UseRealTime()->Iterations(1);

}  // namespace
}  // namespace picket::bench

int main(int argc, char** argv) {
  return picket::bench::RunBesideFloor(
      argc, argv,
      {{.figure = "budget used", .ours = "BM_WithinLimits", .floor = "", .least = 0.95},
       {.figure = "throttled", .ours = "BM_WithinLimits", .floor = "", .most = 0}},
      /*repetitions=*/1);
}

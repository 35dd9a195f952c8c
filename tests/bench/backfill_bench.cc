// The program's first contact with a tenant, over TLS: all of a week's sign-ins. Beside a bare loop
// that fetches the same pages through the same transport and keeps nothing; and within the limits
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

constexpr int kFew = 20'000;
constexpr int kMany = 60'000;

// Runs `picket once`; how many events it stored.
std::int64_t Once(BenchTenantOverTls& tenant) {
  const auto picket =
      ChildProcess::Start({PICKET_PROGRAM, "once", "--config", tenant.FreshConfig()});
  PK_CHECK(picket != nullptr, "picket starts");
  const auto counts = nlohmann::json::parse(picket->Output(), nullptr, false);
  PK_CHECK(picket->ExitStatus() == 0 && counts.is_object(), "picket once ends well");
  return counts.value("new", std::int64_t{0});
}

void Rate(benchmark::State& state, std::int64_t events) {
  state.counters["events/s"] =
      benchmark::Counter(static_cast<double>(events), benchmark::Counter::kIsRate);
}

void BM_Backfill(benchmark::State& state) {
  BenchTenantOverTls tenant(kMany, /*limits=*/false);
  std::int64_t events = 0;
  for (auto unused : state) {
    (void)unused;
    const std::int64_t stored = Once(tenant);
    PK_CHECK(stored == tenant.emitted(), "every event was stored");
    events += stored;
  }
  Rate(state, events);
}

std::string Field(const std::string& body, const char* name) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  return json.is_object() ? json.value(name, "") : "";
}

void BM_FetchOnly(benchmark::State& state) {
  BenchTenantOverTls tenant(kMany, /*limits=*/false);
  const auto http = MakeHttpTransport({.proxy = "", .ca_file = tenant.CaFile()}).value();
  const auto send = [&http](const HttpRequest& request) {
    auto response = http->Send(request, {});
    PK_CHECK(response && response->status == 200, "the simulator answers");
    return response->body;
  };
  std::int64_t events = 0;
  for (auto unused : state) {
    (void)unused;
    const std::string token =
        Field(send({.method = "POST",
                    .url = tenant.TokenUrl(),
                    .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                    .body = tenant.TokenForm()}),
              "access_token");
    for (std::string url = tenant.FirstUrl(); !url.empty();) {
      const std::string body =
          send({.url = url, .headers = {{"Authorization", "Bearer " + token}}, .body = ""});
      // A page's end tells where the next one is: the rows are not looked at.
      const std::size_t link = body.rfind("\"@odata.nextLink\":\"");
      const std::size_t begin = link == std::string::npos ? link : link + 19;
      url =
          begin == std::string::npos
              ? ""
              : Field("{\"url\":" + body.substr(begin, body.find('"', begin + 1) + 1 - begin) + "}",
                      "url");
    }
    events += tenant.emitted();
  }
  Rate(state, events);
}

// Of 5 requests in 10 s, which Graph gives an app for sign-in logs: how much of what the time
// allowed was used.
void BM_WithinLimits(benchmark::State& state) {
  BenchTenantOverTls tenant(kFew, /*limits=*/true);
  constexpr double kRequests = 5;
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

BENCHMARK(BM_Backfill)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(1);
BENCHMARK(BM_FetchOnly)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(1);
BENCHMARK(BM_WithinLimits)->Unit(benchmark::kSecond)->UseRealTime()->Iterations(1);

}  // namespace
}  // namespace picket::bench

int main(int argc, char** argv) {
  return picket::bench::RunBesideFloor(
      argc, argv,
      {{.figure = "events/s", .ours = "BM_Backfill", .floor = "BM_FetchOnly"},
       {.figure = "budget used", .ours = "BM_WithinLimits", .floor = "", .least = 0.95},
       {.figure = "throttled", .ours = "BM_WithinLimits", .floor = "", .most = 0}},
      /*repetitions=*/1);
}

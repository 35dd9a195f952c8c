// What the program holds in memory, as the kernel counts it: while a week of sign-ins comes in, and
// at rest after it.

#include <benchmark/benchmark.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/bench/bench_tenant.h"
#include "tests/bench/beside_floor.h"
#include "tests/process/child_process.h"

namespace picket::bench {
namespace {

constexpr int kSignIns = 20'000;

// A line of /proc/PID/status, in MB.
double Megabytes(pid_t pid, const std::string& name) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind(name + ":", 0) != 0) continue;
    double kilobytes = 0;
    std::istringstream(line.substr(name.size() + 1)) >> kilobytes;
    return kilobytes / 1024;
  }
  return 0;
}

void Wait() { std::this_thread::sleep_for(std::chrono::milliseconds(200)); }

// Until the simulator has had no request for longer than the budget makes picket wait, after the
// first ones.
void WaitUntilQuiet(simulator::Simulator& simulator) {
  constexpr int kQuiet = 75;        // fifteen seconds
  constexpr int kMostWaits = 1500;  // five minutes
  std::int64_t seen = -1;
  int waits = 0;
  for (int quiet = 0; quiet < kQuiet; ++quiet) {
    Wait();
    PK_CHECK(++waits < kMostWaits, "picket reads, and then rests");
    const std::int64_t now = simulator.RequestCount();
    if (now != seen || now == 0) quiet = 0;
    seen = now;
  }
}

void BM_Picket(benchmark::State& state) {
  BenchTenantOverTls tenant(kSignIns, /*limits=*/false);
  for (auto unused : state) {
    (void)unused;
    const auto picket =
        ChildProcess::Start({PICKET_PROGRAM, "run", "--config", tenant.FreshConfig()});
    PK_CHECK(picket != nullptr, "picket starts");
    WaitUntilQuiet(tenant.simulator());
    state.counters["peak MB"] = Megabytes(picket->pid(), "VmHWM");
    state.counters["idle MB"] = Megabytes(picket->pid(), "VmRSS");
    state.counters["idle own MB"] = Megabytes(picket->pid(), "RssAnon");
    (void)::kill(picket->pid(), SIGTERM);
    (void)picket->Output();
  }
}

BENCHMARK(BM_Picket)->Unit(benchmark::kSecond)->UseRealTime()->Iterations(1);

}  // namespace
}  // namespace picket::bench

int main(int argc, char** argv) {
  return picket::bench::RunBesideFloor(
      argc, argv,
      {{.figure = "idle MB", .ours = "BM_Picket", .floor = "", .most = 25},
       {.figure = "peak MB", .ours = "BM_Picket", .floor = "", .most = 60}},
      /*repetitions=*/1);
}

#include "tests/bench/beside_floor.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdio>
#include <map>

namespace picket::bench {
namespace {

// Prints as the console does, and keeps the medians of the counters.
class MedianKeeper : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      const bool median = run.run_type == Run::RT_Aggregate && run.aggregate_name == "median";
      if (!median) continue;
      for (const auto& [name, counter] : run.counters) {
        medians_[run.run_name.function_name][name] = counter.value;
      }
    }
  }

  [[nodiscard]] double Median(const std::string& benchmark, const std::string& counter) const {
    const auto found = medians_.find(benchmark);
    if (found == medians_.end()) return 0;
    const auto value = found->second.find(counter);
    return value == found->second.end() ? 0 : value->second;
  }

 private:
  std::map<std::string, std::map<std::string, double>> medians_;
};

// True: it was met.
bool Tell(const Goal& goal, const MedianKeeper& medians) {
  const double ours = medians.Median(goal.ours, goal.figure);
  const double floor = medians.Median(goal.floor, goal.figure);
  if (floor <= 0 || ours <= 0) return true;  // was left out by a filter
  const double ratio = ours / floor;
  const bool met =
      (goal.least <= 0 || ratio >= goal.least) && (goal.most <= 0 || ratio <= goal.most);
  const std::string limit = goal.least > 0 ? fmt::format("at least {}", goal.least)
                                           : fmt::format("at most {}", goal.most);
  fmt::print("{}: {:.4g} beside {:.4g} of the floor = {:.2f} (goal: {}): {}\n", goal.figure, ours,
             floor, ratio, limit, met ? "met" : "MISSED");
  return met;
}

}  // namespace

int RunBesideFloor(int argc, char** argv, const std::vector<Goal>& goals) {
  std::vector<char*> arguments(argv, argv + argc);
  std::string repetitions = "--benchmark_repetitions=5";
  std::string interleaved = "--benchmark_enable_random_interleaving=true";
  std::string aggregates = "--benchmark_display_aggregates_only=true";
  // First, so that the caller's own options win.
  arguments.insert(arguments.begin() + 1,
                   {repetitions.data(), interleaved.data(), aggregates.data()});
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 64;
  MedianKeeper medians;
  benchmark::RunSpecifiedBenchmarks(&medians);
  bool met = true;
  for (const Goal& goal : goals) met = Tell(goal, medians) && met;
  return met ? 0 : 1;
}

}  // namespace picket::bench

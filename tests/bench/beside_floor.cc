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
      // A single run is its own median, and is reported as such.
      const bool median =
          run.run_type == Run::RT_Aggregate ? run.aggregate_name == "median" : run.repetitions == 1;
      if (!median) continue;
      for (const auto& [name, counter] : run.counters) {
        medians_[run.run_name.function_name][name] = counter.value;
      }
    }
  }

  [[nodiscard]] std::optional<double> Median(const std::string& benchmark,
                                             const std::string& counter) const {
    const auto found = medians_.find(benchmark);
    if (found == medians_.end()) return std::nullopt;
    const auto value = found->second.find(counter);
    return value == found->second.end() ? std::nullopt : std::optional(value->second);
  }

 private:
  std::map<std::string, std::map<std::string, double>> medians_;
};

// True: it was met, or was left out by a filter.
bool Tell(const Goal& goal, const MedianKeeper& medians) {
  const auto ours = medians.Median(goal.ours, goal.figure);
  const auto floor =
      goal.floor.empty() ? std::optional(1.0) : medians.Median(goal.floor, goal.figure);
  if (!ours || !floor) return true;
  const double ratio = *ours / *floor;
  const bool met = (!goal.least || ratio >= *goal.least) && (!goal.most || ratio <= *goal.most);
  std::string text = fmt::format("{}: {:.4g}", goal.figure, *ours);
  if (!goal.floor.empty())
    text += fmt::format(" beside {:.4g} of the floor = {:.2f}", *floor, ratio);
  if (goal.least) text += fmt::format(" (goal: at least {})", *goal.least);
  if (goal.most) text += fmt::format(" (goal: at most {})", *goal.most);
  if (goal.least || goal.most) text += met ? ": met" : ": MISSED";
  fmt::print("{}\n", text);
  return met;
}

}  // namespace

int RunBesideFloor(int argc, char** argv, const std::vector<Goal>& goals, int repetitions) {
  std::vector<char*> arguments(argv, argv + argc);
  std::string repeated = fmt::format("--benchmark_repetitions={}", repetitions);
  std::string interleaved = "--benchmark_enable_random_interleaving=true";
  std::string aggregates = "--benchmark_display_aggregates_only=true";
  // First, so that the caller's own options win.
  arguments.insert(arguments.begin() + 1, {repeated.data(), interleaved.data(), aggregates.data()});
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

#pragma once

#include <optional>
#include <string>
#include <vector>

namespace picket::bench {

// A figure of ours beside the same of the floor, both counters of benchmarks in this run. Limits
// are for ours divided by the floor's, or for ours alone where there is no floor.
struct Goal {
  std::string figure;  // the counter: "events/s", "bytes/event"
  std::string ours, floor;
  std::optional<double> least{}, most{};
};

// A benchmark program's main: runs what is registered, several times and interleaved, and prints
// for each goal the (ratio of the) medians. Returns the exit code: 1 when a goal was missed.
int RunBesideFloor(int argc, char** argv, const std::vector<Goal>& goals, int repetitions = 5);

}  // namespace picket::bench

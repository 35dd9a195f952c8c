#pragma once

#include <string>
#include <vector>

namespace picket::bench {

// A figure of ours beside the same of the floor, both counters of benchmarks in this run.
struct Goal {
  std::string figure;  // the counter: "events/s", "bytes/event"
  std::string ours, floor;
  double least = 0;  // of ours divided by the floor's; 0: no such limit
  double most = 0;
};

// A benchmark program's main: runs what is registered, several times and interleaved, and prints
// for each goal the ratio of the medians. Returns the exit code: 1 when a goal was missed.
int RunBesideFloor(int argc, char** argv, const std::vector<Goal>& goals);

}  // namespace picket::bench

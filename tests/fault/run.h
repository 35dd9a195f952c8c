#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/fault/world.h"

namespace picket::fault {

struct RunReport {
  std::vector<std::string> failures;
  Strikes struck;
  std::size_t events = 0, findings = 0, late_risks = 0;  // that were compared
};

// One run: the plan of the seed, lived life by life, then fair weather, then the verdict.
RunReport RunSeed(std::uint64_t seed);

// The failures, the seed, its plan, and the command that repeats it.
std::string Explain(std::uint64_t seed, const RunReport& report);

// Kinds of faults that must strike within some runs, and did not.
std::vector<std::string> MissingKinds(const Strikes& struck);

}  // namespace picket::fault

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "agent/run/settings.h"
#include "tests/fault/plan.h"
#include "tests/fault/shared_clock.h"
#include "tests/fault/world.h"

namespace picket::fault {

// What became of a process of the agent.
struct LifeOutcome {
  std::vector<std::string> problems;  // what must not happen, whatever the world does
  Strikes struck;
  std::optional<Instant> asked;  // when its first request came, by Graph's clock
};

// The agent's settings in a run; its secret stands in a file there.
run::Settings SettingsOf(const World& world, const Plan& plan, const std::filesystem::path& folder);

// Lives one life: the whole agent in a process of its own, the world in this one. The caller must
// have no other threads.
LifeOutcome Live(const LifePlan& life, const run::Settings& settings, World& world,
                 SharedClock& clock);

}  // namespace picket::fault

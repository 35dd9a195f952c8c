#pragma once

#include <optional>
#include <string>

#include "base/time.h"

namespace picket::rules {

// What the seed detection looks at in a sign-in, and what it shows of it.
struct SignIn {
  std::string id;
  Instant time;
  std::string result;  // "" when the record does not tell
  std::string user, app, address, country, city, browser, os;
  std::string level, level_aggregated, state;
  std::string events;  // the JSON text; "" when absent or null
  std::string access, requirement, home, resource;
};

struct SeedVerdict {
  int count = 0;  // RiskIndicatorCount
  std::string reason;
};

// The seed's logic written by hand, without its time range; nullopt when it does not match. Knows
// nothing of KQL: an oracle for everything that evaluates the seed.
std::optional<SeedVerdict> JudgeBySeed(const SignIn& sign_in);

}  // namespace picket::rules

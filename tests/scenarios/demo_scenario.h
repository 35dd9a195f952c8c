#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "tests/simulator/stand_in.h"

namespace picket::simulator {

struct DemoTenant {
  std::string name;
  Guid id;
};

// Two tenants with ordinary sign-ins of the day before `now`, and in them: a password spray that
// succeeds, a sign-in through an anonymizing proxy, a confirmed compromise, a guest who enters with
// one factor; and a risk that Microsoft has dismissed, which must not alert.
struct DemoScenario {
  std::vector<DemoTenant> tenants;
  std::string client_id, secret;
  // user principal name → whether it must be in an incident
  std::vector<std::pair<std::string, bool>> expected;
};
DemoScenario PlayDemo(StandIn& stand_in, Instant now, unsigned seed);

}  // namespace picket::simulator

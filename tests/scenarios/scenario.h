#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "tests/simulator/simulator.h"

namespace picket::simulator {

struct ScenarioTenant {
  std::string name;  // "contoso"
  Guid id;
  std::string domain;  // "contoso.example"
};

// Logs that do not come by Graph: to be written to a file and imported.
struct ScenarioFile {
  std::string tenant;   // whose
  std::string name;     // "storage-blob-logs.json"
  std::string table;    // "StorageBlobLogs"
  std::string content;  // in the format of its own service
};

// What a detection must say of the scenario, and what it must not.
struct Expectation {
  std::string tenant;
  std::string entity;  // user principal name, or the identity in an imported file
  bool incident = true;
  std::string why;  // the attack, or why it is none; for people
  // "" when sign-ins alone show it; else the table that must be imported.
  std::string needs_table{};
};

struct Scenario {
  std::string name, about;
  std::vector<ScenarioTenant> tenants;
  std::string client_id, secret;
  std::vector<Expectation> expected;
  std::vector<ScenarioFile> files;
};

struct ScenarioName {
  std::string_view name, about;
};
// "demo" is all of them in two tenants.
const std::vector<ScenarioName>& ScenarioNames();

// Adds the tenants, the app and the events of the day before `now` to the simulator. Everything is
// visible at `now`. kNotFound for an unknown name.
Result<Scenario> LoadScenario(Simulator& simulator, std::string_view name, Instant now,
                              std::uint64_t seed = 1);

}  // namespace picket::simulator

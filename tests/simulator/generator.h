#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "tests/simulator/simulator.h"

namespace picket::simulator {

// The ordinary life of a tenant, drawn from a seed.
struct LifeSpec {
  Guid tenant;
  std::string domain = "contoso.example";
  std::uint64_t seed = 1;
  Instant from, to;  // the span of the events' own times
  int users = 50;
  int sign_ins = 1000;  // of all kinds
  int audits = 20;
  int detections = 5;  // of risk, most of them on sign-ins hours ago
  // In a thousand of the sign-ins.
  int non_interactive = 500;
  int service_principal = 80;
  int managed_identity = 40;
  int failures = 60;
  int late = 20;           // visible up to two hours after their time
  int very_late = 2;       // up to 30 hours
  int changed = 30;        // details change minutes to hours after
  int multi_factor = 700;  // of the interactive ones
};

struct LifeCounts {
  int sign_ins = 0, audits = 0, detections = 0, late = 0, changed = 0;
};

// Emits it. What becomes visible after the simulator's now simply does so when its clock is there.
LifeCounts Live(Simulator& simulator, const LifeSpec& spec);

// One person or program, and one sign-in of it as Graph's beta gives it (JSON): successful, of an
// ordinary device and place; `patch` (RFC 7396) makes it what it has to be.
struct Principal {
  std::string id{};    // object id
  std::string name{};  // "Clara Huber", "Nightly backup"
  std::string user{};  // user principal name; "" for programs
  std::string ip = "198.51.100.10";
  std::string city = "Vienna", country = "AT";
};
std::string SignInJson(const Guid& tenant, const std::string& id, Instant created,
                       const Principal& who, const char* event_type, const std::string& patch);

}  // namespace picket::simulator

#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "agent/alerts/priority.h"
#include "agent/alerts/view.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "storage/tenant_store.h"

namespace picket::alerts {

// An output that is told of a tenant's incidents.
struct Destination {
  std::string output;                     // its name in the config
  Priority min_priority = Priority::kP5;  // less urgent ones are not told
};

// Whom to tell of one tenant.
struct Telling {
  std::string tenant;  // its name in the config
  std::vector<Destination> to;
};

// Standard Webhooks asks for less than 20 kB a message; every output lives with that.
inline constexpr std::size_t kMostTold = 19'000;
// More of the same (another row of a known alert) is told once in this time.
inline constexpr Timespan kTellAgain = kHour;
// What a tenant's history reveals is told only so far back, and only if it is most urgent.
inline constexpr Timespan kTellHistory = kHour * 48;

// The incident as `incidents show --format json`, in at most `most` bytes: the oldest evidence goes
// first, then the least urgent alerts, and what was left out is counted.
nlohmann::json ToBoundedJson(const IncidentView& incident, std::size_t most);

// Puts what is to be told of an incident into the outbox, for each output that it concerns: new
// ones as urgent as the output wants, and whatever an output was told of before. A state is told
// once. Within the caller's transaction. One thread at a time.
class Publisher {
 public:
  // The store must outlive it.
  Publisher(storage::TenantStore& store, const Guid& tenant, Telling telling);

  // From when on incidents are news: set in a tenant's first evaluation, an hour back. In a
  // transaction of its own.
  [[nodiscard]] Status Begin(Instant now);
  // Of an incident whose rows are written.
  [[nodiscard]] Status Tell(const std::string& incident, Instant now);

 private:
  [[nodiscard]] Result<std::vector<std::string>> Concerned(const IncidentView& incident,
                                                           Instant now);
  [[nodiscard]] Result<storage::Publication> Publish(const IncidentView& incident,
                                                     const std::string& body, bool& at_once);

  storage::TenantStore& store_;
  const Guid tenant_;
  const Telling telling_;
};

}  // namespace picket::alerts

#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "agent/alerts/alert_book.h"
#include "base/result.h"
#include "base/time.h"
#include "storage/tenant_store.h"

namespace picket::alerts {

// How far a rule came in a tenant.
struct RuleStatus {
  std::string id, title;
  rules::Way way = rules::Way::kByRow;
  // The newest tick that was evaluated; by row: when it was last. None: not yet, in this version.
  std::optional<Instant> evaluated;
  // Ticks that were evaluated before all was read, that rows have changed since, and that are not
  // evaluated any more. The first two run again.
  std::int64_t partial = 0, dirty = 0, given_up = 0;
  std::string note;  // why, of the newest that waits; else of the newest that was given up
};

nlohmann::json ToJson(const RuleStatus& status);

// Of every rule that runs, in the book's order. Reads the database only.
Result<std::vector<RuleStatus>> ReadRuleStatus(storage::TenantStore& store,
                                               const std::vector<LoadedRule>& rules);

}  // namespace picket::alerts

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/alerts/view.h"
#include "base/result.h"
#include "storage/tenant_store.h"

namespace picket::alerts {

// One by its id, with its evidence; nullopt when this tenant has none of it.
Result<std::optional<AlertView>> LoadAlert(storage::TenantStore& store, const std::string& tenant,
                                           const std::string& id);
Result<std::optional<IncidentView>> LoadIncident(storage::TenantStore& store,
                                                 const std::string& tenant, const std::string& id);

// What is in a tenant's store, for people: most urgent first, then newest. Closed ones only with
// `all`. `tenant` is its name. Lists do without the evidence's rows.
enum class Evidence : std::uint8_t { kLeft, kRead };
Result<std::vector<AlertView>> LoadAlerts(storage::TenantStore& store, const std::string& tenant,
                                          bool all, Evidence evidence = Evidence::kRead);
Result<std::vector<IncidentView>> LoadIncidents(storage::TenantStore& store,
                                                const std::string& tenant, bool all,
                                                Evidence evidence = Evidence::kRead);

}  // namespace picket::alerts

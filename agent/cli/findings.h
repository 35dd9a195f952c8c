#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/alerts/load_views.h"
#include "agent/cli/context.h"
#include "storage/tenant_store.h"

namespace picket::cli {

// All tenants of the config, or the one of that name. None, and the error is printed, when there is
// no such tenant.
std::vector<const run::Tenant*> ChooseTenants(Context& context, const run::Settings& settings,
                                              const std::string& only);

// Calls `read` with each tenant's store, read-only. A tenant that cannot be read keeps no other
// from being read: its error is printed, and the exit code is 3 when others could be read, else
// the error's. Of a tenant that was not yet read, that is said.
using ReadTenant = std::function<Status(const run::Tenant&, storage::TenantStore&)>;
void ReadEach(Context& context, const run::Settings& settings,
              const std::vector<const run::Tenant*>& tenants, const ReadTenant& read);

// Of these tenants, most urgent first, then newest.
std::vector<alerts::AlertView> AlertsOf(Context& context, const run::Settings& settings,
                                        const std::vector<const run::Tenant*>& tenants, bool all,
                                        alerts::Evidence evidence);
std::vector<alerts::IncidentView> IncidentsOf(Context& context, const run::Settings& settings,
                                              const std::vector<const run::Tenant*>& tenants,
                                              bool all, alerts::Evidence evidence);

}  // namespace picket::cli

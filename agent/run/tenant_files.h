#pragma once

#include <memory>

#include "agent/run/settings.h"
#include "base/result.h"
#include "storage/tenant_store.h"

namespace picket::run {

// Opens a tenant's store with the schemas of the mapping.
Result<std::unique_ptr<storage::TenantStore>> OpenTenant(const Settings& settings,
                                                         const Guid& tenant, bool read_only);

// The streams that are polled of it: those that it names, else all.
std::vector<std::string> StreamsOf(const Tenant& tenant);

// The tenant of that name (or GUID), or an error with the nearest name.
Result<const Tenant*> FindTenant(const Settings& settings, std::string_view name);

}  // namespace picket::run

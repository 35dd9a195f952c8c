#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/run/settings.h"
#include "base/result.h"
#include "storage/tenant_store.h"

namespace picket::run {

// An application permission that the tenant's token lacks, and the streams that it would open.
struct MissingRole {
  std::string role;
  std::vector<std::string> streams;
};

// Which permissions the streams need beyond `roles`, those of the token. The right to write
// includes the right to read.
std::vector<MissingRole> MissingRoles(const std::vector<std::string>& roles,
                                      const std::vector<std::string>& streams);
// What is wrong and what to grant, for people.
Error ToError(const MissingRole& missing);

// Tables of which a tenant gets no rows, each with the reason: the config leaves the stream out,
// the stream is off (a permission, a licence), or only an import fills it and none has.
using TablesWithoutRows = std::map<std::string, std::string, std::less<>>;
// `store`: the tenant's, or nullptr when it has none yet.
Result<TablesWithoutRows> FindTablesWithoutRows(storage::TenantStore* store, const Tenant& tenant);
// The same of a store that is opened for it.
Result<TablesWithoutRows> FindTablesWithoutRows(const Settings& settings, const Tenant& tenant);

}  // namespace picket::run

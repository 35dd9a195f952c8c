#pragma once

#include <vector>

#include "base/result.h"
#include "storage/sqlite/database.h"

namespace picket::storage {

inline constexpr std::int32_t kTenantApplicationId = 0x504B5431;  // "PKT1"
inline constexpr std::int32_t kAgentApplicationId = 0x504B4131;   // "PKA1"

// Brings the file to the newest schema, each step in a transaction of its own that also sets
// user_version. A file of a newer version is refused. Steps are never changed once released.
Status Migrate(Database& database, std::int32_t application_id,
               const std::vector<const char*>& steps);

// For a file that is only read: refused unless it has the newest schema.
Status CheckSchema(Database& database, const std::vector<const char*>& steps);

const std::vector<const char*>& TenantMigrations();
const std::vector<const char*>& AgentMigrations();

}  // namespace picket::storage

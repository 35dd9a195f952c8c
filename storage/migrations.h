#pragma once

#include <vector>

#include "base/result.h"
#include "storage/sqlite/database.h"

namespace picket::storage {

inline constexpr std::int32_t kTenantApplicationId = 0x504B5431;  // "PKT1"
inline constexpr std::int32_t kAgentApplicationId = 0x504B4131;   // "PKA1"

// Brings the file to the newest schema: all steps that it lacks, and user_version, in one
// transaction, so that a failure leaves it as it was. A file of a newer version is refused. Steps
// are never changed once released. For files with data in them use OpenUpgraded.
Status Migrate(Database& database, std::int32_t application_id,
               const std::vector<const char*>& steps);

// The schema that the file has; 0: it is new.
Result<std::int64_t> SchemaOf(Database& database);

// For a file that is only read: refused unless it has the newest schema.
Status CheckSchema(Database& database, const std::vector<const char*>& steps);

const std::vector<const char*>& TenantMigrations();
const std::vector<const char*>& AgentMigrations();

}  // namespace picket::storage

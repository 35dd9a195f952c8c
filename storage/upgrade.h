#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/result.h"
#include "storage/sqlite/database.h"

namespace picket::storage {

// Opens the file for writing and brings it to the newest schema (see Migrate). A file of an older
// schema is copied first, to UpgradeCopyOf; the copy goes when the upgrade is done. When it fails,
// the file is as it was, the copy stays, and the error names it.
Result<std::unique_ptr<Database>> OpenUpgraded(const std::filesystem::path& path,
                                               std::int32_t application_id,
                                               const std::vector<const char*>& steps);

// "….db.schema1"
std::filesystem::path UpgradeCopyOf(const std::filesystem::path& path, std::int64_t schema);

// A consistent copy, mode 0600, into a file that does not exist yet.
Status CopyDatabase(Database& database, const std::filesystem::path& to);

}  // namespace picket::storage

#include "storage/upgrade.h"

#include <fmt/format.h>

#include "storage/crash_points.h"
#include "storage/migrations.h"

namespace picket::storage {

namespace fs = std::filesystem;

namespace {

Status Remove(const fs::path& path) {
  std::error_code error;
  fs::remove(path, error);
  if (!error) return {};
  return Fail({.kind = ErrorKind::kStorage,
               .message = fmt::format("cannot delete {}: {}", path.string(), error.message())});
}

// Whole or not at all: a copy that a crash cut short has another name.
Status CopyBefore(Database& database, const fs::path& copy) {
  fs::path partial = copy;
  partial += ".partial";
  PK_RETURN_IF_ERROR(Remove(partial));
  if (Status copied = CopyDatabase(database, partial); !copied) {
    (void)Remove(partial);
    Error error = std::move(copied).error();
    error.message = fmt::format("cannot copy {} before its upgrade: {}", database.path().string(),
                                error.message);
    return Fail(std::move(error));
  }
  CrashPoint();
  std::error_code error;
  fs::rename(partial, copy, error);
  if (!error) return {};
  return Fail(
      {.kind = ErrorKind::kStorage,
       .message = fmt::format("cannot name the copy {}: {}", copy.string(), error.message())});
}

}  // namespace

fs::path UpgradeCopyOf(const fs::path& path, std::int64_t schema) {
  fs::path copy = path;
  copy += fmt::format(".schema{}", schema);
  return copy;
}

Status CopyDatabase(Database& database, const fs::path& to) {
  // SQLite would make the file with the mode of the umask; into an empty one it writes.
  PK_RETURN_IF_ERROR(CreatePrivateFile(to));
  PK_ASSIGN_OR_RETURN(Statement vacuum, database.PrepareOnce("VACUUM INTO ?"));
  const std::string name = to.string();
  return vacuum.Bind(1, std::string_view(name)).Run();
}

Result<std::unique_ptr<Database>> OpenUpgraded(const fs::path& path, std::int32_t application_id,
                                               const std::vector<const char*>& steps) {
  PK_ASSIGN_OR_RETURN(std::unique_ptr<Database> database,
                      Database::Open(path, {.application_id = application_id}));
  PK_ASSIGN_OR_RETURN(const std::int64_t found, SchemaOf(*database));
  const bool older = found > 0 && found < static_cast<std::int64_t>(steps.size());
  const fs::path copy = UpgradeCopyOf(path, found);
  if (older) PK_RETURN_IF_ERROR(CopyBefore(*database, copy));
  if (Status migrated = Migrate(*database, application_id, steps); !migrated) {
    Error error = std::move(migrated).error();
    if (!older) return Fail(std::move(error));
    error.message = fmt::format("{} could not be upgraded: {}", path.string(), error.message);
    error.hint =
        fmt::format("The file is as it was. A copy of it is {}. {}", copy.string(), error.hint);
    return Fail(std::move(error));
  }
  CrashPoint();
  // Also what a crash between the upgrade and this line left behind.
  for (std::int64_t schema = 1; schema < static_cast<std::int64_t>(steps.size()); ++schema) {
    PK_RETURN_IF_ERROR(Remove(UpgradeCopyOf(path, schema)));
  }
  return database;
}

}  // namespace picket::storage

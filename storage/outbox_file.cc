#include "storage/outbox_file.h"

#include "storage/migrations.h"
#include "storage/tenant_store.h"

namespace picket::storage {
namespace {

namespace fs = std::filesystem;

Result<std::unique_ptr<Database>> OpenExisting(const fs::path& path, std::int32_t application_id,
                                               const std::vector<const char*>& steps) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    return Fail({.kind = ErrorKind::kNotFound, .message = "there is no " + path.string()});
  }
  PK_ASSIGN_OR_RETURN(std::unique_ptr<Database> database,
                      Database::Open(path, {.create = false, .application_id = application_id}));
  PK_RETURN_IF_ERROR(CheckSchema(*database, steps));
  return database;
}

}  // namespace

Result<std::unique_ptr<OutboxFile>> OutboxFile::OpenTenant(const fs::path& data_dir,
                                                           const Guid& tenant) {
  const fs::path path = TenantStore::PathOf(data_dir, tenant);
  PK_ASSIGN_OR_RETURN(std::unique_ptr<Database> database,
                      OpenExisting(path, kTenantApplicationId, TenantMigrations()));
  {
    PK_ASSIGN_OR_RETURN(Statement select, database->Prepare("SELECT guid FROM tenant"));
    PK_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row || select.Text(0) != ToString(tenant)) {
      return Fail({.kind = ErrorKind::kStorage,
                   .message = path.string() + " holds the events of another tenant",
                   .hint = "The file was renamed or copied. Put it back under its own name."});
    }
  }
  return std::unique_ptr<OutboxFile>(new OutboxFile(std::move(database)));
}

Result<std::unique_ptr<OutboxFile>> OutboxFile::OpenAgent(const fs::path& data_dir) {
  PK_ASSIGN_OR_RETURN(std::unique_ptr<Database> database,
                      OpenExisting(data_dir / "agent.db", kAgentApplicationId, AgentMigrations()));
  return std::unique_ptr<OutboxFile>(new OutboxFile(std::move(database)));
}

}  // namespace picket::storage

#include "storage/tenant_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/files.h"
#include "storage/migrations.h"
#include "storage/upgrade.h"

namespace picket::storage {

namespace fs = std::filesystem;

namespace {

// The last re-reading of a window is after 48 h.
constexpr Timespan kSettled = kDay * 7;

// SQLite's name for a database that no file holds.
constexpr const char* kInMemory = ":memory:";

Result<std::unique_ptr<Database>> OpenDatabase(const fs::path& path, bool read_only) {
  if (read_only) {
    return Database::Open(
        path, {.create = false, .read_only = true, .application_id = kTenantApplicationId});
  }
  if (path != kInMemory) return OpenUpgraded(path, kTenantApplicationId, TenantMigrations());
  PK_ASSIGN_OR_RETURN(std::unique_ptr<Database> database,
                      Database::Open(path, {.application_id = kTenantApplicationId}));
  PK_RETURN_IF_ERROR(Migrate(*database, kTenantApplicationId, TenantMigrations()));
  return database;
}

}  // namespace

TenantStore::TenantStore(std::unique_ptr<Database> database, const Guid& tenant,
                         std::vector<StreamSchema> schemas, const TenantStoreOptions& options)
    : database_(std::move(database)),
      tenant_(tenant),
      options_(options),
      events_(*database_, std::move(schemas)),
      ledger_(*database_),
      alerts_(*database_),
      ticks_(*database_),
      outbox_(*database_),
      publications_(*database_),
      decisions_(*database_),
      streams_(*database_) {}

fs::path TenantStore::PathOf(const fs::path& data_dir, const Guid& tenant) {
  return data_dir / "tenants" / (ToString(tenant) + ".db");
}

Result<std::unique_ptr<TenantStore>> TenantStore::Open(const fs::path& data_dir, const Guid& tenant,
                                                       std::vector<StreamSchema> schemas,
                                                       const EventStore::ValuesOf& values_of,
                                                       const TenantStoreOptions& options) {
  const bool in_memory = data_dir == kInMemory;
  const fs::path path = in_memory ? data_dir : PathOf(data_dir, tenant);
  if (options.read_only) {
    std::error_code error;
    const bool exists = fs::exists(path, error);
    if (error) {  // it may be there: not the same as nothing read
      return Fail({.kind = ErrorKind::kStorage,
                   .message = "cannot look at " + path.string() + ": " + error.message(),
                   .hint = "Run Picket as the owner of its data folder."});
    }
    if (!exists) {
      return Fail({.kind = ErrorKind::kNotFound,
                   .message = "nothing was read of this tenant yet",
                   .hint = "Run 'picket once' first."});
    }
  } else if (!in_memory) {
    PK_RETURN_IF_ERROR(EnsurePrivateDirectory(path.parent_path()));
  }
  PK_ASSIGN_OR_RETURN(std::unique_ptr<Database> database, OpenDatabase(path, options.read_only));
  if (options.read_only) PK_RETURN_IF_ERROR(CheckSchema(*database, TenantMigrations()));
  std::unique_ptr<TenantStore> store(
      new TenantStore(std::move(database), tenant, std::move(schemas), options));
  PK_RETURN_IF_ERROR(store->CheckOwner(options.read_only));
  PK_RETURN_IF_ERROR(options.read_only ? store->events_.CheckMapping()
                                       : store->events_.Prepare(values_of));
  return store;
}

Result<std::vector<fs::path>> TenantStore::Purge(const fs::path& data_dir, const Guid& tenant) {
  // Whatever begins with its name: the file, SQLite's own beside it, copies from upgrades.
  const fs::path file = PathOf(data_dir, tenant);
  std::vector<fs::path> deleted;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(file.parent_path(), error)) {
    if (entry.path().filename().string().rfind(file.filename().string(), 0) != 0) continue;
    std::error_code failed;
    fs::remove(entry.path(), failed);
    if (failed) {
      return Fail({.kind = ErrorKind::kStorage,
                   .message = fmt::format("cannot delete {}: {}", entry.path().string(),
                                          failed.message())});
    }
    deleted.push_back(entry.path());
  }
  std::sort(deleted.begin(), deleted.end());
  return deleted;
}

Status TenantStore::CheckOwner(bool read_only) {
  std::string inside;
  {
    PK_ASSIGN_OR_RETURN(Statement select, database_->Prepare("SELECT guid FROM tenant"));
    PK_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (row) inside = select.Text(0);
  }
  if (inside.empty() && !read_only) {
    PK_ASSIGN_OR_RETURN(Statement insert, database_->Prepare("INSERT INTO tenant(guid) VALUES(?)"));
    return insert.Bind(1, ToString(tenant_)).Run();
  }
  if (inside != ToString(tenant_)) {
    return Fail({.kind = ErrorKind::kStorage,
                 .message = fmt::format("{} holds the events of another tenant",
                                        database_->path().string()),
                 .hint = "The file was renamed or copied. Put it back under its own name."});
  }
  return {};
}

Result<std::int64_t> TenantStore::Bytes() {
  PK_ASSIGN_OR_RETURN(const std::int64_t pages, database_->QueryInt("PRAGMA page_count"));
  PK_ASSIGN_OR_RETURN(const std::int64_t size, database_->QueryInt("PRAGMA page_size"));
  PK_ASSIGN_OR_RETURN(const std::int64_t free, database_->QueryInt("PRAGMA freelist_count"));
  return (pages - free) * size;
}

Status TenantStore::CheckRoom() {
  if (options_.max_bytes > 0) {
    PK_ASSIGN_OR_RETURN(const std::int64_t bytes, Bytes());
    if (bytes >= options_.max_bytes) {
      return Fail({.kind = ErrorKind::kLimit,
                   .message = fmt::format("the tenant's events fill their limit of {} MB",
                                          options_.max_bytes / 1'000'000),
                   .hint = "Raise [retention] max_size, or keep fewer days."});
    }
  }
  if (options_.min_free > 0) {
    PK_ASSIGN_OR_RETURN(const std::uint64_t free, FreeBytes(database_->path().parent_path()));
    if (free < options_.min_free) {
      return Fail({.kind = ErrorKind::kLimit,
                   .message = fmt::format("only {} MB are free on the volume of {}",
                                          free / 1'000'000, database_->path().string()),
                   .hint = "Free some space; reading goes on by itself."});
    }
  }
  return {};
}

Result<PageCounts> TenantStore::StorePage(const std::string& stream, std::int64_t window,
                                          const std::vector<Record>& records, std::int64_t rejected,
                                          const WriteRules& rules) {
  PK_RETURN_IF_ERROR(CheckRoom());
  PK_ASSIGN_OR_RETURN(Transaction transaction, Begin());
  PK_ASSIGN_OR_RETURN(PageCounts counts, events_.Write(stream, records, rules));
  counts.read += rejected;
  counts.rejected += rejected;
  PK_RETURN_IF_ERROR(ledger_.NotePage(window, counts));
  PK_RETURN_IF_ERROR(transaction.Commit());
  return counts;
}

Result<std::int64_t> TenantStore::Expire(Instant oldest, Instant now) {
  PK_ASSIGN_OR_RETURN(const std::int64_t deleted, events_.Expire(oldest, now));
  PK_ASSIGN_OR_RETURN(Transaction transaction, Begin());
  PK_RETURN_IF_ERROR(ledger_.Expire(oldest));
  PK_RETURN_IF_ERROR(ledger_.Join(now - kSettled));
  PK_RETURN_IF_ERROR(ticks_.Expire(oldest, now));
  PK_RETURN_IF_ERROR(outbox_.Expire(oldest));
  PK_RETURN_IF_ERROR(transaction.Commit());
  return deleted;
}

void TenantStore::Rest() {
  events_.Forget();
  database_->ReleaseMemory();
}

Status TenantStore::Backup(const fs::path& to) { return CopyDatabase(*database_, to); }

Status TenantStore::Check() {
  PK_ASSIGN_OR_RETURN(Statement check, database_->Prepare("PRAGMA integrity_check(1)"));
  PK_ASSIGN_OR_RETURN(const bool row, check.Step());
  if (row && check.Text(0) == "ok") return {};
  return Fail({.kind = ErrorKind::kStorage,
               .message = fmt::format("{}: {}", database_->path().string(),
                                      row ? check.Text(0) : "no answer"),
               .hint = "Move the file aside; Picket then reads again what Graph still has."});
}

}  // namespace picket::storage

#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "storage/alert_store.h"
#include "storage/decisions.h"
#include "storage/event_store.h"
#include "storage/ledger.h"
#include "storage/outbox.h"
#include "storage/publications.h"
#include "storage/record.h"
#include "storage/sqlite/database.h"
#include "storage/stream_state.h"
#include "storage/tick_store.h"

namespace picket::storage {

struct TenantStoreOptions {
  bool read_only = false;      // for `query`, `status`: nothing is created or migrated
  std::int64_t max_bytes = 0;  // of the file's used pages; 0: no limit
  std::uint64_t min_free = 0;  // of the volume; 0: no limit
};

// Everything of one tenant: DATA_DIR/tenants/GUID.db. One thread at a time.
class TenantStore {
 public:
  // Creates and upgrades the file as needed (storage/upgrade.h), and checks its GUID. read_only:
  // kNotFound when there is none, kRefused of another version. A data_dir ":memory:" has no file.
  static Result<std::unique_ptr<TenantStore>> Open(const std::filesystem::path& data_dir,
                                                   const Guid& tenant,
                                                   std::vector<StreamSchema> schemas,
                                                   const EventStore::ValuesOf& values_of,
                                                   const TenantStoreOptions& options);

  static std::filesystem::path PathOf(const std::filesystem::path& data_dir, const Guid& tenant);
  // Deletes all files of a tenant, whose store must not be open; returns what was deleted.
  static Result<std::vector<std::filesystem::path>> Purge(const std::filesystem::path& data_dir,
                                                          const Guid& tenant);

  EventStore& events() { return events_; }
  Ledger& ledger() { return ledger_; }
  AlertStore& alerts() { return alerts_; }
  TickStore& ticks() { return ticks_; }
  Outbox& outbox() { return outbox_; }
  Publications& publications() { return publications_; }
  Decisions& decisions() { return decisions_; }
  StreamStates& streams() { return streams_; }

  [[nodiscard]] Result<Transaction> Begin() { return Transaction::Begin(*database_); }
  [[nodiscard]] Result<Snapshot> Read() { return Snapshot::Begin(*database_); }

  // A page's rows and the ledger's entry for it, in one transaction. `rejected` records of the page
  // could not be decoded; they are counted. kLimit, and nothing is stored, when the file has
  // reached its size or the volume its least free space. kInternal when there is no such window.
  [[nodiscard]] Result<PageCounts> StorePage(const std::string& stream, std::int64_t window,
                                             const std::vector<Record>& records,
                                             std::int64_t rejected, const WriteRules& rules);
  // Of the file, without its free pages.
  [[nodiscard]] Result<std::int64_t> Bytes();
  // Deletes what is older, in small transactions: events, versions, frames, windows; joins windows
  // that ended a week before now. Returns how many events. Findings, alerts and their evidence
  // stay.
  [[nodiscard]] Result<std::int64_t> Expire(Instant oldest, Instant now);
  // Gives back memory at the end of the tenant's turn; all stays usable.
  void Rest();
  // A consistent copy, mode 0600, into a file that does not exist yet.
  [[nodiscard]] Status Backup(const std::filesystem::path& to);
  // Integrity as SQLite checks it; the finding as an error.
  [[nodiscard]] Status Check();
  [[nodiscard]] const Guid& tenant() const { return tenant_; }

 private:
  TenantStore(std::unique_ptr<Database> database, const Guid& tenant,
              std::vector<StreamSchema> schemas, const TenantStoreOptions& options);
  [[nodiscard]] Status CheckOwner(bool read_only);
  [[nodiscard]] Status CheckRoom();

  const std::unique_ptr<Database> database_;
  const Guid tenant_;
  const TenantStoreOptions options_;
  EventStore events_;
  Ledger ledger_;
  AlertStore alerts_;
  TickStore ticks_;
  Outbox outbox_;
  Publications publications_;
  Decisions decisions_;
  StreamStates streams_;
};

}  // namespace picket::storage

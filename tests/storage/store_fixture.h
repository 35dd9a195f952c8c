#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "storage/tenant_store.h"
#include "tests/scratch_directory.h"

namespace picket::storage {

// A folder of its own, gone with the test.
inline constexpr const char* kStream = "things";

// A made-up stream. Its JSON is flat: id, created and updated (ticks), and the typed columns name
// (text), place (text), count (int), score (real), when (ticks), flag (bool). "noise" is volatile.
StreamSchema ThingSchema(int mapping_version = 1);
// The same with one column more, `color`.
StreamSchema ColorfulSchema();

// Reads such JSON as a mapping would. kUnexpectedReply when it has no id or created.
Result<OwnedRecord> ReadThing(const StreamSchema& schema, const std::string& json, int rank);
EventStore::ValuesOf ValuesFor(const StreamSchema& schema);
// A member of the upper one that is null or "hidden" or absent keeps the lower one's value.
Merger MergerFor(const StreamSchema& schema);

struct Thing {
  std::string id;
  std::int64_t created = 1000;
  std::optional<std::int64_t> updated{};
  std::string more{};  // further members, as JSON: "\"name\":\"x\""
  int rank = 2;
  [[nodiscard]] std::string Json() const;
};

// A page of things that owns its bytes.
class Page {
 public:
  explicit Page(const std::vector<Thing>& things, const StreamSchema& schema = ThingSchema());
  [[nodiscard]] const std::vector<Record>& records() const { return records_; }

 private:
  std::vector<OwnedRecord> owned_;
  std::vector<Record> records_;
};

// A reading with a copy of its JSON.
struct Version {
  std::int64_t key = 0, seq = 0;
  Instant created;
  std::string json;
};
std::vector<Version> VersionsOf(TenantStore& store, std::int64_t after_seq);

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() { Reopen(); }
  void Reopen(const TenantStoreOptions& options = {});
  // One window for all pages of a test.
  std::int64_t OpenWindow();
  PageCounts Put(const std::vector<Thing>& things, const WriteRules& rules = {});
  Result<PageCounts> TryPut(const std::vector<Thing>& things, WriteRules rules = {});
  // The JSON of each event in order of (created, id).
  std::vector<std::string> Jsons();
  [[nodiscard]] std::int64_t Seq() { return store->events().LastSeq().value(); }
  std::filesystem::path File() { return TenantStore::PathOf(folder.path(), tenant); }

  ScratchDirectory folder;
  const Guid tenant = Uuid5(kPicketNamespace, "storage test");
  std::unique_ptr<TenantStore> store;

 private:
  Merger merger_ = MergerFor(ThingSchema());
  std::int64_t window_ = 0;
};

}  // namespace picket::storage

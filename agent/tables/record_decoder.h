#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/tables/mapping.h"
#include "agent/tables/record_walk.h"
#include "base/result.h"
#include "base/uuid.h"
#include "storage/event_store.h"
#include "storage/record.h"

namespace picket::tables {

// How rich a source's readings are: a poorer one never replaces a richer one.
enum class Rank : int { kImport = 0, kV1 = 1, kBeta = 2 };

// A record that could not be kept, and why. `index` counts from 0 in its page.
struct RejectedRecord {
  std::size_t index = 0;
  std::string reason;
};

// A page's records, decoded. The views in `records` live as long as this, wherever it is moved.
struct DecodedPage {
  std::vector<storage::Record> records;
  std::vector<RejectedRecord> rejected;
  std::shared_ptr<const std::string> body;  // what the views point to: the page …
  std::deque<std::string> texts;            // … and what had to be made of it
};

// Turns the records of one stream into what the store keeps. Stateless but for the mapping;
// thread-safe.
class RecordDecoder {
 public:
  // The stream must be one of the mapping's. `tenant` fills the columns that name it.
  RecordDecoder(std::string_view stream, const Guid& tenant);

  // `records`: the JSON array of a page's `value`, or one object (GET …/{id}). A record without
  // id or time, too large (1 MiB), too deep (64), broken or not UTF-8 is rejected alone;
  // kUnexpectedReply when the array itself breaks off.
  [[nodiscard]] Result<DecodedPage> Decode(std::string_view records, Rank rank) const;

  // One record that owns its bytes. kUnexpectedReply with the reason when it can't be kept.
  [[nodiscard]] Result<storage::OwnedRecord> DecodeOwned(std::string_view json, Rank rank) const;

  // The store's merger. Members that are absent, null, empty or `hidden` in the new reading keep
  // the known value. An exported row gives way to its source's own record, which takes from it what
  // it hides itself; of two rows the newer stays.
  [[nodiscard]] Result<storage::OwnedRecord> Merge(std::string_view stored,
                                                   const storage::Record& read) const;

  [[nodiscard]] const TableMapping& table() const { return table_; }

 private:
  [[nodiscard]] Result<storage::OwnedRecord> MergeRows(std::string_view stored,
                                                       const storage::Record& read) const;
  [[nodiscard]] std::string OverRow(std::string_view stored, std::string_view read) const;

  const TableMapping& table_;
  const Guid tenant_;
};

// For storage::TenantStore::Open: makes the typed columns of kept records again, after the mapping
// changed.
storage::EventStore::ValuesOf ValuesOf(const Guid& tenant);

// Members in order of their names at every level, no insignificant space. "" when it is no JSON.
std::string CanonicalJson(std::string_view json);

}  // namespace picket::tables

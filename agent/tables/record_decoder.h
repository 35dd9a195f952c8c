#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "agent/tables/mapping.h"
#include "base/result.h"
#include "base/uuid.h"
#include "storage/record.h"

namespace picket::tables {

// How rich a source's readings are: a poorer one never replaces a richer one.
enum class Rank : int { kImport = 0, kV1 = 1, kBeta = 2 };

// A record that could not be kept, and why. `index` counts from 0 in its page.
struct RejectedRecord {
  std::size_t index = 0;
  std::string reason;
};

// A page's records, decoded. The views in `records` live as long as this and the page's body.
struct DecodedPage {
  std::vector<storage::Record> records;
  std::vector<RejectedRecord> rejected;
  std::deque<std::string> texts;  // what the views point to, beside the body
};

inline constexpr std::size_t kMaxRecordBytes = std::size_t{1} << 20;

// Turns Graph records of one stream into what the store keeps. Stateless but for the mapping;
// thread-safe.
class RecordDecoder {
 public:
  // The stream must be one of the mapping's. `tenant` fills the columns that name it.
  RecordDecoder(std::string_view stream, const Guid& tenant);

  // `records`: the JSON array of a page's `value`, or one object (GET …/{id}). A record without
  // id or time, too large, too deep or not UTF-8 is rejected alone; kUnexpectedReply when the
  // array itself is broken.
  [[nodiscard]] Result<DecodedPage> Decode(std::string_view records, Rank rank) const;

  // One record; the result's views point into `json` and `texts`.
  [[nodiscard]] Result<storage::Record> DecodeOne(std::string_view json, Rank rank,
                                                  std::deque<std::string>& texts) const;
  // The same, owning its bytes.
  [[nodiscard]] Result<storage::OwnedRecord> DecodeOwned(std::string json, Rank rank) const;

  // The store's merger: members that are `hidden`, absent or null in the new reading keep the
  // known value; an imported row gives way to Graph's.
  [[nodiscard]] Result<storage::OwnedRecord> Merge(std::string_view stored,
                                                   const storage::Record& read) const;

  [[nodiscard]] const TableMapping& table() const { return table_; }

 private:
  const TableMapping& table_;
  const Guid tenant_;
};

}  // namespace picket::tables

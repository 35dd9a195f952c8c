#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/frame.h"
#include "storage/record.h"
#include "storage/sqlite/database.h"
#include "storage/words.h"

namespace picket::storage {

struct WriteRules;

// What the store knows of an event.
struct StoredEvent {
  std::int64_t key = 0;
  Instant created;
  std::int64_t seq = 0;
  std::int64_t frame = 0;
  std::int64_t place = 0;
  std::uint64_t hash = 0;
  int rank = 0;
  std::optional<Instant> updated;
};

Result<std::optional<StoredEvent>> FindEvent(Statement& find, std::string_view id);
// The statement for FindEvent.
std::string FindEventSql(const StreamSchema& schema);

// Binds an event's typed columns; what is bound stays valid until the next event's.
class ColumnBinder {
 public:
  ColumnBinder(Words& words, const StreamSchema& schema);
  // The first column's parameter is `index`.
  Status Bind(Statement& statement, int index, const std::vector<SqlValue>& values);

 private:
  Words& words_;
  std::vector<Words::Usage*> usages_;
  std::vector<StoredText> texts_;
};

// Takes in one page of one stream, within the caller's transaction. Rows that have to be written
// are gathered to frames first, so that a frame is written once and whole. The statements are
// prepared once a page. Internal to the store.
class PageWriter {
 public:
  PageWriter(Database& database, FrameReader& frames, Words& words, const StreamSchema& schema,
             const WriteRules& rules)
      : database_(database),
        frames_(frames),
        columns_(words, schema),
        schema_(schema),
        rules_(rules) {}

  Result<PageCounts> Write(const std::vector<Record>& records);

 private:
  // A record of the page, or what a reading and the stored event came to together.
  struct Merged {
    OwnedRecord bytes;
    Record record;
  };
  struct Pending {
    const Record* record;
    std::optional<StoredEvent> stored;
    std::unique_ptr<const Merged> merged;
  };
  // At most 2^20 minutes late: two years.
  static constexpr std::size_t kBuckets = 21;

  Status Begin();
  Status Take(const Record& record);
  Result<bool> IsCited(const Record& record);
  Status Hold(std::int64_t key, const Record& record, std::int64_t frame);
  Status Compare(const Record& record, const StoredEvent& stored);
  Status Add(Pending pending);
  Status Flush();
  Status WriteFrame(std::int64_t id);
  Status Insert(const Record& record, std::int64_t frame, std::int64_t place, std::int64_t seq);
  Status Update(const Record& record, const StoredEvent& stored, std::int64_t frame,
                std::int64_t place, std::int64_t seq);
  Status KeepVersion(const StoredEvent& stored);
  void NoteLateness(const Record& record);
  Status Finish();

  Database& database_;
  FrameReader& frames_;
  ColumnBinder columns_;
  const StreamSchema& schema_;
  const WriteRules& rules_;
  PageCounts counts_;
  bool repeats_ = false;  // the page may have an id twice
  std::vector<Pending> pending_;
  FramePacker packer_;
  std::size_t pending_bytes_ = 0;
  std::int64_t first_seq_ = 0;
  std::int64_t last_seq_ = 0;  // given so far
  std::array<std::int64_t, kBuckets> lateness_{};
  std::optional<Statement> find_, insert_, update_, keep_;
};

}  // namespace picket::storage

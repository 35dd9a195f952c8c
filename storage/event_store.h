#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "storage/frame.h"
#include "storage/record.h"
#include "storage/sqlite/database.h"
#include "storage/words.h"

namespace picket::storage {

// How a reading is to be taken in.
struct WriteRules {
  Instant now;          // arrival time
  Instant oldest;       // older events are refused (retention)
  Instant read_before;  // new events older than this are late; zero: nothing is known of that
  const Merger* merger = nullptr;
};

// A condition on a typed column that a scan may use to skip rows: for a text only equality, for
// other types also ranges, with a value of the column's own type. NULL never meets one.
struct ColumnCondition {
  enum class Operator : std::uint8_t { kEqual, kLess, kLessEqual, kGreater, kGreaterEqual };
  std::size_t column = 0;
  Operator op = Operator::kEqual;
  OwnedValue value;
};

struct ScanSpec {
  std::optional<Instant> from;   // inclusive
  std::optional<Instant> until;  // inclusive
  std::int64_t after_seq = 0;
  std::int64_t until_seq = INT64_MAX;
  std::vector<ColumnCondition> conditions;
  std::vector<std::size_t> columns;  // indexes into the schema, in the order wanted
};

// A running scan. Rows come in (created, id) order. One thread; the store must outlive it.
class EventScan {
 public:
  // False: done.
  [[nodiscard]] Result<bool> Next() {
    if (error_) return Fail(*std::exchange(error_, std::nullopt));
    return statement_.Step();
  }
  [[nodiscard]] std::int64_t key() const { return statement_.Int(0); }
  [[nodiscard]] Instant created() const { return Instant{statement_.Int(1)}; }
  [[nodiscard]] std::int64_t seq() const { return statement_.Int(2); }
  // How rich the source of the reading was (Record::rank).
  [[nodiscard]] int rank() const { return static_cast<int>(statement_.Int(5)); }
  // Decompresses the frame if it is not at hand. Valid until the next row.
  [[nodiscard]] Result<std::string_view> Json() {
    return frames_->Record(statement_.Int(3), statement_.Int(4));
  }
  // By position in ScanSpec::columns.
  [[nodiscard]] bool IsNull(std::size_t i) const { return statement_.IsNull(Column(i)); }
  [[nodiscard]] std::int64_t Int(std::size_t i) const { return statement_.Int(Column(i)); }
  [[nodiscard]] double Real(std::size_t i) const { return statement_.Real(Column(i)); }
  // Valid until the next row. A text that cannot be read is '' here and an error of Next.
  [[nodiscard]] std::string_view Text(std::size_t i) const;
  // The same in parts, for those who see a text again by its word: `word` is not 0, and WordText
  // gives its text, which lives as long as words(); else `text` is as of Text.
  struct TextCell {
    bool null = false;
    std::int64_t word = 0;
    std::string_view text;
  };
  [[nodiscard]] TextCell Cell(std::size_t i) const;
  [[nodiscard]] std::string_view WordText(std::int64_t word) const;
  [[nodiscard]] std::shared_ptr<const void> words() const { return words_; }

 private:
  friend class EventStore;
  static int Column(std::size_t i) { return static_cast<int>(i) + 6; }
  EventScan(Statement statement, Database& database, FrameReader& frames,
            std::shared_ptr<WordCache> words, std::size_t columns)
      : statement_(std::move(statement)),
        database_(&database),
        frames_(&frames),
        words_(std::move(words)),
        guids_(columns) {}

  Statement statement_;
  Database* database_;
  FrameReader* frames_;
  std::shared_ptr<WordCache> words_;
  mutable std::vector<std::array<char, kGuidText>> guids_;  // as text, by column
  mutable std::optional<Error> error_;
};

// Where a reading's JSON lies.
struct ReadingPlace {
  std::int64_t frame = 0;
  std::int64_t place = 0;
};

// The readings, earlier and present, of a stream's events. By seq: in the order in which they came.
// One thread; the store must outlive it.
class VersionScan {
 public:
  // False: done.
  [[nodiscard]] Result<bool> Next() { return statement_.Step(); }
  [[nodiscard]] std::int64_t key() const { return statement_.Int(0); }  // of the event
  [[nodiscard]] std::int64_t seq() const { return statement_.Int(1); }
  [[nodiscard]] Instant created() const { return Instant{statement_.Int(2)}; }
  [[nodiscard]] ReadingPlace place() const { return {statement_.Int(3), statement_.Int(4)}; }
  // Decompresses the frame if it is not at hand. Valid until the next row.
  [[nodiscard]] Result<std::string_view> Json() {
    return frames_->Record(statement_.Int(3), statement_.Int(4));
  }

 private:
  friend class EventStore;
  VersionScan(Statement statement, FrameReader& frames)
      : statement_(std::move(statement)), frames_(&frames) {}
  Statement statement_;
  FrameReader* frames_;
};

// The events of one tenant. One thread at a time; writes happen in the caller's transaction.
class EventStore {
 public:
  EventStore(Database& database, std::vector<StreamSchema> schemas);

  // Makes the tables that are missing. A table of another mapping is rebuilt with `values_of`: its
  // typed columns from each event's JSON, in one transaction. An event that the new mapping does
  // not take keeps empty columns, and is logged.
  using ValuesOf =
      std::function<Result<OwnedRecord>(std::string_view stream, std::string_view json)>;
  [[nodiscard]] Status Prepare(const ValuesOf& values_of);
  // For a file that is only read: kRefused when its tables are not those of the mapping.
  [[nodiscard]] Status CheckMapping();

  // One page, within the caller's transaction. Reading rules: see PageWriter. The merger is needed
  // where an event may be stored already.
  [[nodiscard]] Result<PageCounts> Write(const std::string& stream,
                                         const std::vector<Record>& records,
                                         const WriteRules& rules);

  [[nodiscard]] Result<EventScan> Scan(const std::string& stream, const ScanSpec& spec);
  // Every kept reading with a seq in (after_seq, until_seq].
  [[nodiscard]] Result<VersionScan> Versions(const std::string& stream, std::int64_t after_seq,
                                             std::int64_t until_seq);
  // Of the events that changed in (after_seq, until_seq], the reading that each showed at
  // after_seq, if it was there then. In no order.
  [[nodiscard]] Result<VersionScan> ReadingsBefore(const std::string& stream,
                                                   std::int64_t after_seq, std::int64_t until_seq);
  // The JSON of a reading that a VersionScan gave. Valid until the store is asked for another one.
  [[nodiscard]] Result<std::string_view> JsonAt(const ReadingPlace& at) {
    return frames_.Record(at.frame, at.place);
  }
  [[nodiscard]] Result<std::int64_t> Count(const std::string& stream);
  // How many Expire took of the stream, ever.
  [[nodiscard]] Result<std::int64_t> Deleted(const std::string& stream);
  [[nodiscard]] Result<bool> Contains(const std::string& stream, std::string_view id);
  // The id of an event by its key; kNotFound.
  [[nodiscard]] Result<std::string> IdOf(const std::string& stream, std::int64_t key);
  // The ids of a stream's events, in order; for proofs and tests.
  [[nodiscard]] Result<std::vector<std::string>> Ids(const std::string& stream);
  [[nodiscard]] Result<std::int64_t> LastSeq();
  // Deletes events, versions and frames older than the time, in small transactions of its own.
  // Returns how many events. An event that came when it was older already, because an alert cites
  // it, stays for a day: the rules must see it.
  [[nodiscard]] Result<std::int64_t> Expire(Instant oldest, Instant now);

  [[nodiscard]] const StreamSchema* Schema(std::string_view stream) const;
  // Gives back the memory of what was read.
  void Forget();

 private:
  enum class Fit : std::uint8_t { kMissing, kOther, kSame };
  [[nodiscard]] Result<Fit> FitOf(const StreamSchema& schema);
  [[nodiscard]] Status Make(const StreamSchema& schema);
  [[nodiscard]] Status Rebuild(const StreamSchema& schema, const ValuesOf& values_of);
  [[nodiscard]] Status CopyRows(const StreamSchema& schema, const ValuesOf& values_of);
  [[nodiscard]] const StreamSchema& Known(std::string_view stream) const;

  Database& database_;
  const std::vector<StreamSchema> schemas_;
  FrameReader frames_;
  Words words_;
};

}  // namespace picket::storage

#include "storage/page_writer.h"

#include <algorithm>
#include <bit>

#include "storage/event_sql.h"
#include "storage/event_store.h"

namespace picket::storage {
namespace {

void BindTime(Statement& statement, int index, const std::optional<Instant>& time) {
  if (time) {
    statement.Bind(index, time->ticks);
  } else {
    statement.BindNull(index);
  }
}

// Tells fast that no id is there twice.
bool MayRepeat(const std::vector<Record>& records) {
  std::vector<std::size_t> hashes;
  hashes.reserve(records.size());
  for (const Record& record : records) hashes.push_back(std::hash<std::string_view>{}(record.id));
  std::sort(hashes.begin(), hashes.end());
  return std::adjacent_find(hashes.begin(), hashes.end()) != hashes.end();
}

}  // namespace

std::string FindEventSql(const StreamSchema& schema) {
  return "SELECT key, created, seq, frame, place, hash, rank, updated FROM " +
         TableName(schema.stream) + " WHERE id=?";
}

Result<std::optional<StoredEvent>> FindEvent(Statement& find, std::string_view id) {
  const StoredId stored_id(id);
  stored_id.Bind(find, 1);
  PK_ASSIGN_OR_RETURN(const bool row, find.Step());
  std::optional<StoredEvent> stored;
  if (row) {
    stored = StoredEvent{.key = find.Int(0),
                         .created = Instant{find.Int(1)},
                         .seq = find.Int(2),
                         .frame = find.Int(3),
                         .place = find.Int(4),
                         .hash = std::bit_cast<std::uint64_t>(find.Int(5)),
                         .rank = static_cast<int>(find.Int(6)),
                         .updated = {}};
    if (!find.IsNull(7)) stored->updated = Instant{find.Int(7)};
  }
  find.Reset();
  return stored;
}

ColumnBinder::ColumnBinder(Words& words, const StreamSchema& schema)
    : words_(words), texts_(schema.columns.size()) {
  for (const TypedColumn& column : schema.columns) {
    usages_.push_back(&words.UsageOf(schema.stream + "/" + column.name));
  }
}

Status ColumnBinder::Bind(Statement& statement, int index, const std::vector<SqlValue>& values) {
  PK_CHECK(values.size() == texts_.size(), "a value for each typed column");
  for (std::size_t i = 0; i < values.size(); ++i) {
    const int parameter = index + static_cast<int>(i);
    if (const auto* text = std::get_if<std::string_view>(&values[i])) {
      PK_ASSIGN_OR_RETURN(texts_[i], words_.ForWriting(*usages_[i], *text));
      BindText(statement, parameter, texts_[i]);
    } else {
      BindNumber(statement, parameter, values[i]);
    }
  }
  return {};
}

Result<PageCounts> PageWriter::Write(const std::vector<Record>& records) {
  PK_RETURN_IF_ERROR(Begin());
  // Graph sends the newest first. Written oldest first, the time index grows at its end and its
  // pages are full.
  std::vector<const Record*> order;
  order.reserve(records.size());
  for (const Record& record : records) order.push_back(&record);
  std::stable_sort(order.begin(), order.end(),
                   [](const Record* a, const Record* b) { return a->created < b->created; });
  repeats_ = MayRepeat(records);
  for (const Record* record : order) PK_RETURN_IF_ERROR(Take(*record));
  PK_RETURN_IF_ERROR(Flush());
  PK_RETURN_IF_ERROR(Finish());
  return counts_;
}

Status PageWriter::Begin() {
  PK_ASSIGN_OR_RETURN(Statement find, database_.Prepare(FindEventSql(schema_)));
  PK_ASSIGN_OR_RETURN(Statement insert, database_.Prepare(InsertSql(schema_)));
  find_.emplace(std::move(find));
  insert_.emplace(std::move(insert));
  PK_ASSIGN_OR_RETURN(last_seq_, database_.QueryInt("SELECT value FROM counter WHERE name='seq'"));
  first_seq_ = last_seq_;
  pending_.reserve(kRecordsPerFrame);
  return {};
}

Status PageWriter::Take(const Record& record) {
  ++counts_.read;
  if (record.created < rules_.oldest) {
    PK_ASSIGN_OR_RETURN(const bool cited, IsCited(record));
    if (!cited) {
      ++counts_.expired;
      return {};
    }
  }
  // The same id twice on one page: the first must be on disk before the second is compared.
  const bool twice =
      repeats_ && std::any_of(pending_.begin(), pending_.end(), [&](const Pending& pending) {
        return pending.record->id == record.id;
      });
  if (twice) PK_RETURN_IF_ERROR(Flush());
  PK_ASSIGN_OR_RETURN(const std::optional<StoredEvent> stored, FindEvent(*find_, record.id));
  if (stored) return Compare(record, *stored);
  ++counts_.added;
  NoteLateness(record);
  return Add({.record = &record, .stored = {}, .merged = nullptr});
}

// An update still reaches the alert that cites the event, however old that is.
Result<bool> PageWriter::IsCited(const Record& record) {
  PK_ASSIGN_OR_RETURN(Statement find,
                      database_.Prepare("SELECT 1 FROM finding WHERE stream=? AND event_id=? AND "
                                        "alert<>'' LIMIT 1"));
  return find.Bind(1, schema_.stream).Bind(2, record.id).Step();
}

// Retention would take it before the rules have seen it.
Status PageWriter::Hold(std::int64_t key, const Record& record, std::int64_t frame) {
  if (record.created >= rules_.oldest) return {};
  PK_ASSIGN_OR_RETURN(
      Statement hold,
      database_.Prepare("INSERT OR REPLACE INTO held(stream, event, frame, arrived) "
                        "VALUES(?,?,?,?)"));
  return hold.Bind(1, schema_.stream).Bind(2, key).Bind(3, frame).Bind(4, rules_.now.ticks).Run();
}

// A poorer reading (of a poorer source, or older) is laid below the stored one: it may tell what
// was unknown, and replaces nothing. Any other is laid above it.
Status PageWriter::Compare(const Record& record, const StoredEvent& stored) {
  if (record.hash == stored.hash) {
    ++counts_.same;
    return {};
  }
  PK_CHECK(rules_.merger != nullptr && *rules_.merger, "a page that changes events needs a merger");
  const bool poorer = record.rank < stored.rank ||
                      (record.updated && stored.updated && *record.updated < *stored.updated);
  PK_ASSIGN_OR_RETURN(const std::string_view json, frames_.Record(stored.frame, stored.place));
  Result<OwnedRecord> merged = poorer ? (*rules_.merger)(record.json, {.id = record.id,
                                                                       .created = stored.created,
                                                                       .updated = stored.updated,
                                                                       .json = json,
                                                                       .hash = stored.hash,
                                                                       .rank = stored.rank,
                                                                       .values = {}})
                                      : (*rules_.merger)(json, record);
  if (!merged) {  // together they are more than the decoder takes: the page is kept without it
    ++counts_.rejected;
    return {};
  }
  if (merged->hash == stored.hash) {
    ++counts_.poorer;
    return {};
  }
  ++counts_.changed;
  merged->rank = std::max(record.rank, stored.rank);
  auto kept = std::make_unique<Merged>(Merged{.bytes = *std::move(merged), .record = {}});
  kept->record = kept->bytes.View();
  kept->record.id = record.id;
  const Record& newest = kept->record;
  return Add({.record = &newest, .stored = stored, .merged = std::move(kept)});
}

Status PageWriter::Add(Pending pending) {
  pending_bytes_ += pending.record->json.size();
  pending_.push_back(std::move(pending));
  return pending_.size() == kRecordsPerFrame || pending_bytes_ >= kFrameBytes ? Flush() : Status();
}

// A frame and an event are known by the seq that they were first written with: unique for good,
// unlike a row id, which SQLite may give again after a deletion.
Status PageWriter::Flush() {
  if (pending_.empty()) return {};
  const std::int64_t frame = last_seq_ + 1;
  PK_RETURN_IF_ERROR(WriteFrame(frame));
  std::int64_t place = 0;
  for (const Pending& pending : pending_) {
    ++last_seq_;
    PK_RETURN_IF_ERROR(pending.stored
                           ? Update(*pending.record, *pending.stored, frame, place, last_seq_)
                           : Insert(*pending.record, frame, place, last_seq_));
    ++place;
  }
  pending_.clear();
  pending_bytes_ = 0;
  return {};
}

Status PageWriter::WriteFrame(std::int64_t id) {
  std::vector<std::string_view> records;
  records.reserve(pending_.size());
  Instant newest;
  for (const Pending& pending : pending_) {
    records.push_back(pending.record->json);
    newest = std::max(newest, pending.record->created);
  }
  const std::string_view packed = packer_.Pack(records);
  PK_ASSIGN_OR_RETURN(Statement insert,
                      database_.Prepare("INSERT INTO frame(id, newest, data) VALUES(?,?,?)"));
  return insert.Bind(1, id).Bind(2, newest.ticks).BindBlob(3, packed).Run();
}

Status PageWriter::Insert(const Record& record, std::int64_t frame, std::int64_t place,
                          std::int64_t seq) {
  Statement& insert = *insert_;
  const StoredId id(record.id);
  insert.Bind(1, seq);
  id.Bind(insert, 2);
  insert.Bind(3, record.created.ticks).Bind(4, rules_.now.ticks).Bind(5, seq);
  insert.Bind(6, frame).Bind(7, place).Bind(8, std::bit_cast<std::int64_t>(record.hash));
  insert.Bind(9, std::int64_t{record.rank});
  BindTime(insert, 10, record.updated);
  PK_RETURN_IF_ERROR(columns_.Bind(insert, 11, record.values));
  PK_RETURN_IF_ERROR(insert.Run());
  return Hold(seq, record, frame);
}

Status PageWriter::KeepVersion(const StoredEvent& stored) {
  if (!keep_) {
    PK_ASSIGN_OR_RETURN(
        Statement keep,
        database_.Prepare("INSERT INTO event_version(stream, key, seq, created, updated, frame, "
                          "place) VALUES(?,?,?,?,?,?,?)"));
    keep_.emplace(std::move(keep));
    keep_->Bind(1, schema_.stream);
  }
  keep_->Bind(2, stored.key).Bind(3, stored.seq).Bind(4, stored.created.ticks);
  BindTime(*keep_, 5, stored.updated);
  return keep_->Bind(6, stored.frame).Bind(7, stored.place).Run();
}

Status PageWriter::Update(const Record& record, const StoredEvent& stored, std::int64_t frame,
                          std::int64_t place, std::int64_t seq) {
  PK_RETURN_IF_ERROR(KeepVersion(stored));
  if (!update_) {
    PK_ASSIGN_OR_RETURN(Statement update, database_.Prepare(UpdateSql(schema_)));
    update_.emplace(std::move(update));
  }
  Statement& update = *update_;
  update.Bind(1, record.created.ticks).Bind(2, seq).Bind(3, frame).Bind(4, place);
  update.Bind(5, std::bit_cast<std::int64_t>(record.hash)).Bind(6, std::int64_t{record.rank});
  BindTime(update, 7, record.updated);
  PK_RETURN_IF_ERROR(columns_.Bind(update, 8, record.values));
  PK_RETURN_IF_ERROR(update.Bind(8 + static_cast<int>(record.values.size()), stored.key).Run());
  return Hold(stored.key, record, frame);
}

// Only where Picket was there in time: of a backfill nothing can be told. Bucket b holds rows that
// came up to 2^b minutes late; bucket 0 those that did not.
void PageWriter::NoteLateness(const Record& record) {
  if (rules_.read_before.ticks == 0) return;
  std::size_t bucket = 0;
  if (record.created < rules_.read_before) {
    ++counts_.late;
    const std::int64_t lag = std::max<std::int64_t>(0, (rules_.now - record.created).ticks);
    const auto minutes = static_cast<std::uint64_t>(lag / kMinute.ticks);
    bucket =
        std::clamp<std::size_t>(static_cast<std::size_t>(std::bit_width(minutes)), 1, kBuckets - 1);
  }
  ++lateness_.at(bucket);
}

Status PageWriter::Finish() {
  if (last_seq_ > first_seq_) {
    PK_ASSIGN_OR_RETURN(Statement counter,
                        database_.Prepare("UPDATE counter SET value=? WHERE name='seq'"));
    PK_RETURN_IF_ERROR(counter.Bind(1, last_seq_).Run());
  }
  if (counts_.added > 0) {
    PK_ASSIGN_OR_RETURN(Statement count,
                        database_.Prepare("UPDATE stream SET events=events+? WHERE name=?"));
    PK_RETURN_IF_ERROR(count.Bind(1, counts_.added).Bind(2, schema_.stream).Run());
  }
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    const std::int64_t rows = lateness_.at(bucket);
    if (rows == 0) continue;
    PK_ASSIGN_OR_RETURN(
        Statement add,
        database_.Prepare("INSERT INTO lateness(stream, bucket, rows) VALUES(?,?,?) ON CONFLICT "
                          "DO UPDATE SET rows=rows+excluded.rows"));
    add.Bind(1, schema_.stream).Bind(2, static_cast<std::int64_t>(bucket));
    PK_RETURN_IF_ERROR(add.Bind(3, rows).Run());
  }
  return {};
}

}  // namespace picket::storage

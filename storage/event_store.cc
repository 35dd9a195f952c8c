#include "storage/event_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "storage/event_sql.h"

namespace picket::storage {

// What the store knows of an event before it is written.
struct EventStore::Stored {
  std::int64_t key = 0;
  std::int64_t created = 0;
  std::int64_t seq = 0;
  std::int64_t frame = 0;
  std::int64_t place = 0;
  std::int64_t hash = 0;
  std::int64_t rank = 0;
  std::optional<std::int64_t> updated;
};

EventStore::EventStore(Database& database, std::vector<StreamSchema> schemas)
    : database_(database), schemas_(std::move(schemas)), frames_(database) {}

const StreamSchema* EventStore::Schema(std::string_view stream) const {
  for (const StreamSchema& schema : schemas_) {
    if (schema.stream == stream) return &schema;
  }
  return nullptr;
}

Status EventStore::Prepare(const ValuesOf& values_of) {
  for (const StreamSchema& schema : schemas_) {
    std::optional<std::pair<std::int64_t, std::string>> known;
    {
      PK_ASSIGN_OR_RETURN(
          Statement select,
          database_.Prepare("SELECT mapping_version, columns FROM stream WHERE name=?"));
      PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, schema.stream).Step());
      if (row) known.emplace(select.Int(0), std::string(select.Text(1)));
    }
    if (!known) {
      PK_RETURN_IF_ERROR(Make(schema));
    } else if (known->first != schema.mapping_version || known->second != ColumnList(schema)) {
      PK_RETURN_IF_ERROR(Rebuild(schema, values_of));
    }
  }
  return {};
}

Status EventStore::Make(const StreamSchema& schema) {
  PK_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(database_));
  PK_RETURN_IF_ERROR(database_.Execute(CreateTableSql(schema)));
  {
    PK_ASSIGN_OR_RETURN(
        Statement insert,
        database_.Prepare("INSERT INTO stream(name, mapping_version, columns) VALUES(?,?,?)"));
    const std::string columns = ColumnList(schema);
    insert.Bind(1, schema.stream).Bind(2, std::int64_t{schema.mapping_version}).Bind(3, columns);
    PK_RETURN_IF_ERROR(insert.Run());
  }
  return transaction.Commit();
}

// Typed columns are a cache of the JSON: made again from it, in one transaction.
Status EventStore::Rebuild(const StreamSchema& schema, const ValuesOf& values_of) {
  const std::string table = TableName(schema.stream);
  PK_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(database_));
  PK_RETURN_IF_ERROR(database_.Execute(fmt::format(
      "DROP INDEX {0}_id; DROP INDEX {0}_created; DROP INDEX {0}_seq; "
      "ALTER TABLE {0} RENAME TO {0}_old;",
      table)));
  PK_RETURN_IF_ERROR(database_.Execute(CreateTableSql(schema)));
  {
    PK_ASSIGN_OR_RETURN(Statement rows,
                        database_.Prepare(fmt::format(
                            "SELECT key, id, created, arrived, seq, frame, place, hash, rank, "
                            "updated FROM {}_old ORDER BY key",
                            table)));
    PK_ASSIGN_OR_RETURN(Statement update, database_.Prepare(UpdateSql(schema)));
    PK_ASSIGN_OR_RETURN(
        Statement copy,
        database_.Prepare(fmt::format(
            "INSERT INTO {0}(key, id, created, arrived, seq, frame, place, hash, rank, updated) "
            "SELECT key, id, created, arrived, seq, frame, place, hash, rank, updated FROM "
            "{0}_old WHERE key=?",
            table)));
    while (true) {
      PK_ASSIGN_OR_RETURN(const bool more, rows.Step());
      if (!more) break;
      PK_ASSIGN_OR_RETURN(const std::string_view json, frames_.Record(rows.Int(5), rows.Int(6)));
      PK_ASSIGN_OR_RETURN(const OwnedRecord record, values_of(schema.stream, json));
      copy.Bind(1, rows.Int(0));
      PK_RETURN_IF_ERROR(copy.Run());
      int index = 0;
      for (const int column : {2, 4, 5, 6}) update.Bind(++index, rows.Int(column));
      update.Bind(++index, std::bit_cast<std::int64_t>(record.hash));
      update.Bind(++index, rows.Int(8));
      if (rows.IsNull(9)) {
        update.BindNull(++index);
      } else {
        update.Bind(++index, rows.Int(9));
      }
      for (const OwnedValue& value : record.values) BindValue(update, ++index, value);
      update.Bind(++index, rows.Int(0));
      PK_RETURN_IF_ERROR(update.Run());
    }
  }
  PK_RETURN_IF_ERROR(database_.Execute(fmt::format("DROP TABLE {}_old", table)));
  {
    PK_ASSIGN_OR_RETURN(
        Statement note,
        database_.Prepare("UPDATE stream SET mapping_version=?, columns=? WHERE name=?"));
    const std::string columns = ColumnList(schema);
    note.Bind(1, std::int64_t{schema.mapping_version}).Bind(2, columns).Bind(3, schema.stream);
    PK_RETURN_IF_ERROR(note.Run());
  }
  return transaction.Commit();
}

Result<std::optional<EventStore::Stored>> EventStore::Find(const StreamSchema& schema,
                                                           std::string_view id) {
  PK_ASSIGN_OR_RETURN(Statement select,
                      database_.Prepare("SELECT key, created, seq, frame, place, hash, rank, "
                                        "updated FROM " +
                                        TableName(schema.stream) + " WHERE id=?"));
  const StoredId stored_id(id);
  stored_id.Bind(select, 1);
  PK_ASSIGN_OR_RETURN(const bool row, select.Step());
  if (!row) return std::optional<Stored>();
  Stored stored{.key = select.Int(0),
                .created = select.Int(1),
                .seq = select.Int(2),
                .frame = select.Int(3),
                .place = select.Int(4),
                .hash = select.Int(5),
                .rank = select.Int(6),
                .updated = {}};
  if (!select.IsNull(7)) stored.updated = select.Int(7);
  return std::optional<Stored>(stored);
}

// Takes in one page. Rows that have to be written are gathered to frames first, so that a frame is
// written once and whole.
class EventStore::PageWriter {
 public:
  PageWriter(EventStore& store, const StreamSchema& schema, const WriteRules& rules)
      : store_(store), schema_(schema), rules_(rules) {}

  Status Take(const Record& record) {
    ++counts_.read;
    if (record.created < rules_.oldest) {
      ++counts_.expired;
      return {};
    }
    // The same id twice on one page: the first must be on disk before the second is compared.
    const bool twice = std::any_of(pending_.begin(), pending_.end(),
                                   [&](const Pending& p) { return p.record.id == record.id; });
    if (twice) PK_RETURN_IF_ERROR(Flush());
    PK_ASSIGN_OR_RETURN(const std::optional<Stored> stored, store_.Find(schema_, record.id));
    if (!stored) {
      ++counts_.added;
      if (record.created < rules_.read_before) {
        ++counts_.late;
        lateness_.push_back(rules_.now - record.created);
      } else {
        lateness_.push_back(Timespan{});
      }
      return Add({.record = record, .stored = {}, .owned = nullptr});
    }
    return Compare(record, *stored);
  }

  Result<PageCounts> Finish() {
    PK_RETURN_IF_ERROR(Flush());
    PK_RETURN_IF_ERROR(NoteLateness());
    if (counts_.added > 0) {
      PK_ASSIGN_OR_RETURN(Statement count, store_.database_.Prepare(
                                               "UPDATE stream SET events=events+? WHERE name=?"));
      PK_RETURN_IF_ERROR(count.Bind(1, counts_.added).Bind(2, schema_.stream).Run());
    }
    return counts_;
  }

 private:
  struct Pending {
    Record record;
    std::optional<Stored> stored;
    std::shared_ptr<OwnedRecord> owned;  // keeps a merged record's bytes
  };

  Status Compare(const Record& record, const Stored& stored) {
    if (std::bit_cast<std::int64_t>(record.hash) == stored.hash) {
      ++counts_.same;
      return {};
    }
    const bool older =
        record.updated && stored.updated && record.updated->ticks < *stored.updated;
    if (record.rank < stored.rank || older) {
      ++counts_.poorer;
      return {};
    }
    PK_CHECK(rules_.merger != nullptr, "a page that changes events needs a merger");
    PK_ASSIGN_OR_RETURN(const std::string_view json,
                        store_.frames_.Record(stored.frame, stored.place));
    PK_ASSIGN_OR_RETURN(OwnedRecord merged, (*rules_.merger)(json, record));
    if (std::bit_cast<std::int64_t>(merged.hash) == stored.hash) {
      ++counts_.poorer;
      return {};
    }
    ++counts_.changed;
    auto owned = std::make_shared<OwnedRecord>(std::move(merged));
    return Add({.record = owned->View(), .stored = stored, .owned = owned});
  }

  Status Add(Pending pending) {
    pending_.push_back(std::move(pending));
    return pending_.size() == kRecordsPerFrame ? Flush() : Status();
  }

  Status Flush() {
    if (pending_.empty()) return {};
    PK_ASSIGN_OR_RETURN(const std::int64_t frame, WriteFrame());
    PK_ASSIGN_OR_RETURN(const std::int64_t first_seq,
                        TakeSeqs(static_cast<std::int64_t>(pending_.size())));
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      const Pending& pending = pending_[i];
      const auto place = static_cast<std::int64_t>(i);
      PK_RETURN_IF_ERROR(pending.stored ? Update(pending, frame, place, first_seq + place)
                                        : Insert(pending, frame, place, first_seq + place));
    }
    pending_.clear();
    return {};
  }

  Result<std::int64_t> WriteFrame() {
    std::vector<std::string_view> records;
    std::int64_t newest = 0;
    for (const Pending& pending : pending_) {
      records.push_back(pending.record.json);
      newest = std::max(newest, pending.record.created.ticks);
    }
    const std::string packed = PackFrame(records);
    PK_ASSIGN_OR_RETURN(Statement insert, store_.database_.Prepare(
                                              "INSERT INTO frame(newest, data) VALUES(?,?)"));
    PK_RETURN_IF_ERROR(insert.Bind(1, newest).BindBlob(2, packed).Run());
    return store_.database_.LastInsertId();
  }

  Result<std::int64_t> TakeSeqs(std::int64_t count) {
    PK_ASSIGN_OR_RETURN(
        Statement update,
        store_.database_.Prepare(
            "UPDATE counter SET value=value+? WHERE name='seq' RETURNING value"));
    PK_ASSIGN_OR_RETURN(const bool row, update.Bind(1, count).Step());
    PK_CHECK(row, "the seq counter is made by the first migration");
    const std::int64_t last = update.Int(0);
    // SQLite finishes the statement with the next step.
    PK_ASSIGN_OR_RETURN(const bool more, update.Step());
    PK_CHECK(!more, "one counter");
    return last - count + 1;
  }

  Status Insert(const Pending& pending, std::int64_t frame, std::int64_t place,
                std::int64_t seq) {
    if (insert_sql_.empty()) insert_sql_ = InsertSql(schema_);
    PK_ASSIGN_OR_RETURN(Statement insert, store_.database_.Prepare(insert_sql_));
    const Record& record = pending.record;
    const StoredId id(record.id);
    id.Bind(insert, 1);
    insert.Bind(2, record.created.ticks).Bind(3, rules_.now.ticks).Bind(4, seq);
    insert.Bind(5, frame).Bind(6, place).Bind(7, std::bit_cast<std::int64_t>(record.hash));
    insert.Bind(8, std::int64_t{record.rank});
    if (record.updated) {
      insert.Bind(9, record.updated->ticks);
    } else {
      insert.BindNull(9);
    }
    int index = 9;
    for (const SqlValue& value : record.values) BindValue(insert, ++index, value);
    return insert.Run();
  }

  Status Update(const Pending& pending, std::int64_t frame, std::int64_t place,
                std::int64_t seq) {
    const Stored& stored = *pending.stored;
    {
      PK_ASSIGN_OR_RETURN(
          Statement keep,
          store_.database_.Prepare("INSERT INTO event_version(stream, key, seq, created, updated, "
                                   "frame, place) VALUES(?,?,?,?,?,?,?)"));
      keep.Bind(1, schema_.stream).Bind(2, stored.key).Bind(3, stored.seq).Bind(4, stored.created);
      if (stored.updated) {
        keep.Bind(5, *stored.updated);
      } else {
        keep.BindNull(5);
      }
      PK_RETURN_IF_ERROR(keep.Bind(6, stored.frame).Bind(7, stored.place).Run());
    }
    if (update_sql_.empty()) update_sql_ = UpdateSql(schema_);
    PK_ASSIGN_OR_RETURN(Statement update, store_.database_.Prepare(update_sql_));
    const Record& record = pending.record;
    update.Bind(1, record.created.ticks).Bind(2, seq).Bind(3, frame).Bind(4, place);
    update.Bind(5, std::bit_cast<std::int64_t>(record.hash));
    update.Bind(6, std::max(std::int64_t{record.rank}, stored.rank));
    if (record.updated) {
      update.Bind(7, record.updated->ticks);
    } else {
      update.BindNull(7);
    }
    int index = 7;
    for (const SqlValue& value : record.values) BindValue(update, ++index, value);
    return update.Bind(index + 1, stored.key).Run();
  }

  // Bucket b holds rows that came up to 2^b minutes late; bucket 0 those that did not.
  Status NoteLateness() {
    std::map<int, std::int64_t> buckets;
    for (const Timespan lag : lateness_) {
      const auto minutes = static_cast<std::uint64_t>(std::max<std::int64_t>(0, lag.ticks) /
                                                      kMinute.ticks);
      ++buckets[lag.ticks == 0 ? 0 : static_cast<int>(std::bit_width(minutes))];
    }
    for (const auto& [bucket, rows] : buckets) {
      PK_ASSIGN_OR_RETURN(
          Statement add,
          store_.database_.Prepare("INSERT INTO lateness(stream, bucket, rows) VALUES(?,?,?) ON "
                                   "CONFLICT DO UPDATE SET rows=rows+excluded.rows"));
      PK_RETURN_IF_ERROR(
          add.Bind(1, schema_.stream).Bind(2, std::int64_t{bucket}).Bind(3, rows).Run());
    }
    return {};
  }

  EventStore& store_;
  const StreamSchema& schema_;
  const WriteRules& rules_;
  PageCounts counts_;
  std::vector<Pending> pending_;
  std::vector<Timespan> lateness_;
  std::string insert_sql_, update_sql_;
};

Result<PageCounts> EventStore::Write(const std::string& stream, const std::vector<Record>& records,
                                     const WriteRules& rules) {
  const StreamSchema* schema = Schema(stream);
  PK_CHECK(schema != nullptr, "a stream is written that the mapping does not have");
  PageWriter writer(*this, *schema, rules);
  for (const Record& record : records) {
    if (Status status = writer.Take(record); !status) {
      frames_.Forget();  // ids of frames that a rollback takes back may be given again
      return Fail(std::move(status).error());
    }
  }
  Result<PageCounts> counts = writer.Finish();
  if (!counts) frames_.Forget();
  return counts;
}

Result<EventScan> EventStore::Scan(const std::string& stream, const ScanSpec& spec) {
  const StreamSchema* schema = Schema(stream);
  PK_CHECK(schema != nullptr, "a stream is scanned that the mapping does not have");
  PK_ASSIGN_OR_RETURN(Statement statement, database_.Prepare(ScanSql(*schema, spec)));
  int index = 0;
  if (spec.from) statement.Bind(++index, spec.from->ticks);
  if (spec.until) statement.Bind(++index, spec.until->ticks);
  if (spec.after_seq > 0) statement.Bind(++index, spec.after_seq);
  if (spec.until_seq != INT64_MAX) statement.Bind(++index, spec.until_seq);
  for (const ColumnCondition& condition : spec.conditions) {
    // The text must outlive the statement's steps: copied.
    BindCopied(statement, ++index, condition.value);
  }
  return EventScan(std::move(statement), frames_);
}

Result<std::vector<EventVersion>> EventStore::Versions(const std::string& stream,
                                                       std::int64_t after_seq,
                                                       std::int64_t until_seq) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare(fmt::format(
          "SELECT key, seq, created, frame, place FROM {} WHERE seq>?2 AND seq<=?3 UNION ALL "
          "SELECT key, seq, created, frame, place FROM event_version WHERE stream=?1 AND seq>?2 "
          "AND seq<=?3 ORDER BY 2",
          TableName(stream))));
  select.Bind(1, stream).Bind(2, after_seq).Bind(3, until_seq);
  std::vector<EventVersion> versions;
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return versions;
    PK_ASSIGN_OR_RETURN(const std::string_view json,
                        frames_.Record(select.Int(3), select.Int(4)));
    versions.push_back({.key = select.Int(0),
                        .seq = select.Int(1),
                        .created = Instant{select.Int(2)},
                        .json = std::string(json)});
  }
}

Result<std::int64_t> EventStore::Count(const std::string& stream) {
  PK_ASSIGN_OR_RETURN(Statement select,
                      database_.Prepare("SELECT events FROM stream WHERE name=?"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, stream).Step());
  return row ? select.Int(0) : 0;
}

Result<bool> EventStore::Contains(const std::string& stream, std::string_view id) {
  const StreamSchema* schema = Schema(stream);
  PK_CHECK(schema != nullptr, "a stream is asked for that the mapping does not have");
  PK_ASSIGN_OR_RETURN(const std::optional<Stored> stored, Find(*schema, id));
  return stored.has_value();
}

Result<std::string> EventStore::IdOf(const std::string& stream, std::int64_t key) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare(fmt::format("SELECT id FROM {} WHERE key=?", TableName(stream))));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, key).Step());
  if (!row) return Fail({.kind = ErrorKind::kNotFound, .message = "the event is gone"});
  return StoredId::Read(select, 0);
}

Result<std::vector<std::string>> EventStore::Ids(const std::string& stream) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare(fmt::format("SELECT id FROM {} ORDER BY id", TableName(stream))));
  std::vector<std::string> ids;
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return ids;
    ids.push_back(StoredId::Read(select, 0));
  }
}

Result<std::int64_t> EventStore::LastSeq() {
  return database_.QueryInt("SELECT value FROM counter WHERE name='seq'");
}

Result<std::int64_t> EventStore::Expire(Instant oldest) {
  constexpr std::int64_t kBatch = 2000;
  std::int64_t deleted = 0;
  for (const StreamSchema& schema : schemas_) {
    while (true) {
      PK_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(database_));
      std::int64_t gone = 0;
      {
        PK_ASSIGN_OR_RETURN(
            Statement remove,
            database_.Prepare(fmt::format("DELETE FROM {0} WHERE key IN (SELECT key FROM {0} "
                                          "WHERE created<? LIMIT ?)",
                                          TableName(schema.stream))));
        PK_RETURN_IF_ERROR(remove.Bind(1, oldest.ticks).Bind(2, kBatch).Run());
        gone = database_.Changes();
        PK_ASSIGN_OR_RETURN(Statement count, database_.Prepare(
                                                 "UPDATE stream SET events=events-? WHERE name=?"));
        PK_RETURN_IF_ERROR(count.Bind(1, gone).Bind(2, schema.stream).Run());
      }
      PK_RETURN_IF_ERROR(transaction.Commit());
      deleted += gone;
      if (gone < kBatch) break;
    }
  }
  // An event of a frame can't be newer than the frame's newest, so the frame goes with the last.
  PK_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(database_));
  {
    PK_ASSIGN_OR_RETURN(Statement versions,
                        database_.Prepare("DELETE FROM event_version WHERE created<?"));
    PK_RETURN_IF_ERROR(versions.Bind(1, oldest.ticks).Run());
    PK_ASSIGN_OR_RETURN(Statement frames, database_.Prepare("DELETE FROM frame WHERE newest<?"));
    PK_RETURN_IF_ERROR(frames.Bind(1, oldest.ticks).Run());
  }
  PK_RETURN_IF_ERROR(transaction.Commit());
  frames_.Forget();
  return deleted;
}

}  // namespace picket::storage

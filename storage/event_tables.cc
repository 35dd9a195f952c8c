#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/log.h"
#include "storage/event_sql.h"
#include "storage/event_store.h"
#include "storage/page_writer.h"

// The tables of the streams follow the mapping: they are made, and made again, here.

namespace picket::storage {

Result<EventStore::Fit> EventStore::FitOf(const StreamSchema& schema) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare("SELECT mapping_version, columns FROM stream WHERE name=?"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, schema.stream).Step());
  if (!row) return Fit::kMissing;
  const bool same = select.Int(0) == schema.mapping_version && select.Text(1) == ColumnList(schema);
  return same ? Fit::kSame : Fit::kOther;
}

Status EventStore::Prepare(const ValuesOf& values_of) {
  for (const StreamSchema& schema : schemas_) {
    PK_ASSIGN_OR_RETURN(const Fit fit, FitOf(schema));
    if (fit == Fit::kMissing) PK_RETURN_IF_ERROR(Make(schema));
    if (fit == Fit::kOther) PK_RETURN_IF_ERROR(Rebuild(schema, values_of));
  }
  return {};
}

Status EventStore::CheckMapping() {
  for (const StreamSchema& schema : schemas_) {
    PK_ASSIGN_OR_RETURN(const Fit fit, FitOf(schema));
    if (fit == Fit::kSame) continue;
    return Fail({.kind = ErrorKind::kRefused,
                 .message = fmt::format("{} was last written by another version of Picket",
                                        database_.path().string()),
                 .hint = "Run 'picket once' first; it brings the file up to date."});
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

Status EventStore::Rebuild(const StreamSchema& schema, const ValuesOf& values_of) {
  PK_CHECK(values_of != nullptr, "a new mapping needs a way to make its columns");
  const std::string table = TableName(schema.stream);
  PK_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(database_));
  PK_RETURN_IF_ERROR(database_.Execute(DropIndexesSql(schema.stream) +
                                       fmt::format("ALTER TABLE {0} RENAME TO {0}_old;", table)));
  PK_RETURN_IF_ERROR(database_.Execute(CreateTableSql(schema)));
  PK_RETURN_IF_ERROR(CopyRows(schema, values_of));
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

Status EventStore::CopyRows(const StreamSchema& schema, const ValuesOf& values_of) {
  PK_ASSIGN_OR_RETURN(Statement rows, database_.PrepareOnce(fmt::format(
                                          "SELECT key, id, created, arrived, seq, frame, place, "
                                          "hash, rank, updated FROM {}_old ORDER BY key",
                                          TableName(schema.stream))));
  PK_ASSIGN_OR_RETURN(Statement insert, database_.PrepareOnce(InsertSql(schema)));
  ColumnBinder columns(words_, schema);
  std::int64_t not_taken = 0;
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) break;
    PK_ASSIGN_OR_RETURN(const std::string_view json, frames_.Record(rows.Int(5), rows.Int(6)));
    const Result<OwnedRecord> record = values_of(schema.stream, json);
    if (!record && record.error().kind == ErrorKind::kStorage) return Fail(record.error());
    const std::string id = StoredId::Read(rows, 1);
    const StoredId stored_id(id);
    stored_id.Bind(insert, 2);
    for (const int column : {0, 2, 3, 4, 5, 6, 7, 8}) insert.Bind(column + 1, rows.Int(column));
    if (record) insert.Bind(8, std::bit_cast<std::int64_t>(record->hash));
    if (rows.IsNull(9)) {
      insert.BindNull(10);
    } else {
      insert.Bind(10, rows.Int(9));
    }
    const std::vector<SqlValue> values =
        record ? record->View().values : std::vector<SqlValue>(schema.columns.size());
    PK_RETURN_IF_ERROR(columns.Bind(insert, 11, values));
    if (!record) ++not_taken;
    PK_RETURN_IF_ERROR(insert.Run());
  }
  if (not_taken > 0) {
    Log(LogLevel::kWarn, "storage.columns_empty", "The new mapping does not take some events.",
        {{"stream", schema.stream}, {"rows", not_taken}});
  }
  return {};
}

}  // namespace picket::storage

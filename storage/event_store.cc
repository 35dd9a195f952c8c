#include "storage/event_store.h"

#include <fmt/format.h>

#include "storage/event_sql.h"
#include "storage/page_writer.h"

namespace picket::storage {

EventStore::EventStore(Database& database, std::vector<StreamSchema> schemas)
    : database_(database), schemas_(std::move(schemas)), frames_(database), words_(database) {}

void EventStore::Forget() {
  frames_.Forget();
  words_.Forget();
}

const StreamSchema* EventStore::Schema(std::string_view stream) const {
  for (const StreamSchema& schema : schemas_) {
    if (schema.stream == stream) return &schema;
  }
  return nullptr;
}

const StreamSchema& EventStore::Known(std::string_view stream) const {
  const StreamSchema* schema = Schema(stream);
  PK_CHECK(schema != nullptr, "the mapping does not have this stream");
  return *schema;
}

Result<PageCounts> EventStore::Write(const std::string& stream, const std::vector<Record>& records,
                                     const WriteRules& rules) {
  return PageWriter(database_, frames_, words_, Known(stream), rules).Write(records);
}

EventScan::TextCell EventScan::Cell(std::size_t i) const {
  const int column = Column(i);
  switch (statement_.KindOf(column)) {
    case Statement::Kind::kNull:
      return {.null = true, .word = 0, .text = {}};
    case Statement::Kind::kInt:
      return {.null = false, .word = statement_.Int(column), .text = {}};
    case Statement::Kind::kBlob:
      FormatGuid(statement_.Blob(column), guids_[i]);
      return {.null = false, .word = 0, .text = {guids_[i].data(), guids_[i].size()}};
    default:
      return {.null = false, .word = 0, .text = statement_.Text(column)};
  }
}

std::string_view EventScan::WordText(std::int64_t word) const {
  Result<std::string_view> text = words_->Text(*database_, word);
  if (text) return *text;
  error_ = std::move(text).error();
  return {};
}

std::string_view EventScan::Text(std::size_t i) const {
  const TextCell cell = Cell(i);
  return cell.word != 0 ? WordText(cell.word) : cell.text;
}

Result<EventScan> EventStore::Scan(const std::string& stream, const ScanSpec& spec) {
  const StreamSchema& schema = Known(stream);
  PK_ASSIGN_OR_RETURN(Statement statement, database_.PrepareOnce(ScanSql(schema, spec)));
  int index = 0;
  if (spec.after_seq > 0) statement.Bind(++index, spec.after_seq);
  if (spec.from) statement.Bind(++index, spec.from->ticks);
  if (spec.until) statement.Bind(++index, spec.until->ticks);
  if (spec.until_seq != INT64_MAX) statement.Bind(++index, spec.until_seq);
  for (const ColumnCondition& condition : spec.conditions) {
    if (schema.columns.at(condition.column).type != ColumnType::kText) {
      if (const auto* number = std::get_if<std::int64_t>(&condition.value)) {
        statement.Bind(++index, *number);
      } else if (const auto* real = std::get_if<double>(&condition.value)) {
        statement.Bind(++index, *real);
      } else {
        statement.BindNull(++index);
      }
      continue;
    }
    PK_CHECK(condition.op == ColumnCondition::Operator::kEqual,
             "a text is only asked for equality");
    const auto* text = std::get_if<std::string>(&condition.value);
    PK_CHECK(text != nullptr, "a text column is compared with a text");
    PK_ASSIGN_OR_RETURN(const Words::Forms forms, words_.ForSearching(*text));
    if (forms.word != 0) {
      statement.Bind(++index, forms.word);
    } else {
      statement.BindNull(++index);
    }
    BindTextCopy(statement, ++index, forms.other);
  }
  return EventScan(std::move(statement), database_, frames_, words_.Cache(), spec.columns.size());
}

Result<VersionScan> EventStore::Versions(const std::string& stream, std::int64_t after_seq,
                                         std::int64_t until_seq) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare(fmt::format(
          "SELECT key, seq, created, frame, place FROM {} WHERE key IN ({}) AND seq<=?2 UNION ALL "
          "SELECT key, seq, created, frame, place FROM event_version WHERE stream=?3 AND seq>?1 "
          "AND seq<=?2 ORDER BY 2",
          TableName(stream), NewerKeysSql(stream))));
  // The scan outlives the name.
  select.Bind(1, after_seq).Bind(2, until_seq).BindCopy(3, stream);
  return VersionScan(std::move(select), frames_);
}

Result<VersionScan> EventStore::ReadingsBefore(const std::string& stream, std::int64_t after_seq,
                                               std::int64_t until_seq) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare(fmt::format(
          "SELECT v.key, v.seq, v.created, v.frame, v.place FROM {0} e JOIN event_version v ON "
          "v.stream=?3 AND v.key=e.key AND v.seq=(SELECT max(seq) FROM event_version WHERE "
          "stream=?3 AND key=e.key AND seq<=?1) WHERE e.seq<>e.key AND e.seq>?1 AND e.seq<=?2",
          TableName(stream))));
  select.Bind(1, after_seq).Bind(2, until_seq).BindCopy(3, stream);
  return VersionScan(std::move(select), frames_);
}

Result<std::int64_t> EventStore::Count(const std::string& stream) {
  PK_ASSIGN_OR_RETURN(Statement select,
                      database_.Prepare("SELECT events FROM stream WHERE name=?"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, stream).Step());
  return row ? select.Int(0) : 0;
}

Result<std::int64_t> EventStore::Deleted(const std::string& stream) {
  PK_ASSIGN_OR_RETURN(Statement select,
                      database_.Prepare("SELECT deleted FROM stream WHERE name=?"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, stream).Step());
  return row ? select.Int(0) : 0;
}

Result<bool> EventStore::Contains(const std::string& stream, std::string_view id) {
  PK_ASSIGN_OR_RETURN(Statement find, database_.Prepare(FindEventSql(Known(stream))));
  PK_ASSIGN_OR_RETURN(const std::optional<StoredEvent> stored, FindEvent(find, id));
  return stored.has_value();
}

Result<std::string> EventStore::IdOf(const std::string& stream, std::int64_t key) {
  PK_ASSIGN_OR_RETURN(Statement select, database_.Prepare(fmt::format(
                                            "SELECT id FROM {} WHERE key=?", TableName(stream))));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, key).Step());
  if (!row) return Fail({.kind = ErrorKind::kNotFound, .message = "the event is gone"});
  return StoredId::Read(select, 0);
}

Result<std::vector<std::string>> EventStore::Ids(const std::string& stream) {
  PK_ASSIGN_OR_RETURN(Statement select, database_.Prepare(fmt::format(
                                            "SELECT id FROM {} ORDER BY id", TableName(stream))));
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

}  // namespace picket::storage

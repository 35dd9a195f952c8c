#include "tests/bench/ingest_floor.h"

#include <fmt/format.h>
#include <simdjson.h>
#include <sqlite3.h>
#include <zstd.h>

#include <unordered_map>
#include <vector>

#include "agent/tables/mapping.h"
#include "base/result.h"
#include "base/time.h"

namespace picket::bench {
namespace {

namespace od = simdjson::ondemand;

constexpr std::size_t kRecordsPerFrame = 64;
constexpr int kFirstColumn = 9;

// What one event's statement is bound to.
struct Row {
  std::string_view json, id;
  Instant created;
  std::vector<std::string_view> texts;
};

// Where a member of the record goes: the columns of its own, or those of its members.
struct Member {
  std::vector<std::size_t> columns;
  std::unordered_map<std::string_view, std::vector<std::size_t>> inner;
};

// The text between a string's quotes, or any other value as it stands.
std::string_view Bare(std::string_view token) {
  while (!token.empty() && token.back() <= ' ') token.remove_suffix(1);
  if (token.size() >= 2 && token.front() == '"') token = token.substr(1, token.size() - 2);
  return token;
}

std::string_view TextOf(od::value& value) {
  const od::json_type type = value.type();
  if (type == od::json_type::array) return value.get_array().value().raw_json();
  if (type == od::json_type::object) return value.get_object().value().raw_json();
  const std::string_view token = Bare(value.raw_json_token());
  if (type == od::json_type::string) (void)value.get_raw_json_string().error();
  return token == "null" ? std::string_view() : token;
}

// Where the columns that Picket keeps come from.
std::vector<std::string_view> TypedPaths(const tables::TableMapping& table) {
  std::vector<std::string_view> paths;
  for (const tables::ColumnMapping& column : table.columns) {
    if (column.typed) paths.push_back(column.path);
  }
  for (const tables::MemberMapping& member : table.members) paths.push_back(member.path);
  return paths;
}

}  // namespace

struct IngestFloor::State {
  sqlite3* db = nullptr;
  sqlite3_stmt *insert = nullptr, *frame = nullptr;
  ZSTD_CCtx* zstd = ZSTD_createCCtx();
  std::unordered_map<std::string_view, Member> members;
  std::size_t columns = 0;
  std::int64_t key = 0;
  std::string plain, packed;
  od::parser parser;

  void Check(int code) const {
    const bool fine = code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW;
    PK_CHECK(fine, sqlite3_errmsg(db));
  }
  void Run(const std::string& sql) const {
    Check(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr));
  }
  sqlite3_stmt* Compile(const std::string& sql) const {
    sqlite3_stmt* statement = nullptr;
    Check(sqlite3_prepare_v3(db, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
    return statement;
  }
  void Step(sqlite3_stmt* statement) const {
    Check(sqlite3_step(statement));
    Check(sqlite3_reset(statement));
  }
  void BindText(int index, std::string_view text) const {
    Check(text.empty() ? sqlite3_bind_null(insert, index)
                       : sqlite3_bind_text(insert, index, text.data(),
                                           static_cast<int>(text.size()), SQLITE_STATIC));
  }

  void ReadMembers(od::object object, Row& row) const {
    for (auto field : object) {
      const std::string_view name = field.unescaped_key();
      od::value value = field.value();
      if (name == "id") {
        row.id = Bare(value.raw_json_token());
      } else if (name == "createdDateTime") {
        row.created = ParseRfc3339(std::string(Bare(value.raw_json_token()))).value();
      }
      const auto found = members.find(name);
      if (found == members.end()) continue;
      if (!found->second.inner.empty()) {
        for (auto inner : value.get_object()) {
          const std::string_view inner_name = inner.unescaped_key();
          const auto column = found->second.inner.find(inner_name);
          od::value inner_value = inner.value();
          if (column == found->second.inner.end()) continue;
          const std::string_view text = TextOf(inner_value);
          for (const std::size_t place : column->second) row.texts[place] = text;
        }
        continue;
      }
      const std::string_view text = TextOf(value);
      for (const std::size_t column : found->second.columns) row.texts[column] = text;
    }
  }

  void WriteFrame(const std::vector<Row>& rows, std::int64_t id) {
    plain.clear();
    for (const Row& row : rows) plain += fmt::format("{}\n", row.json.size());
    for (const Row& row : rows) plain += row.json;
    packed.resize(ZSTD_compressBound(plain.size()));
    const std::size_t size = ZSTD_compressCCtx(zstd, packed.data(), packed.size(), plain.data(),
                                               plain.size(), /*compressionLevel=*/1);
    PK_CHECK(ZSTD_isError(size) == 0, "zstd");
    Check(sqlite3_bind_int64(frame, 1, id));
    Check(sqlite3_bind_blob(frame, 2, packed.data(), static_cast<int>(size), SQLITE_STATIC));
    Step(frame);
  }

  void WriteRows(std::vector<Row>& rows) {
    const std::int64_t frame_id = key + 1;
    WriteFrame(rows, frame_id);
    int place = 0;
    for (const Row& row : rows) {
      ++key;
      Check(sqlite3_bind_int64(insert, 1, key));
      BindText(2, row.id);
      Check(sqlite3_bind_int64(insert, 3, row.created.ticks));
      Check(sqlite3_bind_int64(insert, 4, row.created.ticks));
      Check(sqlite3_bind_int64(insert, 5, key));
      Check(sqlite3_bind_int64(insert, 6, frame_id));
      Check(sqlite3_bind_int(insert, 7, place++));
      Check(sqlite3_bind_int64(insert, 8, 0));
      for (std::size_t i = 0; i < columns; ++i) {
        BindText(kFirstColumn + static_cast<int>(i), row.texts[i]);
      }
      Step(insert);
    }
    rows.clear();
  }
};

IngestFloor::IngestFloor(const std::filesystem::path& file) : state_(new State) {
  State& state = *state_;
  const tables::TableMapping* table = tables::FindTable("SigninLogs");
  std::string names;
  std::string marks;
  for (const std::string_view path : TypedPaths(*table)) {
    const std::size_t slash = path.find('/');
    Member& member = state.members[path.substr(0, slash)];
    if (slash == std::string_view::npos) {
      member.columns.push_back(state.columns);
    } else {
      member.inner[path.substr(slash + 1)].push_back(state.columns);
    }
    names += fmt::format(", c{} TEXT", state.columns++);
    marks += ",?";
  }
  state.Check(sqlite3_open(file.c_str(), &state.db));
  state.Run(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-1024;"
      "CREATE TABLE frame(id INTEGER PRIMARY KEY, data BLOB);"
      "CREATE TABLE event(key INTEGER PRIMARY KEY, id TEXT, created INTEGER, arrived INTEGER, seq "
      "INTEGER, frame INTEGER, place INTEGER, hash INTEGER" +
      names +
      ");"
      "CREATE UNIQUE INDEX event_id ON event(id);"
      "CREATE INDEX event_created ON event(created, id);");
  state.insert = state.Compile("INSERT OR IGNORE INTO event VALUES(?,?,?,?,?,?,?,?" + marks + ")");
  state.frame = state.Compile("INSERT INTO frame VALUES(?,?)");
}

IngestFloor::~IngestFloor() {
  (void)sqlite3_finalize(state_->insert);
  (void)sqlite3_finalize(state_->frame);
  (void)sqlite3_close(state_->db);
  (void)ZSTD_freeCCtx(state_->zstd);
  delete state_;
}

std::int64_t IngestFloor::Ingest(const std::string& body) {
  State& state = *state_;
  const simdjson::padded_string padded(body);
  od::document document = state.parser.iterate(padded);
  const std::int64_t before = state.key;
  std::vector<Row> rows;
  state.Run("BEGIN IMMEDIATE");
  for (auto element : document.find_field("value").get_array()) {
    od::object object = element.get_object();
    Row row;
    row.texts.resize(state.columns);
    row.json = object.raw_json();
    (void)object.reset().value();
    state.ReadMembers(object, row);
    rows.push_back(std::move(row));
    if (rows.size() == kRecordsPerFrame) state.WriteRows(rows);
  }
  if (!rows.empty()) state.WriteRows(rows);
  state.Run("COMMIT");
  return state.key - before;
}

}  // namespace picket::bench

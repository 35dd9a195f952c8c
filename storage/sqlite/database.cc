#include "storage/sqlite/database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/files.h"
#include "base/http.h"
#include "storage/crash_points.h"

namespace picket::storage {
namespace {

// SQLite's name for a database that no file holds; it has no write-ahead log.
constexpr const char* kInMemory = ":memory:";

std::string CodeName(int extended) {
  switch (extended & 0xFF) {
    case SQLITE_BUSY:
      return "SQLITE_BUSY";
    case SQLITE_LOCKED:
      return "SQLITE_LOCKED";
    case SQLITE_NOMEM:
      return "SQLITE_NOMEM";
    case SQLITE_FULL:
      return "SQLITE_FULL";
    case SQLITE_IOERR:
      return "SQLITE_IOERR";
    case SQLITE_READONLY:
      return "SQLITE_READONLY";
    case SQLITE_CANTOPEN:
      return "SQLITE_CANTOPEN";
    case SQLITE_CORRUPT:
      return "SQLITE_CORRUPT";
    case SQLITE_NOTADB:
      return "SQLITE_NOTADB";
    case SQLITE_CONSTRAINT:
      return "SQLITE_CONSTRAINT";
    case SQLITE_TOOBIG:
      return "SQLITE_TOOBIG";
    default:
      return fmt::format("SQLITE_{}", extended);
  }
}

std::string HintOf(int extended) {
  switch (extended & 0xFF) {
    case SQLITE_BUSY:
      return "Another process holds the file.";
    case SQLITE_FULL:
      return "Free some space on the volume; reading goes on by itself.";
    case SQLITE_IOERR:
      return "Check the volume: is it full, read-only, or failing?";
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return "Check that the folder exists, and that Picket may write to it.";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "The file is damaged. Put a backup in its place, or move it aside; Picket then reads "
             "again what Graph still has.";
    default:
      return {};
  }
}

}  // namespace

void Database::Closer::operator()(sqlite3* db) const { (void)sqlite3_close_v2(db); }
void Database::Finalizer::operator()(sqlite3_stmt* statement) const {
  (void)sqlite3_finalize(statement);
}

Error Database::ErrorOf(int code, std::string_view doing) const {
  const int extended = db_ ? sqlite3_extended_errcode(db_.get()) : code;
  const char* text = db_ ? sqlite3_errmsg(db_.get()) : sqlite3_errstr(code);
  const bool busy = (extended & 0xFF) == SQLITE_BUSY || (extended & 0xFF) == SQLITE_LOCKED;
  return {.kind = busy ? ErrorKind::kTransient : ErrorKind::kStorage,
          .message = fmt::format("{}: {}: {}", path_.string(), doing, text),
          .hint = HintOf(extended),
          .remote_code = CodeName(extended)};
}

Status CreatePrivateFile(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return Fail({.kind = ErrorKind::kStorage,
                 .message = fmt::format("cannot create {}: {}", path.string(),
                                        std::generic_category().message(errno))});
  }
  ::close(fd);
  return {};
}

namespace {

// Whoever may write the file decides what it says.
Status CheckOwnFileMode(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};  // it is not there yet, or SQLite says why
  if (info.st_uid != ::geteuid()) {
    return Fail({.kind = ErrorKind::kStorage,
                 .message = path.string() + " belongs to another user",
                 .hint = fmt::format("Run Picket as its owner, or: chown {} {}", ::geteuid(),
                                     path.string())});
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return Fail({.kind = ErrorKind::kStorage,
                 .message = path.string() + " can be written by others",
                 .hint = "See who wrote to it, then: chmod 600 " + path.string()});
  }
  return {};
}

// The name by which SQLite reads the file without its -wal and -shm, which it can't make where
// nothing can be written: https://www.sqlite.org/wal.html#read_only_databases
std::string ImmutableUri(const std::filesystem::path& path) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    uri += c == '%' || c == '?' || c == '#' ? PercentEncode({&c, 1}) : std::string(1, c);
  }
  return uri + "?immutable=1";
}

bool IsImmutable(const std::filesystem::path& path) {
  std::error_code ignored;
  return OnReadOnlyVolume(path) && !std::filesystem::exists(path.string() + "-wal", ignored);
}

}  // namespace

Result<std::unique_ptr<Database>> Database::Open(const std::filesystem::path& path,
                                                 const OpenOptions& options) {
  std::unique_ptr<Database> database(new Database(path));
  std::error_code ignored;
  if (std::filesystem::is_symlink(path, ignored)) {
    return Fail({.kind = ErrorKind::kStorage,
                 .message = path.string() + " is a symbolic link",
                 .hint = "Put the file itself there, or let data_dir name the folder it is in."});
  }
  if (!options.read_only) PK_RETURN_IF_ERROR(CheckOwnFileMode(path));
  // SQLite gives -wal and -shm the mode of the file, so the file is made first, with ours. If that
  // fails, SQLite says why.
  if (options.create && !options.read_only && path != kInMemory) (void)CreatePrivateFile(path);
  const int flags =
      (options.read_only ? SQLITE_OPEN_READONLY
                         : SQLITE_OPEN_READWRITE | (options.create ? SQLITE_OPEN_CREATE : 0)) |
      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const bool immutable = options.read_only && IsImmutable(path);
  const std::string name = immutable ? ImmutableUri(path) : path.string();
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(name.c_str(), &raw, flags | (immutable ? SQLITE_OPEN_URI : 0), nullptr);
  database->db_.reset(raw);
  if (code != SQLITE_OK) return Fail(database->ErrorOf(code, "cannot open"));
  PK_RETURN_IF_ERROR(database->SetUp(options));
  return database;
}

Status Database::SetUp(const OpenOptions& options) {
  sqlite3_busy_timeout(db_.get(), 5000);
  int defensive = 0;
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, &defensive);
  sqlite3_limit(db_.get(), SQLITE_LIMIT_LENGTH, 64 << 20);
  sqlite3_limit(db_.get(), SQLITE_LIMIT_ATTACHED, 1);  // VACUUM INTO needs one
  PK_RETURN_IF_ERROR(CheckOwnFile(options));
  if (!options.read_only) {
    PK_ASSIGN_OR_RETURN(Statement wal, PrepareOnce("PRAGMA journal_mode=WAL"));
    PK_ASSIGN_OR_RETURN(const bool row, wal.Step());
    if (!row || wal.Text(0) != (path_ == kInMemory ? "memory" : "wal")) {
      return Fail({.kind = ErrorKind::kStorage,
                   .message = path_.string() + ": no write-ahead log on this file system",
                   .hint = "Put data_dir on a local disk."});
    }
  }
  PK_RETURN_IF_ERROR(
      Execute("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"
              "PRAGMA cell_size_check=ON; PRAGMA cache_size=-1024; PRAGMA temp_store=MEMORY;"
              "PRAGMA journal_size_limit=4194304; PRAGMA mmap_size=0"));
  PK_RETURN_IF_ERROR(Expect("PRAGMA synchronous", 2));
  PK_RETURN_IF_ERROR(Expect("PRAGMA foreign_keys", 1));
  PK_RETURN_IF_ERROR(Expect("PRAGMA trusted_schema", 0));
  PK_RETURN_IF_ERROR(Expect("PRAGMA cell_size_check", 1));
  PK_RETURN_IF_ERROR(Expect("PRAGMA cache_size", -1024));
  PK_RETURN_IF_ERROR(Expect("PRAGMA journal_size_limit", 4194304));
  PK_RETURN_IF_ERROR(Expect("PRAGMA busy_timeout", 5000));
  if (defensive != 1) {
    return Fail({.kind = ErrorKind::kStorage,
                 .message = path_.string() + ": this SQLite has no defensive mode"});
  }
  return {};
}

Status Database::Expect(const char* pragma, std::int64_t value) {
  PK_ASSIGN_OR_RETURN(Statement statement, PrepareOnce(pragma));
  PK_ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (row && statement.Int(0) == value) return {};
  return Fail({.kind = ErrorKind::kStorage,
               .message = fmt::format("{}: SQLite refuses {}={}", path_.string(), pragma, value)});
}

// Before anything is written: the file of another program stays as it is.
Status Database::CheckOwnFile(const OpenOptions& options) {
  PK_ASSIGN_OR_RETURN(const std::int64_t id, QueryInt("PRAGMA application_id"));
  PK_ASSIGN_OR_RETURN(const std::int64_t version, QueryInt("PRAGMA user_version"));
  PK_ASSIGN_OR_RETURN(const std::int64_t tables, QueryInt("SELECT count(*) FROM sqlite_master"));
  if (id == options.application_id || (id == 0 && version == 0 && tables == 0)) return {};
  return Fail({.kind = ErrorKind::kStorage,
               .message = path_.string() + " is not a file of Picket",
               .hint = "Correct data_dir, or move the file aside."});
}

Database::~Database() = default;

Result<sqlite3_stmt*> Database::Compile(std::string_view sql, unsigned flags) {
  sqlite3_stmt* raw = nullptr;
  const int code =
      sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()), flags, &raw, nullptr);
  if (code != SQLITE_OK) return Fail(ErrorOf(code, "cannot prepare"));
  return raw;
}

Result<Statement> Database::Prepare(std::string_view sql) {
  auto found = cache_.find(sql);
  if (found == cache_.end()) found = cache_.emplace(std::string(sql), Cached{}).first;
  Cached& cached = found->second;
  // The same text again while the first is still open.
  if (cached.in_use) return PrepareOnce(sql);
  if (!cached.statement) {
    PK_ASSIGN_OR_RETURN(sqlite3_stmt * raw, Compile(sql, SQLITE_PREPARE_PERSISTENT));
    cached.statement.reset(raw);
  }
  cached.in_use = true;
  return Statement(*this, cached.statement.get(), &cached.in_use);
}

Result<Statement> Database::PrepareOnce(std::string_view sql) {
  PK_ASSIGN_OR_RETURN(sqlite3_stmt * raw, Compile(sql, 0));
  return Statement(*this, raw, nullptr);
}

// One at a time, so that a crash can come between any two.
Status Database::Execute(const std::string& sql) {
  const char* rest = sql.c_str();
  while (*rest != '\0') {
    sqlite3_stmt* raw = nullptr;
    const int code = sqlite3_prepare_v3(db_.get(), rest, -1, 0, &raw, &rest);
    if (code != SQLITE_OK) return Fail(ErrorOf(code, "cannot prepare"));
    if (raw == nullptr) continue;  // only space or a comment was left
    Statement statement(*this, raw, nullptr);
    bool row = true;
    while (row) {
      PK_ASSIGN_OR_RETURN(row, statement.Step());
    }
  }
  return {};
}

Result<std::int64_t> Database::QueryInt(const std::string& sql) {
  PK_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  PK_ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Int(0) : 0;
}

std::int64_t Database::LastInsertId() const { return sqlite3_last_insert_rowid(db_.get()); }
std::int64_t Database::Changes() const { return sqlite3_changes64(db_.get()); }
void Database::ReleaseMemory() { (void)sqlite3_db_release_memory(db_.get()); }
bool Database::Autocommit() const { return sqlite3_get_autocommit(db_.get()) != 0; }

Statement::Statement(Database& database, sqlite3_stmt* statement, bool* in_use)
    : database_(&database),
      statement_(statement),
      in_use_(in_use),
      writes_(sqlite3_stmt_readonly(statement) == 0) {}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      in_use_(other.in_use_),
      writes_(other.writes_),
      bind_error_(other.bind_error_) {}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  if (in_use_ == nullptr) {
    (void)sqlite3_finalize(statement_);
    return;
  }
  (void)sqlite3_reset(statement_);
  (void)sqlite3_clear_bindings(statement_);
  *in_use_ = false;
}

Statement& Statement::Bound(int code) {
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

Statement& Statement::Bind(int index, std::int64_t value) {
  return Bound(sqlite3_bind_int64(statement_, index, value));
}
Statement& Statement::Bind(int index, double value) {
  return Bound(sqlite3_bind_double(statement_, index, value));
}
Statement& Statement::Bind(int index, std::string_view text) {
  // A null pointer would bind NULL; an empty text is a text.
  const char* data = text.data() == nullptr ? "" : text.data();
  return Bound(
      sqlite3_bind_text64(statement_, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
}
Statement& Statement::BindCopy(int index, std::string_view text) {
  const char* data = text.data() == nullptr ? "" : text.data();
  // NOLINTNEXTLINE: SQLite's own constant is a cast
  return Bound(
      sqlite3_bind_text64(statement_, index, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}
Statement& Statement::BindBlob(int index, std::string_view bytes) {
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  return Bound(sqlite3_bind_blob64(statement_, index, data, bytes.size(), SQLITE_STATIC));
}
Statement& Statement::BindBlobCopy(int index, std::string_view bytes) {
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  // NOLINTNEXTLINE: SQLite's own constant is a cast
  return Bound(sqlite3_bind_blob64(statement_, index, data, bytes.size(), SQLITE_TRANSIENT));
}
Statement& Statement::BindNull(int index) { return Bound(sqlite3_bind_null(statement_, index)); }

Result<bool> Statement::Step() {
  if (bind_error_ != SQLITE_OK) {
    return Fail(database_->ErrorOf(std::exchange(bind_error_, SQLITE_OK), "cannot bind a value"));
  }
  if (writes_) CrashPoint();
  if (writes_ && WriteFails()) return Fail(database_->ErrorOf(SQLITE_FULL, "cannot write"));
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return Fail(database_->ErrorOf(code, writes_ ? "cannot write" : "cannot read"));
}

Status Statement::Run() {
  PK_ASSIGN_OR_RETURN(const bool row, Step());
  (void)row;
  Reset();
  return {};
}

void Statement::Reset() { (void)sqlite3_reset(statement_); }

Statement::Kind Statement::KindOf(int column) const {
  switch (sqlite3_column_type(statement_, column)) {
    case SQLITE_INTEGER:
      return Kind::kInt;
    case SQLITE_FLOAT:
      return Kind::kReal;
    case SQLITE_TEXT:
      return Kind::kText;
    case SQLITE_BLOB:
      return Kind::kBlob;
    default:
      return Kind::kNull;
  }
}
bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}
bool Statement::IsInt(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_INTEGER;
}
bool Statement::IsBlob(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_BLOB;
}
std::int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_, column); }
double Statement::Real(int column) const { return sqlite3_column_double(statement_, column); }
std::string_view Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}
std::string_view Statement::Blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Result<Transaction> Transaction::Begin(Database& database) {
  PK_ASSIGN_OR_RETURN(Statement begin, database.Prepare("BEGIN IMMEDIATE"));
  PK_RETURN_IF_ERROR(begin.Run());
  return Transaction(&database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  if (database_ == nullptr) return;
  ++database_->rollbacks_;
  // SQLite rolls back by itself on some errors; then there is nothing to do.
  if (!database_->Autocommit()) (void)database_->Execute("ROLLBACK");
}

Status Transaction::Commit() {
  PK_CHECK(database_ != nullptr, "a transaction commits once");
  PK_ASSIGN_OR_RETURN(Statement commit, database_->Prepare("COMMIT"));
  CrashPoint();
  PK_RETURN_IF_ERROR(commit.Run());
  database_ = nullptr;
  CrashPoint();
  return {};
}

Result<Snapshot> Snapshot::Begin(Database& database) {
  PK_ASSIGN_OR_RETURN(Statement begin, database.Prepare("BEGIN DEFERRED"));
  PK_RETURN_IF_ERROR(begin.Run());
  Snapshot snapshot(&database);
  // The snapshot is taken by the first read.
  PK_ASSIGN_OR_RETURN(const std::int64_t tables, database.QueryInt("SELECT 1 FROM sqlite_master"));
  (void)tables;
  return snapshot;
}

Snapshot::Snapshot(Snapshot&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Snapshot::~Snapshot() {
  if (database_ != nullptr && !database_->Autocommit()) (void)database_->Execute("ROLLBACK");
}

}  // namespace picket::storage

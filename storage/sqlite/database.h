#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace picket::storage {

class Database;

// A prepared statement, borrowed from its database's cache: reset and its bindings cleared when it
// goes. Indexes of parameters start at 1, of columns at 0, as SQLite has them. Bound text and blobs
// must live until the next Step or Reset. A value that cannot be bound (too large) fails the next
// Step. One thread at a time.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  Statement& Bind(int index, std::int64_t value);
  Statement& Bind(int index, double value);
  Statement& Bind(int index, std::string_view text);
  Statement& BindBlob(int index, std::string_view bytes);
  // These keep a copy of their own.
  Statement& BindCopy(int index, std::string_view text);
  Statement& BindBlobCopy(int index, std::string_view bytes);
  Statement& BindNull(int index);

  // True: a row is there. False: done.
  [[nodiscard]] Result<bool> Step();
  // For statements without rows.
  [[nodiscard]] Status Run();
  // Ready to run again; bindings stay.
  void Reset();

  enum class Kind : std::uint8_t { kNull, kInt, kReal, kText, kBlob };
  [[nodiscard]] Kind KindOf(int column) const;
  [[nodiscard]] bool IsNull(int column) const;
  [[nodiscard]] bool IsInt(int column) const;
  [[nodiscard]] bool IsBlob(int column) const;
  [[nodiscard]] std::int64_t Int(int column) const;
  [[nodiscard]] double Real(int column) const;
  // Valid until the next Step or Reset.
  [[nodiscard]] std::string_view Text(int column) const;
  [[nodiscard]] std::string_view Blob(int column) const;

 private:
  friend class Database;
  Statement(Database& database, sqlite3_stmt* statement, bool* in_use);
  Statement& Bound(int code);
  Database* database_;
  sqlite3_stmt* statement_;
  bool* in_use_;  // of the cache's entry; nullptr: not cached, finalized here
  bool writes_;
  int bind_error_ = 0;
};

// A new, empty file with mode 0600; kStorage when there is one.
Status CreatePrivateFile(const std::filesystem::path& path);

struct OpenOptions {
  bool create = true;
  bool read_only = false;
  std::int32_t application_id = 0;
};

// One connection. Set up on opening, every answer read back: WAL, synchronous=FULL, foreign keys,
// no trusted schema, defensive, cell size checks, busy time-out, 1 MB cache. A new file has mode
// 0600, and its -wal and -shm with it; a symbolic link is refused. On a volume that is mounted
// read-only a file without a -wal is read as one that nobody changes. Errors are kStorage
// (kTransient when another process holds the file) with the path, SQLite's code by name, and what
// to do. One thread at a time.
class Database {
 public:
  static Result<std::unique_ptr<Database>> Open(const std::filesystem::path& path,
                                                const OpenOptions& options);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  // From the cache. `sql` must be a literal of ours, never built from values.
  [[nodiscard]] Result<Statement> Prepare(std::string_view sql);
  // Not cached: for text that differs from use to use (a scan's columns and conditions), so that
  // the cache stays small.
  [[nodiscard]] Result<Statement> PrepareOnce(std::string_view sql);
  // Several statements without parameters or rows.
  [[nodiscard]] Status Execute(const std::string& sql);
  [[nodiscard]] Result<std::int64_t> QueryInt(const std::string& sql);
  [[nodiscard]] std::int64_t LastInsertId() const;
  // Rows that the last write changed.
  [[nodiscard]] std::int64_t Changes() const;
  // Grows when a transaction is rolled back: what was read within it may not be there.
  [[nodiscard]] std::int64_t Rollbacks() const { return rollbacks_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // Gives back the memory of cached pages.
  void ReleaseMemory();
  // True while no transaction is open.
  [[nodiscard]] bool Autocommit() const;
  // The error for SQLite's result code.
  [[nodiscard]] Error ErrorOf(int code, std::string_view doing) const;

 private:
  friend class Statement;
  friend class Transaction;
  struct Closer {
    void operator()(sqlite3* db) const;
  };
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Database(std::filesystem::path path) : path_(std::move(path)) {}
  [[nodiscard]] Status SetUp(const OpenOptions& options);
  [[nodiscard]] Status Expect(const char* pragma, std::int64_t value);
  [[nodiscard]] Status CheckOwnFile(const OpenOptions& options);
  [[nodiscard]] Result<sqlite3_stmt*> Compile(std::string_view sql, unsigned flags);

  // Looks a statement up by its text without a copy of it.
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  const std::filesystem::path path_;
  std::unique_ptr<sqlite3, Closer> db_;
  struct Cached {
    std::unique_ptr<sqlite3_stmt, Finalizer> statement;
    bool in_use = false;
  };
  std::unordered_map<std::string, Cached, TextHash, std::equal_to<>> cache_;
  std::int64_t rollbacks_ = 0;
};

// BEGIN IMMEDIATE … COMMIT; rolls back when it goes uncommitted.
class Transaction {
 public:
  [[nodiscard]] static Result<Transaction> Begin(Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  [[nodiscard]] Status Commit();

 private:
  explicit Transaction(Database* database) : database_(database) {}
  Database* database_;
};

// A read transaction: all statements within see one state.
class Snapshot {
 public:
  [[nodiscard]] static Result<Snapshot> Begin(Database& database);
  Snapshot(Snapshot&& other) noexcept;
  Snapshot& operator=(Snapshot&&) = delete;
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot();

 private:
  explicit Snapshot(Database* database) : database_(database) {}
  Database* database_;
};

}  // namespace picket::storage

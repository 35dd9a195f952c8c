#include "storage/sqlite/database.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "storage/migrations.h"
#include "tests/storage/store_fixture.h"

namespace picket::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::int32_t kId = 77;

std::unique_ptr<Database> OpenAt(const fs::path& path) {
  auto database = Database::Open(path, {.application_id = kId});
  EXPECT_TRUE(database) << database.error().message;
  return database ? *std::move(database) : nullptr;
}

// Runs it in a child, so that limits and users of the process can be changed. The child's answer
// is the exit code.
int InChild(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class DatabaseTest : public ::testing::Test {
 protected:
  ScratchDirectory folder;
  const fs::path path = folder.path() / "a.db";
};

TEST_F(DatabaseTest, IsSetUpForDurabilityAndDistrust) {
  auto database = OpenAt(path);
  EXPECT_EQ(database->QueryInt("PRAGMA synchronous").value(), 2);
  EXPECT_EQ(database->QueryInt("PRAGMA foreign_keys").value(), 1);
  EXPECT_EQ(database->QueryInt("PRAGMA trusted_schema").value(), 0);
  EXPECT_EQ(database->QueryInt("PRAGMA cell_size_check").value(), 1);
  EXPECT_EQ(database->QueryInt("PRAGMA cache_size").value(), -1024);
  Statement mode = database->Prepare("PRAGMA journal_mode").value();
  ASSERT_TRUE(mode.Step().value());
  EXPECT_EQ(mode.Text(0), "wal");
  EXPECT_FALSE(database->Execute("PRAGMA writable_schema=1; DELETE FROM sqlite_master"))
      << "defensive";
}

TEST_F(DatabaseTest, FilesAreForTheOwnerAlone) {
  const mode_t old = ::umask(0);
  auto database = OpenAt(path);
  ASSERT_TRUE(database->Execute("CREATE TABLE t(a); INSERT INTO t VALUES(1)"));
  ::umask(old);
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat info {};
    ASSERT_EQ(::stat((path.string() + suffix).c_str(), &info), 0) << suffix;
    EXPECT_EQ(info.st_mode & 0777U, 0600U) << suffix;
  }
}

TEST_F(DatabaseTest, ASymbolicLinkIsRefused) {
  OpenAt(folder.path() / "real.db");
  fs::create_symlink(folder.path() / "real.db", path);
  const auto database = Database::Open(path, {.application_id = kId});
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().kind, ErrorKind::kStorage);
  EXPECT_NE(database.error().message.find("symbolic link"), std::string::npos);
}

TEST_F(DatabaseTest, AnotherProgramsFileIsRefusedAndLeftAsItIs) {
  auto other = Database::Open(path, {.application_id = 12});
  ASSERT_TRUE((*other)->Execute("PRAGMA application_id=12; CREATE TABLE t(a)"));
  other->reset();
  const auto database = Database::Open(path, {.application_id = kId});
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().kind, ErrorKind::kStorage);
  EXPECT_NE(database.error().message.find("not a file of Picket"), std::string::npos);
  EXPECT_TRUE(Database::Open(path, {.application_id = 12}));
}

TEST_F(DatabaseTest, WhatIsNoDatabaseGetsAnErrorThatSaysWhatToDo) {
  std::ofstream(path) << std::string(8192, 'x');
  const auto database = Database::Open(path, {.application_id = kId});
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().kind, ErrorKind::kStorage);
  EXPECT_EQ(database.error().remote_code, "SQLITE_NOTADB");
  EXPECT_NE(database.error().message.find(path.string()), std::string::npos);
  EXPECT_NE(database.error().hint.find("move it aside"), std::string::npos);
}

TEST_F(DatabaseTest, ATruncatedFileIsDamaged) {
  auto database = OpenAt(path);
  ASSERT_TRUE(database->Execute("CREATE TABLE t(a)"));
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(database->Execute("INSERT INTO t VALUES(randomblob(2000))"));
  }
  database.reset();
  fs::resize_file(path, fs::file_size(path) / 2);
  auto opened = Database::Open(path, {.application_id = 0});
  Result<std::int64_t> sum = 0;
  if (opened) sum = (*opened)->QueryInt("SELECT sum(length(a)) FROM t");
  const Error error = opened ? sum.error() : opened.error();
  EXPECT_EQ(error.kind, ErrorKind::kStorage);
  EXPECT_EQ(error.remote_code, "SQLITE_CORRUPT");
}

TEST_F(DatabaseTest, AMissingFolderIsNamed) {
  const auto database = Database::Open(folder.path() / "no" / "a.db", {.application_id = kId});
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().remote_code, "SQLITE_CANTOPEN");
  EXPECT_NE(database.error().message.find("no/a.db"), std::string::npos);
}

TEST_F(DatabaseTest, AFolderThatMayNotBeWrittenIsAStorageError) {
  ::chmod(folder.path().c_str(), 0555);
  const int answer = InChild([&] {
    if (::getuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return 9;
    const auto database = Database::Open(path, {.application_id = kId});
    if (database) return 1;
    return database.error().kind == ErrorKind::kStorage && !database.error().hint.empty() ? 0 : 2;
  });
  ::chmod(folder.path().c_str(), 0700);
  EXPECT_EQ(answer, 0);
}

TEST_F(DatabaseTest, AFullDiskFailsTheTransactionAndNothingElse) {
  {
    auto database = OpenAt(path);
    ASSERT_TRUE(database->Execute("CREATE TABLE t(a); INSERT INTO t VALUES('before')"));
  }
  const int answer = InChild([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    auto database = Database::Open(path, {.application_id = 0});
    if (!database) return 1;
    const rlimit limit{.rlim_cur = 200'000, .rlim_max = 200'000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
    auto transaction = Transaction::Begin(**database);
    if (!transaction) return 3;
    Status status;
    for (int i = 0; i < 1000 && status; ++i) {
      status = (*database)->Execute("INSERT INTO t VALUES(randomblob(2000))");
    }
    if (status) status = transaction->Commit();
    if (status) return 4;
    return status.error().kind == ErrorKind::kStorage && !status.error().hint.empty() ? 0 : 5;
  });
  EXPECT_EQ(answer, 0);
  auto database = Database::Open(path, {.application_id = 0});
  ASSERT_TRUE(database);
  EXPECT_EQ((*database)->QueryInt("SELECT count(*) FROM t").value(), 1);
}

TEST_F(DatabaseTest, AFileAtItsPageLimitIsFull) {
  auto database = OpenAt(path);
  ASSERT_TRUE(database->Execute("CREATE TABLE t(a); PRAGMA max_page_count=10"));
  Status status;
  for (int i = 0; i < 100 && status; ++i) {
    status = database->Execute("INSERT INTO t VALUES(randomblob(2000))");
  }
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kStorage);
  EXPECT_EQ(status.error().remote_code, "SQLITE_FULL");
}

TEST_F(DatabaseTest, AnUncommittedTransactionLeavesNothing) {
  auto database = OpenAt(path);
  ASSERT_TRUE(database->Execute("CREATE TABLE t(a)"));
  {
    auto transaction = Transaction::Begin(*database);
    ASSERT_TRUE(database->Execute("INSERT INTO t VALUES(1)"));
    EXPECT_FALSE(database->Autocommit());
  }
  EXPECT_TRUE(database->Autocommit());
  EXPECT_EQ(database->QueryInt("SELECT count(*) FROM t").value(), 0);
  EXPECT_EQ(database->Rollbacks(), 1);
  {
    auto transaction = Transaction::Begin(*database);
    ASSERT_TRUE(database->Execute("INSERT INTO t VALUES(1)"));
    ASSERT_TRUE(transaction->Commit());
  }
  EXPECT_EQ(database->QueryInt("SELECT count(*) FROM t").value(), 1);
  EXPECT_EQ(database->Rollbacks(), 1);
}

TEST_F(DatabaseTest, ASnapshotSeesOneState) {
  auto reader = OpenAt(path);
  ASSERT_TRUE(reader->Execute("CREATE TABLE t(a)"));
  auto writer = Database::Open(path, {.application_id = 0});
  ASSERT_TRUE(writer);
  {
    auto snapshot = Snapshot::Begin(*reader);
    ASSERT_TRUE(snapshot);
    ASSERT_TRUE((*writer)->Execute("INSERT INTO t VALUES(1)"));
    EXPECT_EQ(reader->QueryInt("SELECT count(*) FROM t").value(), 0);
  }
  EXPECT_EQ(reader->QueryInt("SELECT count(*) FROM t").value(), 1);
}

TEST_F(DatabaseTest, AFileThatAnotherProcessHoldsIsTransient) {
  auto first = OpenAt(path);
  ASSERT_TRUE(first->Execute("CREATE TABLE t(a)"));
  auto second = Database::Open(path, {.application_id = 0});
  ASSERT_TRUE((*second)->Execute("PRAGMA busy_timeout=0"));
  auto held = Transaction::Begin(*first);
  const auto refused = Transaction::Begin(**second);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kTransient);
  EXPECT_EQ(refused.error().remote_code, "SQLITE_BUSY");
}

TEST_F(DatabaseTest, AStatementComesBackClean) {
  auto database = OpenAt(path);
  constexpr std::string_view kSql = "SELECT ?1, ?2";
  {
    Statement first = database->Prepare(kSql).value();
    ASSERT_TRUE(first.Bind(1, std::string_view("a")).Bind(2, std::int64_t{1}).Step().value());
    // The same text while the first is still open is another statement.
    Statement second = database->Prepare(kSql).value();
    ASSERT_TRUE(second.Step().value());
    EXPECT_TRUE(second.IsNull(0));
    EXPECT_EQ(first.Text(0), "a");
  }
  Statement again = database->Prepare(kSql).value();
  ASSERT_TRUE(again.Step().value());
  EXPECT_TRUE(again.IsNull(0));
  EXPECT_TRUE(again.IsNull(1));
}

TEST_F(DatabaseTest, EveryKindOfValueComesBack) {
  auto database = OpenAt(path);
  Statement select = database->Prepare("SELECT ?1, ?2, ?3, ?4, ?5").value();
  const std::string bytes("a\0b", 3);
  select.Bind(1, std::int64_t{INT64_MIN}).Bind(2, 0.1).Bind(3, std::string_view{});
  select.BindBlob(4, bytes).BindNull(5);
  ASSERT_TRUE(select.Step().value());
  EXPECT_EQ(select.Int(0), INT64_MIN);
  EXPECT_EQ(select.Real(1), 0.1);
  EXPECT_FALSE(select.IsNull(2)) << "an empty text is a text";
  EXPECT_EQ(select.Text(2), "");
  EXPECT_EQ(select.Blob(3), bytes);
  EXPECT_TRUE(select.IsBlob(3));
  EXPECT_TRUE(select.IsNull(4));
  EXPECT_TRUE(select.IsInt(0));
}

TEST_F(DatabaseTest, AValueThatIsTooLargeIsAnErrorAndNotANull) {
  auto database = OpenAt(path);
  Statement select = database->Prepare("SELECT ?1").value();
  const std::string large(65U << 20U, 'x');
  const auto row = select.Bind(1, std::string_view(large)).Step();
  ASSERT_FALSE(row);
  EXPECT_EQ(row.error().kind, ErrorKind::kStorage);
}

TEST_F(DatabaseTest, AnErrorOfSqlNamesTheFile) {
  auto database = OpenAt(path);
  const Status status = database->Execute("SELEKT 1");
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("a.db"), std::string::npos);
}

TEST_F(DatabaseTest, MigrationsGoForwardEachOnce) {
  auto database = OpenAt(path);
  const std::vector<const char*> one = {"CREATE TABLE a(x)"};
  const std::vector<const char*> two = {"CREATE TABLE a(x)", "ALTER TABLE a ADD COLUMN y"};
  ASSERT_TRUE(Migrate(*database, kId, one));
  ASSERT_TRUE(database->Execute("INSERT INTO a VALUES(1)"));
  EXPECT_EQ(CheckSchema(*database, two).error().kind, ErrorKind::kRefused);
  ASSERT_TRUE(Migrate(*database, kId, two));
  ASSERT_TRUE(Migrate(*database, kId, two));
  EXPECT_TRUE(CheckSchema(*database, two));
  EXPECT_EQ(database->QueryInt("PRAGMA user_version").value(), 2);
  EXPECT_EQ(database->QueryInt("PRAGMA application_id").value(), kId);
  EXPECT_EQ(database->QueryInt("SELECT count(y IS NULL) FROM a").value(), 1);
}

TEST_F(DatabaseTest, AFailedMigrationChangesNothing) {
  auto database = OpenAt(path);
  ASSERT_FALSE(Migrate(*database, kId, {"CREATE TABLE a(x)", "CREATE TABLE b(x); SELEKT 1"}));
  EXPECT_EQ(database->QueryInt("PRAGMA user_version").value(), 0);
  EXPECT_EQ(database->QueryInt("SELECT count(*) FROM sqlite_master").value(), 0);
}

TEST_F(DatabaseTest, AFileOfANewerVersionIsRefused) {
  auto database = OpenAt(path);
  ASSERT_TRUE(database->Execute("PRAGMA user_version=9"));
  for (const Status& status : {Migrate(*database, kId, {"CREATE TABLE a(x)"}),
                               CheckSchema(*database, {"CREATE TABLE a(x)"})}) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::kStorage);
    EXPECT_NE(status.error().message.find("newer"), std::string::npos);
  }
}

}  // namespace
}  // namespace picket::storage

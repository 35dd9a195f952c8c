// A file that the version before wrote: copied, upgraded, or left as it was.

#include "storage/upgrade.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "storage/crash_points.h"
#include "storage/migrations.h"
#include "tests/storage/store_fixture.h"

#ifdef PICKET_CRASH_POINTS
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#endif

namespace picket::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// The tenant's file as the version before left it, with events, an alert and a decision.
class UpgradeTest : public StoreTest {
 protected:
  UpgradeTest() { MakeOld(folder.path()); }

  void MakeOld(const fs::path& data_dir) {
    store.reset();
    const fs::path path = TenantStore::PathOf(data_dir, tenant);
    fs::remove_all(data_dir / "tenants");
    fs::create_directory(data_dir / "tenants");
    fs::permissions(data_dir / "tenants", fs::perms::owner_all);
    std::vector<const char*> steps = TenantMigrations();
    steps.pop_back();
    auto database = Database::Open(path, {.application_id = kTenantApplicationId}).value();
    ASSERT_TRUE(Migrate(*database, kTenantApplicationId, steps));
    ASSERT_TRUE(database->Execute(
        "INSERT INTO tenant(guid) VALUES('" + ToString(tenant) +
        "');INSERT INTO decision(time, who, subject, kind, text) VALUES(1,'ann','i','note','n');"
        "INSERT INTO rule_cursor(rule, hash, seq, evaluated) VALUES('r','h',7,8);"
        "INSERT INTO finding(id, rule, stream, event, entity_type, entity_id, entity_name, time, "
        "tick, state, alert, row, found) VALUES('f','r','things',3,'user','u','U',1,2,'active',"
        "'a','{}',4);"
        "INSERT INTO ledger(stream, kind, from_time, to_time, state, opened) "
        "VALUES('things','live',1,9,'read',9)"));
  }
  Result<std::unique_ptr<TenantStore>> Open() {
    store.reset();
    return TenantStore::Open(folder.path(), tenant, {ThingSchema()}, ValuesFor(ThingSchema()), {});
  }
  static void ExpectOldContent(TenantStore& opened) {
    EXPECT_EQ(opened.decisions().Of("i").value().size(), 1U);
    EXPECT_EQ(opened.alerts().Cursor("r").value()->seq, 7);
    EXPECT_EQ(opened.alerts().Finding("f").value()->event, 3);
    EXPECT_EQ(opened.ledger().Windows("things", "read").value().size(), 1U);
    EXPECT_TRUE(opened.Check());
  }
  static std::int64_t SchemaAt(const fs::path& path) {
    auto database = Database::Open(path, {.application_id = kTenantApplicationId}).value();
    return SchemaOf(*database).value();
  }
  const std::int64_t newest = static_cast<std::int64_t>(TenantMigrations().size());
};

TEST_F(UpgradeTest, AFileOfTheVersionBeforeIsBroughtUpToDateWithAllThatIsInIt) {
  auto opened = Open();
  ASSERT_TRUE(opened) << opened.error().message;
  ExpectOldContent(**opened);
  EXPECT_EQ((*opened)->outbox().Depth().value().pending, 0);
  opened->reset();
  EXPECT_EQ(SchemaAt(File()), newest);
  EXPECT_FALSE(fs::exists(UpgradeCopyOf(File(), newest - 1))) << "the copy has done its work";
}

TEST_F(UpgradeTest, ReadingOnlyUpgradesNothing) {
  const auto opened =
      TenantStore::Open(folder.path(), tenant, {ThingSchema()}, {}, {.read_only = true});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kRefused);
  EXPECT_EQ(SchemaAt(File()), newest - 1);
}

// The newest step makes this table.
constexpr const char* kInTheWay = "CREATE TABLE publication(incident TEXT)";

TEST_F(UpgradeTest, AnUpgradeThatFailsLeavesTheFileAsItWasAndNamesItsCopy) {
  {
    auto database = Database::Open(File(), {.application_id = kTenantApplicationId}).value();
    ASSERT_TRUE(database->Execute(kInTheWay));
  }
  const auto opened = Open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kStorage);
  const fs::path copy = UpgradeCopyOf(File(), newest - 1);
  EXPECT_THAT(opened.error().hint, HasSubstr(copy.string()));
  EXPECT_EQ(SchemaAt(File()), newest - 1);
  ASSERT_TRUE(fs::exists(copy));
  struct stat info {};
  ASSERT_EQ(::stat(copy.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  // Both are whole: without what was in the way, either can be upgraded.
  for (const fs::path& path : {File(), copy}) {
    if (path == copy) fs::rename(copy, File());
    {
      auto database = Database::Open(File(), {.application_id = kTenantApplicationId}).value();
      ASSERT_TRUE(database->Execute("DROP TABLE publication"));
      if (path != copy) {
        ASSERT_TRUE(CopyDatabase(*database, folder.path() / "aside"));
      }
    }
    auto again = Open();
    ASSERT_TRUE(again) << again.error().message;
    ExpectOldContent(**again);
    again->reset();
    if (path != copy) {
      EXPECT_FALSE(fs::exists(copy));
      fs::rename(folder.path() / "aside", copy);
      auto database = Database::Open(copy, {.application_id = kTenantApplicationId}).value();
      ASSERT_TRUE(database->Execute(kInTheWay));
    }
  }
}

TEST_F(UpgradeTest, WithoutACopyThereIsNoUpgrade) {
  const fs::path copy = UpgradeCopyOf(File(), newest - 1);
  // A folder of that name cannot be replaced by a file.
  fs::create_directories(copy / "in the way");
  const auto opened = Open();
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr(copy.string()));
  EXPECT_EQ(SchemaAt(File()), newest - 1);
}

TEST_F(UpgradeTest, PurgingTakesTheCopiesToo) {
  std::ofstream(UpgradeCopyOf(File(), newest - 1)) << "left over";
  ASSERT_TRUE(TenantStore::Purge(folder.path(), tenant));
  EXPECT_TRUE(fs::is_empty(File().parent_path()));
}

#ifdef PICKET_CRASH_POINTS
TEST_F(UpgradeTest, WhereverTheProcessDiesTheNextOneFinishesTheUpgrade) {
  CrashAt(0);
  ASSERT_TRUE(Open());
  const long points = CrashPointsPassed();
  ASSERT_GT(points, 4);
  for (long at = 1; at <= points; ++at) {
    ScratchDirectory other(ScratchDirectory::Where::kMemory);
    MakeOld(other.path());
    const auto open = [&] {
      return TenantStore::Open(other.path(), tenant, {ThingSchema()}, ValuesFor(ThingSchema()), {});
    };
    const pid_t child = ::fork();
    if (child == 0) {
      CrashAt(at);
      (void)open();
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "point " << at;
    auto opened = open();
    ASSERT_TRUE(opened) << "point " << at << ": " << opened.error().message;
    ExpectOldContent(**opened);
    opened->reset();
    const fs::path path = TenantStore::PathOf(other.path(), tenant);
    EXPECT_EQ(SchemaAt(path), newest) << "point " << at;
    for (const auto& entry : fs::directory_iterator(path.parent_path())) {
      EXPECT_EQ(entry.path(), path) << "nothing is left behind, point " << at;
    }
  }
}
#endif

}  // namespace
}  // namespace picket::storage

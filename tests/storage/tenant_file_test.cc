// The life of a tenant's file: made, opened again, migrated, rebuilt, expired, copied, purged.

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "storage/migrations.h"
#include "tests/storage/store_fixture.h"

namespace picket::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TenantFileTest : public StoreTest {
 protected:
  Result<std::unique_ptr<TenantStore>> OpenWith(const StreamSchema& schema,
                                                bool read_only = false) {
    store.reset();
    return TenantStore::Open(folder.path(), tenant, {schema}, ValuesFor(schema),
                             {.read_only = read_only});
  }
  // Looks into the closed file.
  std::int64_t Ask(const std::string& sql) {
    auto database = Database::Open(File(), {.application_id = kTenantApplicationId}).value();
    return database->QueryInt(sql).value();
  }
};

TEST_F(TenantFileTest, AnotherTenantsFileIsRefused) {
  store.reset();
  const Guid other = Uuid5(kPicketNamespace, "another");
  fs::copy_file(File(), TenantStore::PathOf(folder.path(), other));
  const auto opened =
      TenantStore::Open(folder.path(), other, {ThingSchema()}, ValuesFor(ThingSchema()), {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kStorage);
  EXPECT_NE(opened.error().message.find("another tenant"), std::string::npos);
}

TEST_F(TenantFileTest, InMemoryItIsAsUsualAndLeavesNoFile) {
  const auto listed = [] {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(".")) names.push_back(entry.path().string());
    std::sort(names.begin(), names.end());
    return names;
  };
  const auto before = listed();
  const auto open = [&] {
    return TenantStore::Open(":memory:", tenant, {ThingSchema()}, ValuesFor(ThingSchema()), {});
  };
  {
    auto opened = open();
    ASSERT_TRUE(opened) << opened.error().message;
    store = *std::move(opened);
    Put({{.id = "a"}, {.id = "b"}});
    EXPECT_EQ(store->events().Count(kStream).value(), 2);
    ASSERT_TRUE(store->Check());
    store.reset();
  }
  EXPECT_EQ(open().value()->events().Count(kStream).value(), 0) << "each is another";
  EXPECT_EQ(listed(), before);
}

TEST_F(TenantFileTest, ReadingOnlyMakesNothing) {
  const Guid other = Uuid5(kPicketNamespace, "another");
  const auto opened = TenantStore::Open(folder.path(), other, {}, {}, {.read_only = true});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(fs::exists(TenantStore::PathOf(folder.path(), other)));
  Put({{.id = "a"}});
  auto reader = OpenWith(ThingSchema(), /*read_only=*/true);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ((*reader)->events().Count(kStream).value(), 1);
  EXPECT_FALSE((*reader)->streams().Put(kStream, {}));
}

TEST_F(TenantFileTest, AFileOfANewerVersionIsRefusedAndNotTouched) {
  store.reset();
  {
    auto database = Database::Open(File(), {.application_id = kTenantApplicationId}).value();
    ASSERT_TRUE(database->Execute("PRAGMA user_version=99"));
  }
  for (const bool read_only : {false, true}) {
    const auto opened = OpenWith(ThingSchema(), read_only);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, ErrorKind::kStorage);
    EXPECT_NE(opened.error().message.find("newer"), std::string::npos);
  }
  EXPECT_EQ(Ask("PRAGMA user_version"), 99);
}

TEST_F(TenantFileTest, ANewMappingMakesTheColumnsAgainAndKeepsTheRest) {
  Put({{.id = "18e9803a-3394-580e-b321-53d788c2c042",
        .created = 5,
        .updated = 7,
        .more = R"("color":"red","name":"x")"},
       {.id = "b", .created = 6, .more = R"("color":"red","name":"x")"}});
  Put({{.id = "b", .created = 6, .more = R"("color":"blue","name":"y")"}});
  const std::vector<std::string> jsons = Jsons();
  const std::int64_t seq = Seq();
  EXPECT_EQ(OpenWith(ColorfulSchema(), true).error().kind, ErrorKind::kRefused);
  auto colorful = OpenWith(ColorfulSchema());
  ASSERT_TRUE(colorful) << colorful.error().message;
  EXPECT_EQ((*colorful)->events().LastSeq().value(), seq);
  EXPECT_EQ(VersionsOf(**colorful, 0).size(), 3U);
  std::vector<std::string> colors;
  std::vector<std::string> kept;
  {
    auto scan = (*colorful)->events().Scan(kStream, {.columns = {6, 0}}).value();
    while (scan.Next().value()) {
      colors.push_back(std::string(scan.Text(0)) + " " + std::string(scan.Text(1)));
      kept.emplace_back(scan.Json().value());
    }
  }
  EXPECT_THAT(colors, ElementsAre("red x", "blue y"));
  EXPECT_EQ(kept, jsons);
  // A reading that was the same before is the same after.
  const Merger merger = MergerFor(ColorfulSchema());
  const std::int64_t window = (*colorful)->ledger().Open(kStream, "live", {}, {}, {}).value();
  const Page page({{.id = "b", .created = 6, .more = R"("color":"blue","name":"y")"}},
                  ColorfulSchema());
  EXPECT_EQ((*colorful)->StorePage(kStream, window, page.records(), 0, {.merger = &merger})->same,
            1);
  colorful->reset();
  // And back again, by the version alone.
  Reopen();
  EXPECT_EQ(Jsons(), jsons);
}

TEST_F(TenantFileTest, AnEventThatTheNewMappingDoesNotTakeIsKept) {
  Put({{.id = "a", .more = R"("name":"x")"}, {.id = "b", .more = R"("name":"y")"}});
  store.reset();
  const StreamSchema schema = ColorfulSchema();
  const EventStore::ValuesOf picky = [&](std::string_view, std::string_view json) {
    return json.find(R"("id":"a")") != std::string_view::npos
               ? Result<OwnedRecord>(Fail({.kind = ErrorKind::kUnexpectedReply, .message = "no"}))
               : ReadThing(schema, std::string(json), 0);
  };
  auto opened = TenantStore::Open(folder.path(), tenant, {schema}, picky, {});
  ASSERT_TRUE(opened) << opened.error().message;
  auto scan = (*opened)->events().Scan(kStream, {.columns = {0}}).value();
  ASSERT_TRUE(scan.Next().value());
  EXPECT_TRUE(scan.IsNull(0));
  EXPECT_NE(scan.Json().value().find(R"("name":"x")"), std::string::npos);
  ASSERT_TRUE(scan.Next().value());
  EXPECT_EQ(scan.Text(0), "y");
}

TEST_F(TenantFileTest, OldEventsGoWithTheirFramesAndVersions) {
  std::vector<Thing> old;
  std::vector<Thing> young;
  for (int i = 0; i < 5000; ++i) {
    old.push_back({.id = "old" + std::to_string(i), .created = 100 + i});
    if (i < 100) young.push_back({.id = "young" + std::to_string(i), .created = 90'000 + i});
  }
  Put(old);
  Put(young);
  for (Thing& thing : old) thing.more = R"("name":"changed")";
  old.resize(10);
  Put(old);
  EXPECT_EQ(store->Expire(Instant{50'000}, Instant{60'000}).value(), 5000);
  EXPECT_EQ(store->events().Count(kStream).value(), 100);
  EXPECT_EQ(Jsons().size(), 100U);
  EXPECT_EQ(VersionsOf(*store, 0).size(), 100U);
  store.reset();
  EXPECT_EQ(Ask("SELECT count(*) FROM frame"), 2);
  EXPECT_EQ(Ask("SELECT count(*) FROM event_version"), 0);
}

TEST_F(TenantFileTest, AFrameStaysAsLongAsOneOfItsEvents) {
  Put({{.id = "old", .created = 10}, {.id = "young", .created = 20}});
  EXPECT_EQ(store->Expire(Instant{15}, Instant{}).value(), 1);
  EXPECT_THAT(Jsons(), ElementsAre(::testing::HasSubstr("young")));
}

TEST_F(TenantFileTest, KeysAreNeverGivenAgain) {
  Put({{.id = "a", .created = 10}, {.id = "b", .created = 11}});
  const std::int64_t last = Seq();
  ASSERT_EQ(store->Expire(Instant{100}, Instant{}).value(), 2);
  Put({{.id = "c", .created = 200}});
  const auto versions = VersionsOf(*store, 0);
  ASSERT_EQ(versions.size(), 1U);
  EXPECT_GT(versions[0].key, last);
  EXPECT_EQ(store->events().IdOf(kStream, versions[0].key).value(), "c");
  EXPECT_EQ(store->events().IdOf(kStream, 1).error().kind, ErrorKind::kNotFound);
}

TEST_F(TenantFileTest, WordsThatNobodyUsesGoWhenTheyAreMany) {
  const auto things = [](const std::string& prefix, std::int64_t created, int count) {
    std::vector<Thing> made;
    for (int i = 0; i < count; ++i) {
      const std::string name =
          R"("name":")" + prefix + " number " + std::to_string(i % (count / 2));
      made.push_back(
          {.id = prefix + "/" + std::to_string(i), .created = created, .more = name + '"'});
    }
    return made;
  };
  // Page by page, so that each name is seen for the second time while it is remembered.
  for (int page = 0; page < 40; ++page) Put(things("old" + std::to_string(page), 10, 600));
  Put(things("young", 1000, 600));
  const std::vector<std::string> before = Jsons();
  store.reset();
  EXPECT_GT(Ask("SELECT count(*) FROM word"), 11'000);
  Reopen();
  ASSERT_EQ(store->Expire(Instant{500}, Instant{}).value(), 24'000);
  auto scan = store->events().Scan(kStream, {.columns = {0}}).value();
  int rows = 0;
  while (scan.Next().value()) {
    EXPECT_EQ(scan.Text(0).substr(0, 13), "young number ");
    ++rows;
  }
  EXPECT_EQ(rows, 600);
  EXPECT_EQ(Put(things("young", 1000, 600)).same, 600);
  EXPECT_EQ(Put(things("again", 1000, 600)).added, 600);
  store.reset();
  EXPECT_LE(Ask("SELECT count(*) FROM word"), 600);
}

TEST_F(TenantFileTest, ABackupIsACopyForTheOwnerAlone) {
  Put({{.id = "a", .more = R"("name":"x")"}});
  const fs::path copy = folder.path() / "copy.db";
  const mode_t old = ::umask(0);
  ASSERT_TRUE(store->Backup(copy));
  ::umask(old);
  struct stat info {};
  ASSERT_EQ(::stat(copy.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  const Status again = store->Backup(copy);
  ASSERT_FALSE(again) << "a copy never overwrites";
  EXPECT_EQ(again.error().kind, ErrorKind::kStorage);
  const std::vector<std::string> jsons = Jsons();
  store.reset();
  fs::remove(File());
  fs::rename(copy, File());
  Reopen();
  EXPECT_EQ(Jsons(), jsons);
  EXPECT_TRUE(store->Check());
}

TEST_F(TenantFileTest, DamageIsFoundByTheCheck) {
  std::vector<Thing> things;
  for (int i = 0; i < 500; ++i) things.push_back({.id = "t" + std::to_string(i), .created = i + 1});
  Put(things);
  EXPECT_TRUE(store->Check());
  store.reset();
  {
    std::FILE* file = std::fopen(File().c_str(), "r+b");
    ASSERT_NE(file, nullptr);
    const auto size = static_cast<long>(fs::file_size(File()));
    const std::string junk(4096, '\x5a');
    for (long page = size / 4096 / 2; page < size / 4096; ++page) {
      std::fseek(file, page * 4096, SEEK_SET);
      std::fwrite(junk.data(), 1, junk.size(), file);
    }
    std::fclose(file);
  }
  auto opened = OpenWith(ThingSchema());
  const Status found = opened ? (*opened)->Check() : Status(Fail(opened.error()));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kStorage);
  EXPECT_FALSE(found.error().hint.empty());
}

TEST_F(TenantFileTest, PurgingDeletesAllFilesAndNamesThem) {
  Put({{.id = "a"}});
  const Guid other = Uuid5(kPicketNamespace, "another");
  ASSERT_TRUE(TenantStore::Open(folder.path(), other, {}, {}, {}));
  store.reset();
  std::ofstream(File().string() + "-wal") << "left over";
  const auto deleted = TenantStore::Purge(folder.path(), tenant).value();
  EXPECT_THAT(deleted, ::testing::Contains(File()));
  EXPECT_FALSE(fs::exists(File()));
  EXPECT_TRUE(fs::exists(TenantStore::PathOf(folder.path(), other)));
  EXPECT_THAT(TenantStore::Purge(folder.path(), tenant).value(), IsEmpty());
  for (const auto& entry : fs::directory_iterator(folder.path() / "tenants")) {
    EXPECT_EQ(entry.path().string().find(ToString(tenant)), std::string::npos);
  }
}

TEST_F(TenantFileTest, RestingLosesNothing) {
  Put({{.id = "a", .more = R"("name":"some name")"}, {.id = "b", .more = R"("name":"some name")"}});
  const auto jsons = Jsons();
  store->Rest();
  EXPECT_EQ(Jsons(), jsons);
  EXPECT_EQ(Put({{.id = "c", .more = R"("name":"some name")"}}).added, 1);
}

}  // namespace
}  // namespace picket::storage

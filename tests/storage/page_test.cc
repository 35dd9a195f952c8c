// What becomes of a page's records.

#include <gmock/gmock.h>

#include "tests/storage/store_fixture.h"

namespace picket::storage {
namespace {

using ::testing::ElementsAre;

class PageTest : public StoreTest {};

TEST_F(PageTest, RowsAndLedgerTellTheSame) {
  const Merger merger = MergerFor(ThingSchema());
  const WriteRules rules{.now = Instant{5000}, .oldest = Instant{100}, .merger = &merger};
  const Page page({{.id = "a"}, {.id = "b"}, {.id = "old", .created = 99}});
  const PageCounts counts =
      store->StorePage(kStream, OpenWindow(), page.records(), /*rejected=*/2, rules).value();
  EXPECT_EQ(counts.read, 5);
  EXPECT_EQ(counts.added, 2);
  EXPECT_EQ(counts.expired, 1);
  EXPECT_EQ(counts.rejected, 2);
  const Window window = store->ledger().Windows(kStream, "").value().at(0);
  EXPECT_EQ(window.pages, 1);
  EXPECT_EQ(window.counts.read, 5);
  EXPECT_EQ(window.counts.added, 2);
  EXPECT_EQ(window.counts.expired, 1);
  EXPECT_EQ(window.counts.rejected, 2);
  EXPECT_EQ(store->events().Count(kStream).value(), 2);
  EXPECT_THAT(store->events().Ids(kStream).value(), ElementsAre("a", "b"));
}

TEST_F(PageTest, AnEventPastRetentionThatAnAlertCitesIsKeptForADay) {
  const Instant now = Instant{1} + kDay * 100;
  const Merger merger = MergerFor(ThingSchema());
  const WriteRules rules{.now = now, .oldest = Instant{2000}, .merger = &merger};
  ASSERT_TRUE(store->alerts().PutFinding(
      {.id = "f", .rule = "r", .stream = kStream, .event_id = "cited", .alert = "a"}));
  ASSERT_TRUE(store->alerts().PutFinding(
      {.id = "g", .rule = "r", .stream = "another", .event_id = "other", .alert = "a"}));
  const PageCounts counts =
      Put({{.id = "cited"}, {.id = "other"}, {.id = "young", .created = 3000}}, rules);
  EXPECT_EQ(counts.added, 2);
  EXPECT_EQ(counts.expired, 1) << "the alert cites an event of that id in another stream";
  EXPECT_EQ(Put({{.id = "cited", .more = R"("name":"changed")"}}, rules).changed, 1);
  EXPECT_EQ(store->Expire(rules.oldest, now + kHour).value(), 0);
  EXPECT_THAT(Jsons(), ElementsAre(::testing::HasSubstr("changed"), ::testing::HasSubstr("young")));
  EXPECT_TRUE(store->Check());
  EXPECT_EQ(store->Expire(rules.oldest, now + kDay + kHour).value(), 1);
  EXPECT_THAT(Jsons(), ElementsAre(::testing::HasSubstr("young")));
  EXPECT_EQ(store->events().Deleted(kStream).value(), 1);
}

TEST_F(PageTest, AReadingThatChangesNothingWritesNothing) {
  Put({{.id = "a", .more = R"("name":"x","noise":1)"}});
  const std::int64_t seq = Seq();
  const PageCounts counts = Put({{.id = "a", .more = R"("name":"x","noise":2)"}});
  EXPECT_EQ(counts.same, 1) << "noise is volatile";
  EXPECT_EQ(Seq(), seq);
  EXPECT_THAT(Jsons(), ElementsAre(::testing::HasSubstr(R"("noise":1)")));
  EXPECT_EQ(VersionsOf(*store, 0).size(), 1U);
}

TEST_F(PageTest, AChangeKeepsTheVersionBefore) {
  Put({{.id = "a", .more = R"("name":"x")"}, {.id = "b"}});
  const PageCounts counts = Put({{.id = "a", .more = R"("name":"y")"}});
  EXPECT_EQ(counts.changed, 1);
  EXPECT_EQ(store->events().Count(kStream).value(), 2);
  const auto versions = VersionsOf(*store, 0);
  ASSERT_EQ(versions.size(), 3U);
  EXPECT_EQ(versions[0].key, versions[2].key) << "the event stays the same event";
  EXPECT_NE(versions[0].json.find(R"("name":"x")"), std::string::npos);
  EXPECT_NE(versions[2].json.find(R"("name":"y")"), std::string::npos);
  EXPECT_LT(versions[1].seq, versions[2].seq);
  // Only what came after the first page.
  EXPECT_EQ(VersionsOf(*store, versions[1].seq).size(), 1U);
}

TEST_F(PageTest, HiddenAndAbsentMembersNeverReplaceWhatIsKnown) {
  Put({{.id = "a", .more = R"("name":"x","place":"here")"}});
  EXPECT_EQ(Put({{.id = "a", .more = R"("name":"hidden")"}}).poorer, 1);
  EXPECT_EQ(Put({{.id = "a", .more = R"("name":null,"place":"here")"}}).poorer, 1);
  EXPECT_THAT(Jsons(), ElementsAre(::testing::HasSubstr(R"("name":"x")")));
}

TEST_F(PageTest, APoorerSourceFillsWhatIsUnknownAndReplacesNothing) {
  Put({{.id = "a", .more = R"("name":"beta")", .rank = 2}});
  EXPECT_EQ(Put({{.id = "a", .more = R"("name":"v1")", .rank = 1}}).poorer, 1);
  EXPECT_EQ(Put({{.id = "a", .more = R"("name":"v1","place":"v1")", .rank = 1}}).changed, 1);
  EXPECT_THAT(Jsons(), ElementsAre(::testing::AllOf(::testing::HasSubstr(R"("name":"beta")"),
                                                    ::testing::HasSubstr(R"("place":"v1")"))));
  EXPECT_EQ(Put({{.id = "a", .more = R"("place":"other")", .rank = 1}}).poorer, 1)
      << "the event is as rich as its richest reading";
}

TEST_F(PageTest, AnOlderReadingReplacesNothing) {
  Put({{.id = "a", .updated = 20, .more = R"("name":"new")"}});
  EXPECT_EQ(Put({{.id = "a", .updated = 10, .more = R"("name":"old")"}}).poorer, 1);
  EXPECT_EQ(Put({{.id = "a", .updated = 30, .more = R"("name":"newer")"}}).changed, 1);
  EXPECT_THAT(Jsons(), ElementsAre(::testing::HasSubstr("newer")));
}

TEST_F(PageTest, TheSameIdTwiceOnAPageIsOneRow) {
  const PageCounts counts = Put({{.id = "a", .more = R"("name":"x")"},
                                 {.id = "a", .more = R"("name":"y")"},
                                 {.id = "a", .more = R"("name":"y")"}});
  EXPECT_EQ(counts.added, 1);
  EXPECT_EQ(counts.changed, 1);
  EXPECT_EQ(counts.same, 1);
  EXPECT_THAT(Jsons(), ElementsAre(::testing::HasSubstr(R"("name":"y")")));
}

TEST_F(PageTest, AReadingThatCannotBeMergedIsRejectedAlone) {
  Put({{.id = "a"}, {.id = "b"}});
  const PageCounts counts =
      Put({{.id = "a", .more = R"("unmergeable":1)"}, {.id = "b", .more = R"("name":"y")"}});
  EXPECT_EQ(counts.rejected, 1);
  EXPECT_EQ(counts.changed, 1);
  EXPECT_EQ(counts.read, 2);
}

TEST_F(PageTest, LateRowsAreCountedAndMeasured) {
  const WriteRules rules{.now = Instant{} + kHour * 10, .read_before = Instant{} + kHour * 9};
  const PageCounts counts = Put({{.id = "late", .created = (kHour * 5).ticks},
                                 {.id = "in time", .created = (kHour * 9).ticks}},
                                rules);
  EXPECT_EQ(counts.late, 1);
  EXPECT_EQ(store->ledger().Lateness(kStream).value(), kMinute * 512) << "300 min, rounded up";
}

TEST_F(PageTest, ABackfillSaysNothingOfLateness) {
  Put({{.id = "a", .created = 1}}, {.now = Instant{} + kDay * 20});
  EXPECT_EQ(store->ledger().Lateness(kStream).value(), kMinute * 15);
}

TEST_F(PageTest, IdsThatLookAlikeAreNotTheSame) {
  const std::string lower = "18e9803a-3394-580e-b321-53d788c2c042";
  const std::string upper = "18E9803A-3394-580E-B321-53D788C2C042";
  EXPECT_EQ(Put({{.id = lower}, {.id = upper}, {.id = lower + "0"}}).added, 3);
  EXPECT_EQ(Put({{.id = lower}, {.id = upper}, {.id = lower + "0"}}).same, 3);
  EXPECT_THAT(store->events().Ids(kStream).value(),
              ::testing::UnorderedElementsAre(lower, upper, lower + "0"));
  EXPECT_TRUE(store->events().Contains(kStream, lower).value());
  EXPECT_FALSE(store->events().Contains(kStream, lower.substr(1)).value());
}

TEST_F(PageTest, LargeRecordsShareNoFrameWithMany) {
  std::vector<Thing> things;
  for (int i = 0; i < 8; ++i) {
    things.push_back(
        {.id = std::to_string(i),
         .more = R"("name":")" + std::string(600'000, static_cast<char>('a' + i)) + '"'});
  }
  EXPECT_EQ(Put(things).added, 8);
  const std::vector<std::string> jsons = Jsons();
  ASSERT_EQ(jsons.size(), 8U);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(jsons[i], things[i].Json());
}

TEST_F(PageTest, APageWithoutItsWindowIsNotKept) {
  const auto counts = store->StorePage(kStream, 4711, Page({{.id = "a"}}).records(), 0, {});
  ASSERT_FALSE(counts);
  EXPECT_EQ(counts.error().kind, ErrorKind::kInternal);
  EXPECT_THAT(store->events().Ids(kStream).value(), ElementsAre());
  EXPECT_EQ(Put({{.id = "b", .more = R"("name":"b")"}}).added, 1);
  EXPECT_THAT(Jsons(), ElementsAre(::testing::HasSubstr(R"("id":"b")")));
}

TEST_F(PageTest, WhatARollbackTookBackIsNotReadFromMemory) {
  {
    auto transaction = store->Begin();
    const Merger merger = MergerFor(ThingSchema());
    // The second reading looks into the frame of the first.
    const Page page(
        {{.id = "a", .more = R"("name":"gone")"}, {.id = "a", .more = R"("name":"gone too")"}});
    ASSERT_TRUE(store->events().Write(kStream, page.records(), {.merger = &merger}));
  }
  Put({{.id = "b", .more = R"("name":"kept")"}});
  EXPECT_THAT(Jsons(), ElementsAre(::testing::HasSubstr("kept")));
}

TEST_F(PageTest, AFullFileTakesNoMoreAndSaysSo) {
  Put({{.id = "a"}});
  Reopen({.max_bytes = 1});
  const auto counts = TryPut({{.id = "b"}});
  ASSERT_FALSE(counts);
  EXPECT_EQ(counts.error().kind, ErrorKind::kLimit);
  EXPECT_EQ(store->events().Count(kStream).value(), 1);
  EXPECT_EQ(store->ledger().Windows(kStream, "open").value().at(0).pages, 1);
}

TEST_F(PageTest, AVolumeThatIsAlmostFullStopsReading) {
  Reopen({.min_free = UINT64_MAX});
  const auto counts = TryPut({{.id = "b"}});
  ASSERT_FALSE(counts);
  EXPECT_EQ(counts.error().kind, ErrorKind::kLimit);
  EXPECT_NE(counts.error().message.find("free"), std::string::npos);
}

}  // namespace
}  // namespace picket::storage

// kill -9 at every statement that writes, one after the other, and what is found afterwards.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>

#include "storage/crash_points.h"
#include "tests/storage/store_fixture.h"

namespace picket::storage {
namespace {

#ifndef PICKET_CRASH_POINTS

TEST(CrashTest, NeedsABuildWithCrashPoints) {
  GTEST_SKIP() << "this build has no crash points (a package has none)";
}

#else

const Guid kTenant = Uuid5(kPicketNamespace, "crash test");

std::unique_ptr<TenantStore> Open(const std::filesystem::path& folder, const StreamSchema& schema) {
  auto opened = TenantStore::Open(folder, kTenant, {schema}, ValuesFor(schema), {});
  PK_CHECK(opened.has_value(), opened.has_value() ? "" : opened.error().message.c_str());
  return *std::move(opened);
}

// Some hundred events, so that a page has more than one frame.
std::vector<Thing> FirstPage() {
  std::vector<Thing> things;
  for (int i = 0; i < 130; ++i) {
    things.push_back({.id = "t" + std::to_string(i),
                      .created = 1000 + i,
                      .more = R"("name":"some name","color":"c)" + std::to_string(i % 3) + '"'});
  }
  return things;
}

std::vector<Thing> SecondPage() {
  std::vector<Thing> things = FirstPage();
  things.resize(5);
  for (Thing& thing : things) thing.more = R"("name":"another name")";
  things.push_back({.id = "late", .created = 500});
  return things;
}

// A window is read page by page, and finished in a transaction of its own, as the poller does. One
// that a crash left open is given up, and its span is read again.
void ReadWindow(TenantStore& store, const StreamSchema& schema, Instant from, Instant to,
                const std::vector<std::vector<Thing> >& pages) {
  Ledger& ledger = store.ledger();
  const std::vector<Interval> covered = ledger.Covered(kStream).value();
  for (const Interval& done : covered) {
    if (done.from <= from && to <= done.to) return;
  }
  const Merger merger = MergerFor(schema);
  const std::int64_t window = ledger.Open(kStream, "live", from, to, to).value();
  for (const std::vector<Thing>& things : pages) {
    const Page page(things, schema);
    PK_CHECK(store.StorePage(kStream, window, page.records(), 1,
                             {.now = Instant{9000}, .read_before = from, .merger = &merger}),
             "a page");
  }
  auto transaction = store.Begin();
  PK_CHECK(ledger.Finish(window, "read", to, ""), "finish");
  PK_CHECK(transaction->Commit(), "commit");
}

// A rule's turn: finding, alert, incident, what is to be sent of it, the tick and the cursor
// together. Sending is another transaction, after it.
void Evaluate(TenantStore& store) {
  AlertStore& alerts = store.alerts();
  const std::int64_t seq = store.events().LastSeq().value();
  if (const auto cursor = alerts.Cursor("rule").value(); cursor && cursor->seq == seq) return;
  auto transaction = store.Begin();
  PK_CHECK(alerts.PutFinding({.id = "f", .rule = "rule", .stream = kStream, .alert = "a"}), "");
  PK_CHECK(alerts.PutAlert({.id = "a", .rule = "rule", .incident = "i", .status = "new"}), "");
  PK_CHECK(alerts.PutEvidence("a", {.finding = "f", .row = "{}"}), "");
  PK_CHECK(alerts.PutIncident({.id = "i", .status = "new"}), "");
  const std::string state = std::to_string(seq);
  PK_CHECK(store.outbox().Put(
               {.id = "o" + state, .output = "soc", .incident = "i", .created = Instant{seq}}),
           "");
  TickStore& ticks = store.ticks();
  if (!ticks.Cursor("rule").value()) PK_CHECK(ticks.Start("rule", "v", Instant{1}), "");
  const Instant previous = ticks.Cursor("rule").value()->tick;
  PK_CHECK(ticks.Advance({.rule = "rule",
                          .tick = previous + kHour,
                          .version = "v",
                          .state = TickState::kPartial,
                          .reason = state},
                         previous),
           "");
  PK_CHECK(store.decisions().Append({.who = "w", .subject = state}), "");
  PK_CHECK(alerts.PutCursor("rule", {.seq = seq}), "");
  PK_CHECK(transaction->Commit(), "commit");
}

void Deliver(TenantStore& store) {
  const std::vector<OutboxEntry> due = store.outbox().Due("soc", Instant{9}, 9).value();
  for (const OutboxEntry& entry : due) {
    PK_CHECK(store.outbox().Acknowledged(entry.id, "r", Instant{9}), "acknowledged");
  }
}

// Everything that writes, so that it can be done again after a crash.
void Work(const std::filesystem::path& folder) {
  {
    auto store = Open(folder, ThingSchema());
    PK_CHECK(store->ledger().AbandonOpen(), "abandon");
    ReadWindow(*store, ThingSchema(), Instant{1000}, Instant{2000}, {FirstPage(), SecondPage()});
    PK_CHECK(store->streams().Put(kStream, {.state = "ok"}), "state");
    Evaluate(*store);
    Deliver(*store);
  }
  auto store = Open(folder, ColorfulSchema());
  ReadWindow(*store, ColorfulSchema(), Instant{2000}, Instant{3000},
             {{{.id = "last", .created = 2500}}});
  Evaluate(*store);
  Deliver(*store);
  PK_CHECK(store->Expire(Instant{1010}, Instant{} + kDay * 8), "expire");
}

struct State {
  std::map<std::string, std::string> events;  // id → JSON
  std::int64_t findings = 0;
  std::int64_t cursor = -1;
};

// What must hold after any crash.
State CheckAll(const std::filesystem::path& folder) {
  State state;
  // The rebuild may have happened or not; either is right, and opening goes on from there.
  auto store = Open(folder, ColorfulSchema());
  EXPECT_TRUE(store->Check());
  const auto ids = store->events().Ids(kStream).value();
  EXPECT_EQ(store->events().Count(kStream).value(), static_cast<std::int64_t>(ids.size()));
  std::int64_t added = 0;
  std::int64_t read = 0;
  std::int64_t parts = 0;
  const std::vector<Window> windows = store->ledger().Windows(kStream, "").value();
  for (const Window& window : windows) {
    const PageCounts& c = window.counts;
    added += c.added;
    read += c.read;
    parts += c.added + c.changed + c.same + c.poorer + c.rejected + c.expired;
  }
  EXPECT_EQ(read, parts) << "every record of a page has one fate";
  // Expiring deletes first 11 of them at once; before that all that the ledger counts are there.
  EXPECT_TRUE(std::cmp_equal(ids.size(), added) || std::cmp_equal(ids.size() + 11, added))
      << ids.size() << " events, " << added << " in the ledger";
  auto scan = store->events().Scan(kStream, {.columns = {0}}).value();
  for (const std::string& id : ids) state.events[id];
  while (scan.Next().value()) {
    const std::string json(scan.Json().value());
    const std::string id = json.substr(json.find("\"id\":\"") + 6);
    state.events.at(id.substr(0, id.find('"'))) = json;
    EXPECT_NE(json.find(std::string(scan.Text(0))), std::string::npos) << "columns and JSON";
  }
  for (const auto& [id, json] : state.events) EXPECT_FALSE(json.empty()) << id;
  const auto versions = VersionsOf(*store, 0);
  EXPECT_GE(versions.size(), ids.size());
  const bool finding = store->alerts().Finding("f").value().has_value();
  EXPECT_EQ(store->alerts().Alert("a").value().has_value(), finding);
  EXPECT_EQ(store->alerts().Incident("i").value().has_value(), finding);
  EXPECT_EQ(store->alerts().Evidence("a").value().size(), finding ? 1U : 0U);
  const auto cursor = store->alerts().Cursor("rule").value();
  EXPECT_EQ(cursor.has_value(), finding);
  if (!cursor) return state;
  // Whatever was judged has a tick, a decision and something sent or to be sent: one each.
  const std::string seq = std::to_string(cursor->seq);
  EXPECT_EQ(store->ticks().Waiting("", 9).value().at(0).reason, seq);
  EXPECT_EQ(store->decisions().Of(seq).value().size(), 1U);
  const auto sent = store->outbox().LastDelivery("soc", "i").value();
  const auto waiting = store->outbox().Entries("pending", 9).value();
  EXPECT_EQ(waiting.size(), sent && sent->id == "o" + seq ? 0U : 1U);
  for (const OutboxEntry& entry : waiting) EXPECT_EQ(entry.id, "o" + seq);
  return state;
}

TEST(CrashTest, RowsAndLedgerAgreeWhereverTheProcessDies) {
  ScratchDirectory whole(ScratchDirectory::Where::kMemory);
  CrashAt(0);
  Work(whole.path());
  const long points = CrashPointsPassed();
  ASSERT_GT(points, 300) << "the points are enumerated, so there must be some";
  const State expected = CheckAll(whole.path());
  EXPECT_EQ(expected.events.size(), 130U + 1 + 1 - 11);

  for (long at = 1; at <= points; ++at) {
    ScratchDirectory folder(ScratchDirectory::Where::kMemory);
    const pid_t child = ::fork();
    if (child == 0) {
      CrashAt(at);
      Work(folder.path());
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        << "point " << at << " of " << points << " was not reached";
    CheckAll(folder.path());
    Work(folder.path());
    const State state = CheckAll(folder.path());
    EXPECT_EQ(state.events, expected.events) << "after a crash at point " << at;
    if (HasFailure()) {
      FAIL() << "after a crash at point " << at << " of " << points;
    }
  }
}

// SQLite ends some failed statements alone, and leaves their transaction open.
TEST(CrashTest, AWriteThatFailsTakesItsWholePageWithIt) {
  CrashAt(0);
  ScratchDirectory folder(ScratchDirectory::Where::kMemory);
  const StreamSchema schema = ThingSchema();
  auto store = Open(folder.path(), schema);
  const std::int64_t window =
      store->ledger().Open(kStream, "live", Instant{1000}, Instant{2000}, Instant{9000}).value();
  const std::vector<Thing> things = FirstPage();
  const Page page(things, schema);
  const Merger merger = MergerFor(schema);
  const WriteRules rules{.now = Instant{9000}, .read_before = {}, .merger = &merger};
  long failed = 0;
  while (true) {
    FailWriteAt(failed + 1);
    const auto stored = store->StorePage(kStream, window, page.records(), 0, rules);
    FailWriteAt(0);
    if (stored) break;
    ++failed;
    EXPECT_EQ(stored.error().kind, ErrorKind::kStorage);
    ASSERT_EQ(store->events().Ids(kStream).value().size(), 0U) << "write " << failed;
    ASSERT_EQ(store->ledger().Windows(kStream, "").value().at(0).counts.added, 0)
        << "write " << failed;
  }
  EXPECT_GT(failed, 130) << "every write of the page was tried";
  EXPECT_EQ(store->events().Ids(kStream).value().size(), things.size());
  EXPECT_TRUE(store->Check());
}

#endif

}  // namespace
}  // namespace picket::storage

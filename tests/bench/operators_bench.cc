// The operators that detections are made of, over 200,000 sign-ins of a day: each beside the least
// that a program written for that one question does over the same file.

#include <benchmark/benchmark.h>
#include <simdjson.h>
#include <sqlite3.h>

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "agent/kql/engine.h"
#include "agent/tables/event_table_source.h"
#include "agent/tables/table_catalog.h"
#include "tests/bench/beside_floor.h"
#include "tests/bench/sign_in_pages.h"
#include "tests/bench/stored_sign_ins.h"

namespace picket::bench {
namespace {

StoredSignIns& Stored() {
  static StoredSignIns stored(
      {.pages = 200, .per_page = 1000, .users = 5'000, .between = kMillisecond * 400});
  return stored;
}

void Count(benchmark::State& state, std::int64_t found) {
  state.counters["rows/s"] = benchmark::Counter(
      static_cast<double>(Stored().events()) * static_cast<double>(state.iterations()),
      benchmark::Counter::kIsRate);
  state.counters["found"] = static_cast<double>(found);
}

// The number that the query gives as its only value.
void Ask(benchmark::State& state, std::string_view text) {
  const tables::TableCatalog catalog;
  const kql::CompileResult compiled = kql::Compile(text, catalog);
  PK_CHECK(compiled.query != nullptr, "the query compiles");
  std::int64_t found = 0;
  for (auto unused : state) {
    (void)unused;
    tables::EventTableSource source(Stored().store(), BenchTenant());
    const auto answer =
        kql::Run(*compiled.query, source, {.now = NewestEvent(), .stop = {}}).value();
    found = answer.batches.at(0).columns.at(0)->Number(0);
  }
  Count(state, found);
}

// Steps over the columns in order of time, as a scan must; `take` sees each row.
template <class Take>
void Step(const char* columns, Take take) {
  static sqlite3* const db = [] {
    sqlite3* opened = nullptr;
    constexpr int kFlags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
    PK_CHECK(sqlite3_open_v2(Stored().File().c_str(), &opened, kFlags, nullptr) == SQLITE_OK,
             "the store opens");
    return opened;
  }();
  sqlite3_stmt* statement = nullptr;
  const std::string sql = std::string("SELECT created, ") + columns +
                          " FROM event_signIns_interactive ORDER BY created, id";
  PK_CHECK(sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK,
           "the statement");
  while (sqlite3_step(statement) == SQLITE_ROW) take(statement);
  (void)sqlite3_finalize(statement);
}

// A cell's bytes. Words are numbers there, which is all that a comparison needs.
std::string_view Cell(sqlite3_stmt* row, int column) {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(row, column));
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(row, column))};
}

void BM_Scan(benchmark::State& state) {
  Ask(state,
      "SigninLogs | where AppDisplayName has 'portal' or UserPrincipalName endswith "
      "'7@contoso.example' | count");
}
void BM_ScanFloor(benchmark::State& state) {
  std::int64_t found = 0;
  for (auto unused : state) {
    (void)unused;
    found = 0;
    Step("c_AppDisplayName, c_UserPrincipalName", [&found](sqlite3_stmt* row) {
      if (Cell(row, 1).size() + Cell(row, 2).size() > 0) ++found;
    });
  }
  Count(state, found);
}

// A path that is not kept as a column: each event's JSON is unpacked.
void BM_Path(benchmark::State& state) {
  Ask(state, "SigninLogs | where tostring(MfaDetail.authMethod) == '' | count");
}
void BM_PathFloor(benchmark::State& state) {
  simdjson::ondemand::parser parser;
  simdjson::padded_string json;
  std::int64_t found = 0;
  for (auto unused : state) {
    (void)unused;
    found = 0;
    auto scan = Stored().store().events().Scan(kBenchStream, {}).value();
    while (scan.Next().value()) {
      json = simdjson::padded_string(scan.Json().value());
      auto record = parser.iterate(json);
      std::string_view method;
      if (record.find_field_unordered("mfaDetail").find_field("authMethod").get(method) !=
          simdjson::SUCCESS) {
        ++found;
      }
    }
  }
  Count(state, found);
}

void BM_Summarize(benchmark::State& state) {
  Ask(state,
      "SigninLogs | summarize sign_ins = count(), apps = dcount(AppDisplayName), "
      "newest = max(TimeGenerated) by UserPrincipalName | count");
}
void BM_SummarizeFloor(benchmark::State& state) {
  struct Group {
    std::int64_t count = 0;
    std::int64_t newest = 0;
    std::unordered_set<std::string> apps;
  };
  std::int64_t found = 0;
  for (auto unused : state) {
    (void)unused;
    std::unordered_map<std::string, Group> groups;
    Step("c_UserPrincipalName, c_AppDisplayName", [&groups](sqlite3_stmt* row) {
      Group& group = groups[std::string(Cell(row, 1))];
      ++group.count;
      group.newest = std::max<std::int64_t>(group.newest, sqlite3_column_int64(row, 0));
      group.apps.emplace(Cell(row, 2));
    });
    found = static_cast<std::int64_t>(groups.size());
  }
  Count(state, found);
}

void BM_Join(benchmark::State& state) {
  Ask(state,
      "SigninLogs | where ResultType == '0' | join kind=inner (SigninLogs "
      "| where ResultType != '0' | summarize failed = count() by UserPrincipalName "
      "| where failed > 2) on UserPrincipalName | count");
}
void BM_JoinFloor(benchmark::State& state) {
  std::int64_t found = 0;
  for (auto unused : state) {
    (void)unused;
    std::unordered_map<std::string, std::int64_t> failed;
    std::unordered_map<std::string, std::int64_t> good;
    Step("c_UserPrincipalName, c_ResultType", [&](sqlite3_stmt* row) {
      (Cell(row, 2) == "0" ? good : failed)[std::string(Cell(row, 1))] += 1;
    });
    found = 0;
    for (const auto& [user, count] : failed) {
      const auto match = good.find(user);
      if (count > 2 && match != good.end()) found += match->second;
    }
  }
  Count(state, found);
}

BENCHMARK(BM_Scan)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_ScanFloor)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_Path)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_PathFloor)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_Summarize)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_SummarizeFloor)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_Join)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_JoinFloor)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace picket::bench

int main(int argc, char** argv) {
  using picket::bench::Goal;
  const Goal path{.figure = "rows/s", .ours = "BM_Path", .floor = "", .least = 100'000};
  return picket::bench::RunBesideFloor(
      argc, argv,
      {{.figure = "rows/s", .ours = "BM_Scan", .floor = "BM_ScanFloor", .least = 0.8},
       path,
       {.figure = "rows/s", .ours = "BM_Path", .floor = "BM_PathFloor"},
       {.figure = "rows/s", .ours = "BM_Summarize", .floor = "BM_SummarizeFloor"},
       {.figure = "rows/s", .ours = "BM_Join", .floor = "BM_JoinFloor"}},
      /*repetitions=*/3);
}

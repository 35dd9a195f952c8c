// The seed detection over a million sign-ins of one day, beside SQLite stepping over the columns
// that it reads.

#include <benchmark/benchmark.h>
#include <sqlite3.h>

#include "agent/kql/engine.h"
#include "agent/rules/rule_file.h"
#include "agent/tables/event_table_source.h"
#include "agent/tables/table_catalog.h"
#include "tests/bench/beside_floor.h"
#include "tests/bench/sign_in_pages.h"
#include "tests/bench/stored_sign_ins.h"

namespace picket::bench {
namespace {

StoredSignIns& TheDay() {
  static StoredSignIns day(kMillionInADay);
  return day;
}

void CountRows(benchmark::State& state, std::int64_t found) {
  state.counters["rows/s"] = benchmark::Counter(
      static_cast<double>(TheDay().events()) * static_cast<double>(state.iterations()),
      benchmark::Counter::kIsRate);
  state.counters["found"] = static_cast<double>(found);
}

void Answer(benchmark::State& state, const std::string& text) {
  StoredSignIns& day = TheDay();
  const tables::TableCatalog catalog;
  const kql::CompileResult compiled = kql::Compile(text, catalog);
  PK_CHECK(compiled.query != nullptr, "the query compiles");
  std::size_t found = 0;
  for (auto unused : state) {
    (void)unused;
    tables::EventTableSource source(day.store(), BenchTenant());
    found = kql::Run(*compiled.query, source, {.now = NewestEvent(), .stop = {}}).value().Rows();
  }
  CountRows(state, static_cast<std::int64_t>(found));
}

void BM_Seed(benchmark::State& state) {
  const auto rule =
      rules::LoadRule(PICKET_SOURCE_DIR "/detections/entra/compromised-cloud-account.yaml");
  Answer(state, rule.value().query);
}

// The same columns and rows, in the same order, with nothing asked of them.
void BM_SqliteStep(benchmark::State& state) {
  StoredSignIns& day = TheDay();
  sqlite3* db = nullptr;
  constexpr int kFlags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;  // as bare as it gets
  PK_CHECK(sqlite3_open_v2(day.File().c_str(), &db, kFlags, nullptr) == SQLITE_OK,
           "the store opens");
  sqlite3_stmt* statement = nullptr;
  constexpr const char* kSql =
      "SELECT key, created, c_ResultType, c_RiskLevelDuringSignIn, c_RiskState, "
      "c_RiskEventTypes_V2, c_AuthenticationRequirement, c_HomeTenantId, c_ResourceTenantId, "
      "c_UserPrincipalName, c_AppDisplayName, c_IPAddress, c_LocationDetails_countryOrRegion, "
      "c_LocationDetails_city, c_DeviceDetail_browser, c_DeviceDetail_operatingSystem, "
      "c_RiskLevelAggregated, c_ConditionalAccessStatus FROM event_signIns_interactive "
      "WHERE created>=? ORDER BY created, id";
  PK_CHECK(sqlite3_prepare_v2(db, kSql, -1, &statement, nullptr) == SQLITE_OK, "the statement");
  std::int64_t bytes = 0;
  for (auto unused : state) {
    (void)unused;
    (void)sqlite3_bind_int64(statement, 1, (NewestEvent() - kDay).ticks);
    while (sqlite3_step(statement) == SQLITE_ROW) {
      for (int column = 0; column < sqlite3_column_count(statement); ++column) {
        if (sqlite3_column_type(statement, column) == SQLITE_INTEGER) {
          benchmark::DoNotOptimize(sqlite3_column_int64(statement, column));
        } else {
          benchmark::DoNotOptimize(sqlite3_column_blob(statement, column));
          bytes += sqlite3_column_bytes(statement, column);
        }
      }
    }
    (void)sqlite3_reset(statement);
  }
  benchmark::DoNotOptimize(bytes);
  (void)sqlite3_finalize(statement);
  (void)sqlite3_close(db);
  CountRows(state, 0);
}

BENCHMARK(BM_Seed)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_SqliteStep)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace picket::bench

int main(int argc, char** argv) {
  return picket::bench::RunBesideFloor(
      argc, argv,
      {{.figure = "rows/s", .ours = "BM_Seed", .floor = "BM_SqliteStep", .least = 0.8}});
}

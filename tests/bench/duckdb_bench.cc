// The seed detection over a million sign-ins of a day, in Picket and in DuckDB, side by side in one
// run. DuckDB gets the same rows twice: as a file of JSON lines, and as a table of its own.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/kql/engine.h"
#include "agent/rules/rule_file.h"
#include "agent/tables/event_table_source.h"
#include "agent/tables/table_catalog.h"
#include "tests/bench/sign_in_pages.h"
#include "tests/bench/stored_sign_ins.h"
#include "tests/process/child_process.h"
#include "tests/process/node_project.h"

namespace picket::bench {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;
constexpr int kRepetitions = 5;

kql::ResultTable Ask(StoredSignIns& stored, const std::string& text, kql::RunOptions options) {
  const tables::TableCatalog catalog;
  const kql::CompileResult compiled = kql::Compile(text, catalog);
  PK_CHECK(compiled.query != nullptr, "the query compiles");
  tables::EventTableSource source(stored.store(), BenchTenant());
  options.now = NewestEvent();
  return kql::Run(*compiled.query, source, options).value();
}

// Every row, with the columns that the detection names, a line each. Hour by hour, so
// that no more than one is held.
void Export(StoredSignIns& stored, const std::filesystem::path& file) {
  std::ofstream out(file, std::ios::binary);
  for (int hour = 24; hour > 0; --hour) {
    const kql::ResultTable rows = Ask(
        stored,
        "SigninLogs | project TimeGenerated, UserPrincipalName, AppDisplayName, IPAddress, "
        "LocationDetails, DeviceDetail, ResultType, RiskLevelDuringSignIn, RiskLevelAggregated, "
        "RiskState, RiskEventTypes_V2, ConditionalAccessStatus, AuthenticationRequirement, "
        "HomeTenantId, ResourceTenantId",
        {.from = NewestEvent() - kHour * hour,
         .until = NewestEvent() - kHour * (hour - 1) - Timespan{hour > 1 ? 1 : 0},
         .memory_bytes = std::size_t{1} << 30,
         .stop = {}});
    for (const kql::Batch& batch : rows.batches) {
      for (std::size_t row = 0; row < batch.rows; ++row) {
        for (std::size_t i = 0; i < batch.columns.size(); ++i) {
          out << (i > 0 ? "," : "{") << '"' << rows.schema[i].name
              << "\":" << kql::JsonText(*batch.columns[i], row);
        }
        out << "}\n";
      }
    }
  }
  PK_CHECK(out.good(), "the export is written");
}

struct Figure {
  double ms = 0;
  std::size_t found = 0;
};

Figure Ours(StoredSignIns& stored) {
  const auto rule =
      rules::LoadRule(PICKET_SOURCE_DIR "/detections/entra/compromised-cloud-account.yaml");
  std::vector<double> times;
  Figure figure;
  for (int i = 0; i < kRepetitions; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    figure.found = Ask(stored, rule.value().query, {.stop = {}}).Rows();
    times.push_back(Milliseconds(std::chrono::steady_clock::now() - begin).count());
  }
  std::sort(times.begin(), times.end());
  figure.ms = times[times.size() / 2];
  return figure;
}

void Tell(const char* what, const Figure& figure, std::int64_t rows) {
  fmt::print("{:<44} {:8.0f} ms  {:10.0f} rows/s  {} found\n", what, figure.ms,
             static_cast<double>(rows) / figure.ms * 1000, figure.found);
}

Figure FigureOf(const nlohmann::json& object) {
  return {.ms = object.at("ms").get<double>(), .found = object.at("found").get<std::size_t>()};
}

int Main() {
  const std::filesystem::path project = PICKET_NODE_DIR;
  const std::string missing = InstallNodeProject(PICKET_SOURCE_DIR "/tests/bench/duckdb", project);
  if (!missing.empty()) {
    fmt::print("not measured: {}\n", missing);
    return 0;
  }
  StoredSignIns stored(kMillionInADay);
  const ScratchDirectory scratch;
  const std::filesystem::path file = scratch.path() / "rows.jsonl";
  Export(stored, file);
  const Figure ours = Ours(stored);
  const auto node = ChildProcess::Start({"node", (project / "seed.js").string(), file.string(),
                                         FormatRfc3339(NewestEvent()).substr(0, 19),
                                         std::to_string(kRepetitions)});
  PK_CHECK(node != nullptr, "node starts");
  const auto theirs = nlohmann::json::parse(node->Output(), nullptr, false);
  PK_CHECK(node->ExitStatus() == 0 && theirs.is_object(), "DuckDB answers");
  const Figure json = FigureOf(theirs.at("json"));
  const Figure table = FigureOf(theirs.at("table"));
  fmt::print("one thread each, medians of {}; DuckDB {}\n", kRepetitions,
             theirs.at("version").get<std::string>());
  Tell("Picket, its own file (rows in order of time)", ours, stored.events());
  Tell("DuckDB, the rows as JSON lines", json, stored.events());
  Tell("DuckDB, its own table, in memory", table, stored.events());
  fmt::print("DuckDB made that table in {:.0f} ms.\n", theirs.at("load_ms").get<double>());
  const bool same = ours.found == json.found && ours.found == table.found;
  if (!same) fmt::print("The answers DIFFER.\n");
  return same ? 0 : 1;
}

}  // namespace
}  // namespace picket::bench

int main() { return picket::bench::Main(); }

// Published rules over a million sign-ins of ninety days, one after the other on one thread: how
// long all take, and the slowest ten. The rules are those of ../shared/corpora that read the
// sign-in tables; each sees all ninety days, as far as it looks back.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "agent/kql/engine.h"
#include "agent/tables/event_table_source.h"
#include "agent/tables/table_catalog.h"
#include "tests/bench/sign_in_pages.h"
#include "tests/bench/stored_sign_ins.h"

namespace picket::bench {
namespace {

namespace fs = std::filesystem;
using Seconds = std::chrono::duration<double>;

constexpr double kGoal = 60;  // seconds for all

struct Ran {
  std::string rule;
  double seconds = 0;
  std::size_t rows = 0;
  std::uint64_t scanned = 0;
  std::string error;  // "" when it ran
};

std::string Content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The files of the rules that the corpus calls core: they read sign-in tables alone.
std::vector<fs::path> CoreRules(const fs::path& corpora) {
  std::vector<fs::path> files;
  std::ifstream features(corpora / "kql-features.csv");
  for (std::string line; std::getline(features, line);) {
    if (line.find(",core,") == std::string::npos) continue;
    files.push_back(corpora / "kql" / line.substr(0, line.find(',')));
  }
  std::sort(files.begin(), files.end());
  return files;
}

Ran RunRule(const fs::path& file, const tables::TableCatalog& catalog, kql::TableSource& source) {
  Ran ran{.rule = file.stem().string(), .error = {}};
  const kql::CompileResult compiled = kql::Compile(Content(file), catalog);
  if (!compiled.query) {
    ran.error = kql::ToString(compiled.errors.at(0));
    return ran;
  }
  kql::RunStats stats;
  const auto begin = std::chrono::steady_clock::now();
  const auto result = kql::Run(*compiled.query, source,
                               {.now = NewestEvent(),
                                .from = NewestEvent() - kDay * 90,
                                .until = NewestEvent(),
                                .stats = &stats,
                                .stop = {}});
  ran.seconds = Seconds(std::chrono::steady_clock::now() - begin).count();
  ran.scanned = stats.scanned;
  if (result) {
    ran.rows = result->Rows();
  } else {
    ran.error = result.error().message;
  }
  return ran;
}

void Tell(std::vector<Ran> all) {
  double seconds = 0;
  std::uint64_t scanned = 0;
  std::size_t ran = 0;
  for (const Ran& each : all) {
    seconds += each.seconds;
    scanned += each.scanned;
    if (each.error.empty()) ++ran;
  }
  std::sort(all.begin(), all.end(),
            [](const Ran& a, const Ran& b) { return a.seconds > b.seconds; });
  fmt::print("\n{:>8}  {:>10}  {:>8}  the slowest ten\n", "seconds", "scanned", "rows");
  for (std::size_t i = 0; i < std::min<std::size_t>(10, all.size()); ++i) {
    fmt::print("{:8.2f}  {:10}  {:8}  {}{}\n", all[i].seconds, all[i].scanned, all[i].rows,
               all[i].rule, all[i].error.empty() ? "" : ": " + all[i].error);
  }
  for (const Ran& each : all) {
    if (!each.error.empty()) fmt::print("did not run: {}: {}\n", each.rule, each.error);
  }
  fmt::print(
      "\n{} of {} rules ran in {:.1f} s over {} rows in all = {:.0f} rows/s (goal: {} s): {}\n",
      ran, all.size(), seconds, scanned, static_cast<double>(scanned) / seconds, kGoal,
      seconds <= kGoal ? "met" : "MISSED");
}

int Main() {
  const std::vector<fs::path> rules = CoreRules(PICKET_SHARED_DIR "/corpora");
  if (rules.empty()) {
    fmt::print("not measured: there are no rules in {}\n", PICKET_SHARED_DIR "/corpora");
    return 0;
  }
  StoredSignIns stored(kMillionInAQuarter);
  const tables::TableCatalog catalog;
  tables::EventTableSource source(stored.store(), BenchTenant());
  std::vector<Ran> all;
  for (const fs::path& rule : rules) {
    all.push_back(RunRule(rule, catalog, source));
    fmt::print(stderr, "\r{} of {} rules", all.size(), rules.size());
  }
  Tell(std::move(all));
  return 0;
}

}  // namespace
}  // namespace picket::bench

int main() { return picket::bench::Main(); }

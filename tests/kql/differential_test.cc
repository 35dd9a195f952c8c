// The same query over the same rows, run in every way that may not matter: with conditions pushed
// down and without, in batches of one row and of many, with columns flat and coded, with scans
// shared and apart. Queries and rows are random; a failure names its seed.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "agent/kql/dictionary.h"
#include "tests/kql/manner_tables.h"
#include "tests/kql/oracle/check.h"
#include "tests/kql/run_query.h"

namespace picket::kql {
namespace {

using oracle::kNow;

std::map<std::string, ResultTable> TableT(std::string_view cells) {
  TestTables none;
  const CompileResult compiled =
      Compile(fmt::format("datatable(TimeGenerated:datetime, user:string, what:string, n:long, "
                          "r:real, d:dynamic)[{}] | sort by TimeGenerated asc",
                          cells),
              none);
  std::map<std::string, ResultTable> tables;
  tables["T"] =
      Run(*compiled.query, none, {.now = kNow, .batch_rows = 100'000, .stop = {}}).value();
  return tables;
}

// Answers, or the error; rows in their order.
std::string Answer(MannerTables& tables, const std::string& query, RunOptions options) {
  const CompileResult compiled = Compile(query, tables);
  if (!compiled.query) return "!" + compiled.errors.at(0).message;
  options.now = kNow;
  const auto result = Run(*compiled.query, tables, options);
  return result ? ToJson(*result) : "!" + result.error().message;
}

TEST(Differential, NoWayOfRunningAQueryChangesItsAnswer) {
  constexpr std::uint64_t kSeeds = 1000;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    oracle::Dice dice(seed);
    const oracle::Case made = oracle::MakeCase(dice);
    std::map<std::string, ResultTable> made_tables;
    for (const auto& [name, table] : made.program.tables) {
      made_tables[name] = oracle::ForEngine(table);
    }
    MannerTables tables(std::move(made_tables));
    const std::string query = oracle::Print(made.program);
    const std::string plain = Answer(
        tables, query, {.batch_rows = 1024, .pushdown = false, .share_scans = false, .stop = {}});
    ASSERT_NE(plain[0], '!') << "seed " << seed << ": " << query << "\n" << plain;
    for (int way = 0; way < 8; ++way) {
      tables.manner = {
          .skips = (way & 1) != 0, .coded = (way & 2) != 0, .dear_dynamics = dice.Once(2)};
      const std::size_t batch = (way & 4) != 0 ? 1024 : 1 + dice.Below(7);
      ASSERT_EQ(Answer(tables, query, {.batch_rows = batch, .stop = {}}), plain)
          << "seed " << seed << ", way " << way << ", batches of " << batch << ": " << query;
    }
  }
}

// A column of a store holds both, told apart by their keys alone.
TEST(Dictionary, TellsShortTextsFromNumbersAndEachOther) {
  std::map<std::uint64_t, std::string> seen;
  const auto add = [&seen](std::uint64_t key, const std::string& what) {
    const auto [place, added] = seen.emplace(key, what);
    EXPECT_TRUE(added) << what << " has the key of " << place->second;
  };
  for (int number = 1; number < 200'000; ++number) {
    add(DictionaryBuilder::KeyOfNumber(number), fmt::format("word {}", number));
  }
  for (int first = 0; first < 256; ++first) {
    const std::string one(1, static_cast<char>(first));
    add(*DictionaryBuilder::KeyOfShort(one), "a byte");
    for (int second = 0; second < 256; ++second) {
      add(*DictionaryBuilder::KeyOfShort(one + static_cast<char>(second)), "two bytes");
    }
  }
  add(*DictionaryBuilder::KeyOfShort(""), "nothing");
  EXPECT_FALSE(DictionaryBuilder::KeyOfShort("12345678"));
}

TEST(Dictionary, GoesFlatInTheMiddleOfABatchThatHasTooManyValues) {
  DictionaryBuilder builder(Type::kString, 16);
  for (int batch = 0; batch < 3; ++batch) {
    constexpr std::size_t kRows = 2 * DictionaryBuilder::kMost;
    for (std::size_t row = 0; row < kRows; ++row) {
      const std::string text = std::to_string(row);
      const auto key = DictionaryBuilder::KeyOfShort(text);
      if (!builder.Known(*key)) builder.Text(key, text);
    }
    const ColumnPtr column = builder.Finish();
    ASSERT_EQ(column->rows, kRows);
    for (std::size_t row = 0; row < kRows; ++row) EXPECT_EQ(column->Text(row), std::to_string(row));
  }
}

class SharedScan : public testing::Test {
 protected:
  SharedScan() {
    std::string cells;
    for (int i = 0; i < 200; ++i) {
      cells += fmt::format("{}datetime({}), 'user{}', 'read', {}, 1.0, dynamic(null)",
                           i > 0 ? ", " : "", FormatRfc3339(kNow - kMinute * (200 - i)), i % 7, i);
    }
    tables_ = std::make_unique<MannerTables>(TableT(cells));
  }
  std::string Ask(const std::string& query, RunOptions options = {.stop = {}}) {
    tables_->scans = 0;
    options.batch_rows = 16;
    return Answer(*tables_, query, options);
  }
  std::unique_ptr<MannerTables> tables_;
};

TEST_F(SharedScan, ReadsATableOnceThatAQueryNamesTwice) {
  const std::string query =
      "T | where n > 10 | join kind=inner (T | where n < 20 | project user, m = n) on user | count";
  const std::string answer = Ask(query);
  EXPECT_EQ(tables_->scans, 1);
  EXPECT_EQ(Ask(query, {.share_scans = false, .stop = {}}), answer);
  EXPECT_EQ(tables_->scans, 2);
}

TEST_F(SharedScan, ReadsApartWhatOverlapsInNoTime) {
  (void)Ask(
      "union (T | where TimeGenerated < ago(2h)), (T | where TimeGenerated > ago(1h)) | count");
  EXPECT_EQ(tables_->scans, 2);
}

TEST_F(SharedScan, ReadsNoDearColumnForRowsOfWhichNobodyAsksIt) {
  tables_->manner.dear_dynamics = true;
  const std::string query =
      "T | where n == 3 | project user, d | join kind=inner (T | project user) on user";
  (void)Ask(query);
  EXPECT_EQ(tables_->scans, 2);
  (void)Ask("T | project user, d | join kind=inner (T | project user) on user");
  EXPECT_EQ(tables_->scans, 1);
}

TEST_F(SharedScan, GoesOnApartWhenMemoryIsShort) {
  const std::string query = "T | union T | summarize count() by user | sort by user asc";
  const std::string answer = Ask(query);
  for (std::size_t memory = 1024; memory < (std::size_t{64} << 10); memory += 512) {
    const std::string apart =
        Ask(query, {.memory_bytes = memory, .share_scans = false, .stop = {}});
    EXPECT_EQ(Ask(query, {.memory_bytes = memory, .stop = {}}), apart) << memory << " bytes";
    if (apart[0] != '!') {
      EXPECT_EQ(apart, answer);
    }
  }
}

TEST_F(SharedScan, LeavesNoMemoryChargedBehind) {
  RunStats stats;
  (void)Ask("T | count | union (T | count)", {.stats = &stats, .stop = {}});
  EXPECT_EQ(stats.scanned, 200U);
  EXPECT_LT(stats.peak_bytes, std::size_t{64} << 10);
}

TEST(Explain, TellsWhatWasPushedDownAndWhatEachOperatorGave) {
  MannerTables tables(
      TableT("datetime(2025-11-18T22:00:00Z), 'ann', 'read', 1, 1.0, dynamic({'os':'mac'}), "
             "datetime(2025-11-18T22:10:00Z), 'bob', 'read', 2, 1.0, dynamic({'os':'win'})"));
  RunStats stats;
  const std::string answer =
      Answer(tables, "T | where user == 'ann' and n > 0 | summarize c = count() by what",
             {.stats = &stats, .stop = {}});
  EXPECT_NE(answer.find(R"(["read",1])"), std::string::npos) << answer;
  ASSERT_GE(stats.operators.size(), 3U);
  const OperatorStats& scan = stats.operators.back();
  EXPECT_EQ(scan.name, "T");
  EXPECT_EQ(scan.rows, 2U);
  ASSERT_TRUE(scan.pushed);
  EXPECT_EQ(scan.pushed->columns, (std::vector<std::string>{"user", "what", "n"}));
  EXPECT_EQ(scan.pushed->conditions, (std::vector<std::string>{R"(user == "ann")", "n > 0"}));
  const OperatorStats& where = stats.operators[stats.operators.size() - 2];
  EXPECT_EQ(where.name, "where");
  EXPECT_EQ(where.detail, R"(((user == "ann") and (n > 0)))");
  EXPECT_EQ(where.rows, 1U);
  EXPECT_EQ(where.depth + 1, scan.depth);
  EXPECT_EQ(stats.scanned, 2U);
}

}  // namespace
}  // namespace picket::kql

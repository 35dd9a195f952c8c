// Lineage is true when the query gives the same row over nothing but the events that it names.
// Random rows, random queries; a failure names its seed.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "agent/kql/kernel.h"
#include "tests/kql/run_query.h"

namespace picket::kql {
namespace {

constexpr const char* kColumns = "TimeGenerated:datetime, k:string, n:long, d:dynamic";

class Random {
 public:
  explicit Random(std::uint64_t seed) : random_(seed) {}
  std::size_t Below(std::size_t most) { return random_() % most; }
  std::string Of(const std::vector<std::string>& texts) { return texts[Below(texts.size())]; }

 private:
  std::mt19937_64 random_;
};

using Rows = std::vector<std::string>;  // cells of a datatable, a row each

Rows MakeRows(Random& random, std::size_t count) {
  Rows rows;
  for (std::size_t i = 0; i < count; ++i) {
    rows.push_back(fmt::format("datetime(2024-01-01 00:{:02}:{:02}),'{}',{},dynamic({})", i / 60,
                               i % 60, random.Of({"a", "b", "c", "d"}),
                               random.Of({"1", "2", "3", "-4", "long(null)"}),
                               random.Of({"[1,2]", "[3]", "{'x':1}", "[]", "null"})));
  }
  return rows;
}

void AddTable(TestTables& tables, const std::string& name, const Rows& rows) {
  std::string cells;
  for (const std::string& row : rows) cells += (cells.empty() ? "" : ",") + row;
  tables.Add(name, kColumns, cells);
}

std::string Where(Random& random) {
  return random.Of({"", " | where n > 1", " | where k != 'a'", " | where isnotnull(n)",
                    " | extend n = n * 2 | where n < 5", " | where k in ('a', 'b', 'c')"});
}

std::string Group(Random& random) {
  return " | summarize " +
         random.Of({"count()", "sum(n)", "min(n), max(TimeGenerated)", "make_list(n)", "dcount(n)",
                    "arg_max(TimeGenerated, n)", "countif(n > 1)", "avg(n)", "make_set(k)"}) +
         " by " + random.Of({"k", "k, bin(TimeGenerated, 1m)", "n", "bin(TimeGenerated, 5m)"});
}

// Queries of which each row of the result comes from its own events alone.
std::string MakeQuery(Random& random) {
  std::string query = "S" + Where(random);
  switch (random.Below(8)) {
    case 0:
      return query + " | project k, n, m = strlen(k)";
    case 1:
      return query + Group(random);
    case 2:
      return query + " | distinct k, n";
    case 3:
      return query + " | join kind=inner (T" + Where(random) + ") on k" + Group(random);
    case 4:
      return query + " | join kind=inner (T" + Where(random) + ") on $left.n == $right.n";
    case 5:
      return "union S, (T" + Where(random) + ")" + Group(random) + " | sort by k asc";
    case 6:
      return query + " | mv-expand d | summarize count(), make_set(tostring(d)) by k";
    default:
      return query + Group(random) + " | extend again = 1" +
             random.Of({"", " | sort by again asc", " | where again == 1"});
  }
}

std::string TextOf(const Batch& batch, std::size_t row) {
  std::string text;
  for (const ColumnPtr& column : batch.columns) text += JsonText(*column, row) + ",";
  return text;
}

std::set<std::string> AllRows(const ResultTable& table) {
  std::set<std::string> all;
  for (const Batch& batch : table.batches) {
    for (std::size_t row = 0; row < batch.rows; ++row) all.insert(TextOf(batch, row));
  }
  return all;
}

TEST(Lineage, IsEnoughToGiveTheRowAgain) {
  std::size_t compared = 0;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Random random(seed);
    const std::map<std::string, Rows> rows = {{"S", MakeRows(random, 1 + random.Below(90))},
                                              {"T", MakeRows(random, 1 + random.Below(9))}};
    TestTables tables;
    for (const auto& [name, cells] : rows) AddTable(tables, name, cells);
    const std::string query = MakeQuery(random);
    const CompileResult compiled = Compile(query, tables);
    if (!compiled.query) continue;  // a sort by a column that is not there
    const RunOptions options{.now = {}, .batch_rows = 1 + random.Below(40), .lineage = true};
    const auto result = kql::Run(*compiled.query, tables, options);
    ASSERT_TRUE(result) << query << ": " << result.error().message;
    for (const Batch& batch : result->batches) {
      for (std::size_t row = 0; row < batch.rows; ++row) {
        Origins origins;
        AddOrigins(batch, row, origins);
        ASSERT_GT(origins.count(), 0U) << query;
        if (origins.count() > origins.kept()) continue;
        std::map<std::string, std::set<std::size_t>> kept;  // in their order
        for (const std::int64_t event : origins.events()) {
          const auto table = static_cast<std::size_t>(event >> kEventBits);
          kept[result->tables.at(table)].insert(
              static_cast<std::size_t>(event & ((std::int64_t{1} << kEventBits) - 1)) - 1);
        }
        TestTables only;
        for (const auto& [name, cells] : rows) {
          Rows some;
          for (const std::size_t at : kept[name]) some.push_back(cells.at(at));
          AddTable(only, name, some);
        }
        const auto again = kql::Run(*compiled.query, only, options);
        ASSERT_TRUE(again) << again.error().message;
        EXPECT_TRUE(AllRows(*again).contains(TextOf(batch, row))) << query;
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 3000U);
  std::printf("%zu rows\n", compared);
}

TEST(Lineage, KeepsTheFirstAndTheLastEventsAndCountsAll) {
  Origins few;
  for (std::int64_t event = 0; event < 100; ++event) few.Add(event % 10);
  EXPECT_EQ(few.count(), 10U);
  Origins many = few;
  for (std::int64_t event = 0; event < 1000; ++event) many.Add(event);
  EXPECT_EQ(many.count(), 1000U);
  const std::vector<std::int64_t> events = many.events();
  ASSERT_EQ(events.size(), kMostOrigins);
  EXPECT_EQ(events.front(), 0);
  EXPECT_EQ(events[kMostOrigins / 2 - 1], 49);
  EXPECT_EQ(events[kMostOrigins / 2], 950);
  EXPECT_EQ(events.back(), 999);
  Origins both;
  both.Add(-1);
  both.Add(many);
  EXPECT_EQ(both.count(), 1001U);
}

}  // namespace
}  // namespace picket::kql

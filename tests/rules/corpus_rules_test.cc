// Published rules, unchanged, through ticks over real rows: none fails.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "agent/rules/rule_file.h"
#include "agent/rules/tick.h"
#include "agent/rules/verdict.h"
#include "agent/tables/event_table_source.h"
#include "agent/tables/table_catalog.h"
#include "tests/tables/tables_fixture.h"

namespace picket::rules {
namespace {

namespace fs = std::filesystem;
using tables::SharedFile;

class CorpusRulesTest : public tables::TablesTest {
 protected:
  // Days on which the sample has rows.
  std::set<std::int64_t> Days() {
    std::set<std::int64_t> days;
    for (const char* table : {"SigninLogs", "AuditLogs"}) {
      const auto rows = Query(std::string(table) + " | distinct bin(TimeGenerated, 1d)");
      for (const tables::ReadRow& row : rows) {
        days.insert(ParseRfc3339(row.begin()->second).value().ticks);
      }
    }
    return days;
  }
};

TEST_F(CorpusRulesTest, EveryPublishedRuleThatBindsRunsAtTicksOverTheSampleRows) {
  const fs::path rules = fs::path(PICKET_SHARED_DIR) / "corpora/kql";
  if (!fs::exists(rules)) GTEST_SKIP() << "../shared/corpora/kql is missing";
  for (const char* file : {"sign-in_adelete.csv", "disable_accounts.csv"}) {
    PICKET_SHARED_OR_SKIP(sample, "corpora/samples/sentinel-training-lab/" + std::string(file));
    const auto report = Import(sample, "SigninLogs");
    ASSERT_TRUE(report) << file << ": " << report.error().message;
  }
  PICKET_SHARED_OR_SKIP(audits, "corpora/samples/sentinel-training-lab/AuditLogs_Hunting.csv");
  ASSERT_TRUE(Import(audits, "AuditLogs"));
  const std::set<std::int64_t> days = Days();
  ASSERT_FALSE(days.empty());

  const tables::TableCatalog catalog;
  tables::EventTableSource source(*store_, tenant_);
  int files = 0, bound = 0, by_row = 0, ticks = 0, found = 0;
  for (const auto& entry : fs::directory_iterator(rules)) {
    if (entry.path().extension() != ".kql") continue;
    ++files;
    const auto rule = LoadRule(entry.path());
    ASSERT_TRUE(rule) << entry.path() << ": " << rule.error().message;
    const Verdict verdict = Check(*rule, catalog);
    if (!verdict.query) continue;
    ++bound;
    if (verdict.way == Way::kByRow) ++by_row;
    for (const std::int64_t day : days) {
      // At the end of the day, and of what the rule looks back on after it.
      for (const Timespan after : {kDay, kDay + rule->query_period}) {
        const Instant tick = NewestTick(Instant{day} + after, rule->query_frequency);
        const auto rows = Evaluate(*rule, *verdict.query, source, tick, {});
        EXPECT_TRUE(rows) << entry.path().filename() << " at " << FormatRfc3339(tick) << ": "
                          << rows.error().message;
        ++ticks;
        if (rows && !rows->empty()) ++found;
      }
    }
  }
  std::printf("%d files, %d bind (%d by row), %d ticks, %d of them with findings\n", files, bound,
              by_row, ticks, found);
  EXPECT_GT(bound, 150);
  EXPECT_GT(found, 0);
}

}  // namespace
}  // namespace picket::rules

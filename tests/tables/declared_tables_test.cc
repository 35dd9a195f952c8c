#include "agent/tables/declared_tables.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/tables/mapping.h"
#include "agent/tables/table_catalog.h"
#include "base/text.h"
#include "tests/tables/tables_fixture.h"

namespace picket::tables {
namespace {

TEST(DeclaredTables, AreThoseOfAzureMonitorColumnByColumnInTheirOrder) {
  PICKET_SHARED_OR_SKIP(text, "corpora/table-schemas.json");
  const auto schemas = nlohmann::ordered_json::parse(text, nullptr, false);
  ASSERT_TRUE(schemas.is_object());
  EXPECT_EQ(DeclaredTableNames().size(), schemas.size());
  for (const auto& [table, columns] : schemas.items()) {
    kql::Schema wanted;
    for (const auto& [column, type] : columns.items()) {
      std::string name = AsciiLower(type.get<std::string>());
      wanted.push_back({column, kql::ParseType(name == "bigint" ? "long" : name).value()});
    }
    EXPECT_EQ(DeclaredTable(table), wanted) << table;
  }
}

TEST(DeclaredTables, StandInOrderSoThatEachIsFound) {
  const auto names = DeclaredTableNames();
  EXPECT_GT(names.size(), 600U);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  for (const std::string_view name : names) {
    const auto schema = DeclaredTable(name);
    ASSERT_TRUE(schema) << name;
    EXPECT_FALSE(schema->empty()) << name;
  }
  EXPECT_FALSE(DeclaredTable(""));
  EXPECT_FALSE(DeclaredTable("IdentityInf"));
  EXPECT_FALSE(DeclaredTable("IdentityInfo2"));
  EXPECT_FALSE(DeclaredTable("identityinfo"));
}

TEST(DeclaredTables, HoldTheMappingsColumnsInTheMappingsOrder) {
  const TableCatalog catalog;
  for (const TableMapping* table : AllTables()) {
    const auto declared = DeclaredTable(table->table);
    ASSERT_TRUE(declared) << table->table;
    const kql::Schema* ours = catalog.Find(table->table);
    ASSERT_NE(ours, nullptr);
    for (std::size_t i = 0; i < declared->size(); ++i) {
      ASSERT_LT(i, ours->size()) << table->table;
      EXPECT_EQ((*ours)[i].name, (*declared)[i].name) << table->table;
      EXPECT_EQ((*ours)[i].type, (*declared)[i].type) << table->table;
    }
  }
}

class DeclaredTablesInQueries : public TablesTest {};

TEST_F(DeclaredTablesInQueries, BindAndAreEmpty) {
  const TableCatalog catalog;
  EXPECT_TRUE(catalog.MayHaveRows("SigninLogs"));
  EXPECT_FALSE(catalog.MayHaveRows("IdentityInfo"));
  EXPECT_TRUE(Query("IdentityInfo | where AccountUPN has 'a' | project AccountUPN").empty());
  EXPECT_TRUE(Query("SecurityAlert | summarize count() by AlertName").empty());
  EXPECT_EQ(Query("OfficeActivity | count").size(), 1U);
}

TEST_F(DeclaredTablesInQueries, AreLeftOutOfPatternsThatFitCollectedTables) {
  const TableCatalog catalog;
  const auto some = kql::Compile("union AAD*", catalog);
  ASSERT_TRUE(some.query);
  for (const std::string& table : some.query->Tables()) EXPECT_TRUE(catalog.MayHaveRows(table));
  EXPECT_EQ(kql::Compile("union Dns*", catalog).query->Tables(),
            (std::vector<std::string>{"DnsAuditEvents", "DnsEvents", "DnsInventory"}));
}

}  // namespace
}  // namespace picket::tables

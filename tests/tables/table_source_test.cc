#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "agent/tables/event_table_source.h"
#include "agent/tables/mapping.h"
#include "agent/tables/record_decoder.h"
#include "agent/tables/table_catalog.h"
#include "tests/tables/tables_fixture.h"

namespace picket::tables {
namespace {

class Tables : public TablesTest {
 protected:
  // Sign-ins of a month, as Graph gives them: members absent, null, empty, hidden.
  void Fill(unsigned seed, int count) {
    std::mt19937 random(seed);
    const auto pick = [&](const std::vector<nlohmann::json>& of) {
      return of[random() % of.size()];
    };
    nlohmann::json page = nlohmann::json::array();
    for (int i = 0; i < count; ++i) {
      nlohmann::json record;
      record["id"] = ToString(Uuid5(kPicketNamespace, std::to_string(i)));
      const Timespan ago = kSecond * static_cast<std::int64_t>(random() % (30 * 86400));
      record["createdDateTime"] = FormatRfc3339(now_ - ago);
      record["status"] = {{"errorCode", pick({0, 0, 50126, 50074})},
                          {"failureReason", pick({"Other.", "Bad password", nullptr})}};
      record["userPrincipalName"] = pick({"ann@x", "bob@x", "", nullptr});
      record["riskState"] = pick({"none", "atRisk", "hidden", nullptr});
      record["riskEventTypes_v2"] =
          pick({nlohmann::json::array(), nlohmann::json::array({"unfamiliarFeatures"})});
      record["isInteractive"] = pick({true, false, nullptr});
      record["location"] = {{"city", pick({"Oslo", "Azor", nullptr})}, {"countryOrRegion", "NO"}};
      if (random() % 2 == 0) record["userAgent"] = pick({"Mozilla/5.0", "curl \"8\""});
      if (random() % 7 == 0) record.erase("riskState");
      page.push_back(record);
    }
    ASSERT_EQ(Page("signIns.interactive", page.dump(), 2).added, count);
  }
};

TEST_F(Tables, AnswerAlikeWithAndWithoutPushdown) {
  Fill(7, 700);
  int rows = 0;
  for (const char* query :
       {"SigninLogs", "SigninLogs | where TimeGenerated > ago(24h)",
        "SigninLogs | where TimeGenerated between (ago(20d) .. ago(10d)) | where ResultType == '0'",
        "SigninLogs | where ResultType == 0 | project TimeGenerated, Id, ResultType",
        "SigninLogs | where UserPrincipalName == '' | project Id",
        "SigninLogs | where UserPrincipalName == 'ann@x' and IsInteractive == true | project Id",
        "SigninLogs | where IsInteractive == false | project Id, IsInteractive",
        "SigninLogs | where RiskState == 'atRisk' | project Id, LocationDetails",
        "SigninLogs | where RiskState != 'atRisk' | project Id, RiskState",
        "SigninLogs | where tostring(LocationDetails.city) == 'Oslo' | project Id, UserAgent",
        "SigninLogs | where RiskEventTypes_V2 == '[]' | project Id, Status, DeviceDetail",
        "SigninLogs | where Type == 'SigninLogs' and Category == 'x' | count",
        "SigninLogs | summarize count() by ResultType, RiskState | sort by ResultType asc, "
        "RiskState asc",
        "SigninLogs | take 5"}) {
    const std::string with = Json(query, true);
    EXPECT_EQ(with, Json(query, false)) << query;
    rows += static_cast<int>(nlohmann::json::parse(with, nullptr, false)["rows"].size());
  }
  EXPECT_GT(rows, 1000) << "the queries must find something to compare";
}

// What stops at a limit leaves the store as it was: to the byte, and open for the next query.
TEST_F(Tables, AreAsTheyWereAfterHostileQueries) {
  Fill(3, 200);
  const auto bytes = [&] {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      // Which pages are mapped is SQLite's own index of its log.
      if (entry.path().extension() == ".db-shm") continue;
      files[entry.path().filename().string()] = ReadAll(entry.path());
    }
    return files;
  };
  const auto before = bytes();
  const TableCatalog catalog;
  EventTableSource source(*store_, tenant_);
  for (const char* query :
       {"SigninLogs | extend k = 1 | join kind=inner (SigninLogs | extend k = 1) on k | join "
        "kind=inner (SigninLogs | extend k = 1) on k | summarize make_list(Id)",
        "SigninLogs | mv-expand a = range(1, 1000000) | sort by Id asc",
        "SigninLogs | extend s = strrep(strrep(Id, 1000), 1000) | summarize make_set(s)"}) {
    const kql::CompileResult compiled = kql::Compile(query, catalog);
    ASSERT_TRUE(compiled.query) << query;
    const auto result = kql::Run(*compiled.query, source,
                                 {.now = now_, .memory_bytes = std::size_t{8} << 20, .stop = {}});
    ASSERT_FALSE(result) << query;
    EXPECT_EQ(result.error().kind, ErrorKind::kLimit) << result.error().message;
  }
  EXPECT_EQ(bytes(), before);
  EXPECT_EQ(Query("SigninLogs | count").at(0).at("Count"), "200");
}

TEST_F(Tables, TypedColumnsSayTheSameAsTheJsonTheyWereMadeOf) {
  Fill(11, 200);
  const TableMapping* table = FindTable("SigninLogs");
  std::map<std::string, std::string> jsons;
  auto scan = store_->events().Scan("signIns.interactive", {}).value();
  while (scan.Next().value()) {
    const std::string json(scan.Json().value());
    jsons[nlohmann::json::parse(json, nullptr, false)["id"]] = json;
  }
  ASSERT_EQ(jsons.size(), 200U);
  for (const ReadRow& row : Query("SigninLogs")) {
    const std::string& json = jsons.at(row.at("Id"));
    for (const ColumnMapping& column : table->columns) {
      if (!column.typed) continue;
      const kql::Value value = ColumnValue(*table, column, json, tenant_);
      EXPECT_EQ(row.at(std::string(column.name)),
                kql::DisplayText(*kql::ConstantColumn(value, 1), 0))
          << column.name << " of " << json;
    }
  }
}

TEST_F(Tables, MembersThatAreKeptApartSayTheSameAsTheirJson) {
  const std::vector<std::string> locations = {
      R"({"city":"Linz","state":null,"countryOrRegion":"AT"})",
      R"({"city":"S\u00e3o \"Paulo\"","state":"","countryOrRegion":"BR"})",
      R"({"city":7,"state":true,"countryOrRegion":{"b":null,"a":[1, 2]}})",
      R"({"city":[],"state":-1.50})",
      R"({})",
      "null",
      R"("Vienna")"};
  std::string page;
  for (std::size_t i = 0; i < locations.size(); ++i) {
    page += std::string(i > 0 ? "," : "[") + R"({"id":")" + std::to_string(i) +
            R"(","createdDateTime":"2026-11-24T08:00:00Z","location":)" + locations[i] +
            R"(,"deviceDetail":{"browser":"Edge","isManaged":true,"displayName":null}})";
  }
  Page("signIns.interactive", page + "]", 2);
  Page("signIns.nonInteractive", page + "]", 2);
  const std::string rows =
      R"([{"Id":"r1","TimeGenerated":"2026-11-24T08:00:00Z","LocationDetails":{"city":"Graz"}},)"
      R"({"Id":"r2","TimeGenerated":"2026-11-24T08:00:00Z",)"
      R"("LocationDetails":"{\"city\":\"Wels\",\"state\":null}"}])";
  ASSERT_TRUE(Import(rows, "SigninLogs"));
  for (const std::string query :
       {"SigninLogs | project Id, City = tostring(LocationDetails.city), "
        "State = tostring(LocationDetails['state']), tostring(LocationDetails.countryOrRegion)",
        "SigninLogs | extend B = tostring(DeviceDetail.browser) | where B == 'Edge' | sort by Id "
        "asc "
        "| extend M = strcat(B, tostring(DeviceDetail.isManaged), "
        "tostring(DeviceDetail.trustType))",
        "SigninLogs | where isempty(tostring(LocationDetails.city)) | summarize count() by "
        "tostring(DeviceDetail.browser), Id | sort by Id asc",
        "SigninLogs | project L = LocationDetails, Id | where tostring(L.city) != '' | project Id",
        "SigninLogs | extend LocationDetails = dynamic({'city':'other'}) "
        "| project Id, tostring(LocationDetails.city)",
        "SigninLogs | project Id, tostring(LocationDetails.geo), LocationDetails.city",
        "SigninLogs | join kind=inner (SigninLogs | extend C = tostring(LocationDetails.city)) on "
        "Id "
        "| extend D = tostring(LocationDetails.city) | project Id, C, D | sort by Id asc",
        "union (SigninLogs | extend C = tostring(LocationDetails.city)), (SigninLogs | project Id, "
        "C = tostring(LocationDetails.state)) | project Id, C | sort by Id asc, C asc",
        "SigninLogs | top 3 by tostring(LocationDetails.city) desc | project Id",
        "AADNonInteractiveUserSignInLogs | project Id, tostring(parse_json(LocationDetails).city), "
        "tostring(todynamic(DeviceDetail)['browser']) | sort by Id asc"}) {
    EXPECT_EQ(Json(query, true), Json(query, false)) << query;
  }
  const auto cities = Query(
      "SigninLogs | where Id in ('0', 'r1', 'r2') | sort by Id asc "
      "| project C = tostring(LocationDetails.city)");
  ASSERT_EQ(cities.size(), 3U);
  EXPECT_EQ(cities[0].at("C") + cities[1].at("C") + cities[2].at("C"), "LinzGrazWels");
}

TEST_F(Tables, RowsComeInOrderOfTimeAndThenId) {
  Fill(13, 300);
  std::string last;
  for (const ReadRow& row : Query("SigninLogs | project TimeGenerated, Id")) {
    const std::string key = row.at("TimeGenerated") + row.at("Id");
    EXPECT_LE(last, key);
    last = key;
  }
}

TEST_F(Tables, SignInsShowTheNewestReadingAndRiskDetectionsEveryOne) {
  const auto sign_in = [](const std::string& risk) {
    return R"([{"id":"s","createdDateTime":"2026-11-24T08:00:00Z","riskState":")" + risk + "\"}]";
  };
  Page("signIns.interactive", sign_in("none"), 2);
  EXPECT_EQ(Page("signIns.interactive", sign_in("atRisk"), 2).changed, 1);
  const auto rows = Query("SigninLogs | project RiskState");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].at("RiskState"), "atRisk");

  const auto detection = [](const std::string& updated, const std::string& state) {
    return R"([{"id":"d","detectedDateTime":"2026-11-24T08:00:00Z","lastUpdatedDateTime":")" +
           updated + R"(","riskState":")" + state + "\"}]";
  };
  Page("riskDetections", detection("2026-11-24T08:00:00Z", "atRisk"), 1);
  Page("riskDetections", detection("2026-11-24T09:00:00Z", "remediated"), 1);
  EXPECT_EQ(Page("riskDetections", detection("2026-11-24T08:00:00Z", "atRisk"), 1).poorer, 1);
  const auto versions = Query("AADUserRiskEvents | project TimeGenerated, RiskState, Id");
  ASSERT_EQ(versions.size(), 2U);
  EXPECT_EQ(versions[0].at("RiskState"), "atRisk");
  EXPECT_EQ(versions[0].at("TimeGenerated"), "2026-11-24T08:00:00.0000000Z");
  EXPECT_EQ(versions[1].at("RiskState"), "remediated");
  EXPECT_EQ(versions[1].at("TimeGenerated"), "2026-11-24T09:00:00.0000000Z");
  EXPECT_EQ(
      Query("AADUserRiskEvents | where TimeGenerated > datetime(2026-11-24T08:30:00Z)").size(), 1U);
}

TEST_F(Tables, ScansCarryTheKeysOfTheirEvents) {
  Fill(17, 50);
  EventTableSource source(*store_, tenant_);
  const TableMapping* table = FindTable("SigninLogs");
  const auto id = static_cast<std::size_t>(table->Column("Id") - table->columns.data());
  auto scan = source.Scan(
      {.table = "SigninLogs", .columns = {{id, ""}}, .from = {}, .until = {}, .conditions = {}});
  ASSERT_TRUE(scan);
  std::size_t rows = 0;
  std::set<std::int64_t> keys;
  while (true) {
    const auto batch = (*scan)->Next(16);
    ASSERT_TRUE(batch);
    if (batch->rows == 0) break;
    EXPECT_LE(batch->rows, 16U);
    ASSERT_EQ(batch->keys.size(), batch->rows);
    rows += batch->rows;
    keys.insert(batch->keys.begin(), batch->keys.end());
  }
  EXPECT_EQ(rows, 50U);
  EXPECT_EQ(keys.size(), 50U);
}

TEST_F(Tables, OfNobodyRefuseToBeRead) {
  NoTables none;
  const auto scan =
      none.Scan({.table = "SigninLogs", .columns = {}, .from = {}, .until = {}, .conditions = {}});
  ASSERT_FALSE(scan);
  EXPECT_EQ(scan.error().kind, ErrorKind::kRefused);
}

}  // namespace
}  // namespace picket::tables

#include "agent/tables/record_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "agent/tables/column_value.h"
#include "tests/tables/tables_fixture.h"

namespace picket::tables {
namespace {

using testing::HasSubstr;

const Guid kTenant = ParseGuid("2ad3fc79-1859-42fa-9011-6f8df2251b22").value();

std::string SignIn(const std::string& members, const std::string& id = "a") {
  return R"({"id":")" + id + R"(","createdDateTime":"2026-11-24T09:00:00Z")" +
         (members.empty() ? "" : ",") + members + "}";
}

RecordDecoder Interactive() { return RecordDecoder("signIns.interactive", kTenant); }

std::uint64_t HashOf(const std::string& json) {
  return Interactive().DecodeOwned(json, Rank::kBeta).value().hash;
}

std::string ColumnOf(const std::string& table, const std::string& column, const std::string& json) {
  const TableMapping* mapping = FindTable(table);
  const kql::Value value = ColumnValue(*mapping, *mapping->Column(column), json, kTenant);
  if (value.null) return "(null)";
  return kql::IsNumeric(value.type) || value.type == kql::Type::kBool ||
                 value.type == kql::Type::kDateTime
             ? std::to_string(value.number)
             : value.text;
}

// What is wrong with the only record of the page.
std::string WhyRejected(const std::string& record, Rank rank = Rank::kBeta) {
  const auto page = Interactive().Decode("[" + record + "]", rank);
  if (!page) return "page: " + page.error().message;
  EXPECT_TRUE(page->records.empty());
  return page->rejected.empty() ? "" : page->rejected.front().reason;
}

TEST(RecordDecoder, ReadsTheSignInsOfGraphsDocumentation) {
  PICKET_SHARED_OR_SKIP(body, "corpora/samples/graph-docs/signins-beta-example.json");
  const auto document = nlohmann::json::parse(body, nullptr, false);
  ASSERT_TRUE(document.is_object());
  // The array as it stands in the file, white space and all.
  const std::size_t begin = body.find('[', body.find("\"value\""));
  const std::string array = body.substr(begin, body.rfind(']') - begin + 1);
  const auto page = Interactive().Decode(array, Rank::kBeta);
  ASSERT_TRUE(page) << page.error().message;
  ASSERT_EQ(page->records.size(), document["value"].size());
  EXPECT_TRUE(page->rejected.empty());
  for (std::size_t i = 0; i < page->records.size(); ++i) {
    const auto& source = document["value"][i];
    const storage::Record& record = page->records[i];
    EXPECT_EQ(record.id, source["id"]);
    EXPECT_EQ(record.created, ParseRfc3339(source["createdDateTime"].get<std::string>()).value());
    EXPECT_EQ(nlohmann::json::parse(record.json, nullptr, false), source) << "kept as it came";
  }
  const std::string failed(page->records[0].json);
  EXPECT_EQ(ColumnOf("SigninLogs", "ResultType", failed), "50126");
  EXPECT_EQ(ColumnOf("SigninLogs", "ResultDescription", failed),
            "Error validating credentials due to invalid username or password.");
  EXPECT_EQ(ColumnOf("SigninLogs", "UserType", failed), "Member");
  EXPECT_EQ(ColumnOf("SigninLogs", "Location", failed), "US");
  EXPECT_EQ(ColumnOf("SigninLogs", "AutonomousSystemNumber", failed), "3598");
  EXPECT_EQ(ColumnOf("SigninLogs", "ProcessingTimeInMilliseconds", failed), "761");
  EXPECT_EQ(ColumnOf("SigninLogs", "RiskEventTypes_V2", failed), "[]");
  EXPECT_EQ(ColumnOf("SigninLogs", "RiskEventTypes", failed), "") << "absent in beta";
  EXPECT_EQ(ColumnOf("SigninLogs", "ResourceIdentity", failed),
            "797f4846-ba00-4fd7-ba43-dac1f8f63013");
  EXPECT_EQ(ColumnOf("SigninLogs", "IncomingTokenType", failed), "Primary Refresh Token");
  EXPECT_EQ(ColumnOf("SigninLogs", "AADTenantId", failed), ToString(kTenant));
  const std::string passed(page->records[1].json);
  EXPECT_EQ(ColumnOf("SigninLogs", "ResultType", passed), "0");
  EXPECT_EQ(ColumnOf("SigninLogs", "Status", passed), R"({"errorCode":0})");
  EXPECT_EQ(ColumnOf("SigninLogs", "MfaDetail", passed), "(null)");
  EXPECT_EQ(ColumnOf("SigninLogs", "LocationDetails", passed),
            R"({"city":"Redmond","state":"Washington","countryOrRegion":"US",)"
            R"("geoCoordinates":{"latitude":47.68050003051758,"longitude":-122.12094116210938}})");
  EXPECT_EQ(ColumnOf("SigninLogs", "DeviceDetail", passed),
            R"({"deviceId":"","operatingSystem":"Windows 10","browser":"Edge 80.0.361"})");
  EXPECT_EQ(ColumnOf("AADNonInteractiveUserSignInLogs", "DeviceDetail", passed),
            R"({"deviceId":"","operatingSystem":"Windows 10","browser":"Edge 80.0.361"})");
}

TEST(RecordDecoder, ReadsTheRiskDetectionOfGraphsDocumentation) {
  PICKET_SHARED_OR_SKIP(body, "corpora/samples/graph-docs/riskdetections-v1-example.json");
  const std::size_t begin = body.find('[', body.find("\"value\""));
  const RecordDecoder decoder("riskDetections", kTenant);
  const auto page = decoder.Decode(body.substr(begin, body.rfind(']') - begin + 1), Rank::kV1);
  ASSERT_TRUE(page) << page.error().message;
  ASSERT_EQ(page->records.size(), 1U);
  const storage::Record& record = page->records[0];
  EXPECT_EQ(record.id, "6a5874ca-abcd-9d82-5ad39bd71600");
  EXPECT_EQ(record.created, ParseRfc3339("2018-09-05T00:11:27.773602Z").value());
  EXPECT_EQ(record.updated, ParseRfc3339("2018-09-05T00:11:27.773602Z").value());
  const std::string json(record.json);
  EXPECT_EQ(ColumnOf("AADUserRiskEvents", "RiskEventType", json), "unfamiliarFeatures");
  EXPECT_EQ(ColumnOf("AADUserRiskEvents", "IpAddress", json), "123.456.7.89");
  EXPECT_EQ(ColumnOf("AADUserRiskEvents", "Location", json),
            R"({"city":"Seattle","state":"Washington","countryOrRegion":"US",)"
            R"("geoCoordinates":null})");
  EXPECT_EQ(ColumnOf("AADUserRiskEvents", "ActivityDateTime", json),
            std::to_string(ParseRfc3339("2018-09-05T00:09:18.7822851Z")->ticks));
  const auto info =
      nlohmann::json::parse(ColumnOf("AADUserRiskEvents", "AdditionalInfo", json), nullptr, false);
  EXPECT_EQ(info[0]["Key"], "userAgent") << "JSON within a text is JSON in the column";
}

TEST(RecordDecoder, RejectsABadRecordAloneAndSaysWhy) {
  const std::string deep = std::string(70, '[') + std::string(70, ']');
  EXPECT_THAT(WhyRejected(R"({"createdDateTime":"2026-11-24T09:00:00Z"})"), HasSubstr("no id"));
  EXPECT_THAT(WhyRejected(R"({"id":"","createdDateTime":"2026-11-24T09:00:00Z"})"),
              HasSubstr("no id"));
  EXPECT_THAT(WhyRejected(R"({"id":7,"createdDateTime":"2026-11-24T09:00:00Z"})"),
              HasSubstr("no id"));
  EXPECT_THAT(WhyRejected(R"({"id":"a"})"), HasSubstr("createdDateTime"));
  EXPECT_THAT(WhyRejected(R"({"id":"a","createdDateTime":"2026-02-30T09:00:00Z"})"),
              HasSubstr("createdDateTime"));
  EXPECT_THAT(WhyRejected(SignIn("", std::string(513, 'x'))), HasSubstr("512"));
  EXPECT_THAT(WhyRejected(SignIn("\"x\":" + deep)), HasSubstr("deeper than 64"));
  EXPECT_THAT(WhyRejected(SignIn("\"x\":\"" + std::string(kMaxRecordBytes, 'x') + "\"")),
              HasSubstr("1 MiB"));
  EXPECT_THAT(WhyRejected(SignIn("\"x\":\"\xff\"")), HasSubstr("UTF-8"));
  EXPECT_THAT(WhyRejected(SignIn("\"x\":\"\xed\xa0\x80\"")), HasSubstr("UTF-8"));
  for (const char* broken :
       {"\"x\":tru", "\"x\":01", "\"x\":1 2", "\"x\":\"\\q\"", "\"x\":\"\n\"", "\"x\":\"\\u12\"",
        "\"x\" 1", "\"x\":1,", "\"x\":-", "\"x\":1e", "\"x\":\"y\":1", "\"x\":{\"y\":\"z\":1}",
        "\"x\":[\"y\":1]", "\"x\":1:2"}) {
    EXPECT_THAT(WhyRejected(SignIn(broken)), HasSubstr("broken JSON")) << broken;
  }
  EXPECT_THAT(WhyRejected("7"), HasSubstr("not a JSON object"));
  EXPECT_THAT(WhyRejected("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(WhyRejected(R"({"@picket.row":{"Id":"a"},"@picket.time":"2026-11-24T09:00:00Z"})"),
              HasSubstr("only an import"));
}

TEST(RecordDecoder, KeepsTheGoodRecordsOfAPageAndCountsWhereTheBadOnesStood) {
  const auto page = Interactive().Decode(
      "[" + SignIn("", "a") + ",{},\n" + SignIn("", "b") + ",3," + SignIn("", "c") + "]",
      Rank::kBeta);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->records.size(), 3U);
  EXPECT_EQ(page->records[2].id, "c");
  ASSERT_EQ(page->rejected.size(), 2U);
  EXPECT_EQ(page->rejected[0].index, 1U);
  EXPECT_EQ(page->rejected[1].index, 3U);
}

TEST(RecordDecoder, RefusesAnArrayThatBreaksOff) {
  for (const std::string text : {"", "  ", "null", "[", "[{}", "[{},", "[{} {}]"}) {
    EXPECT_FALSE(Interactive().Decode(text, Rank::kBeta)) << text;
  }
  EXPECT_TRUE(Interactive().Decode("[]", Rank::kBeta)->records.empty());
}

TEST(RecordDecoder, KeepsAUserAgentThatEndsInHalfACharacter) {
  // Whoever signs in chooses the user agent: it must not be a way to hide.
  const auto record = Interactive().DecodeOwned(
      SignIn(R"("userAgent":"x\ud83d","riskState":"atRisk")"), Rank::kBeta);
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(ColumnOf("SigninLogs", "UserAgent", record->json), "x\xEF\xBF\xBD");
}

TEST(RecordDecoder, KeepsTheRecordsWhenThePageIsMoved) {
  auto decoded = Interactive().Decode("[" + SignIn(R"("userAgent":"a\tb")") + "]", Rank::kBeta);
  ASSERT_TRUE(decoded);
  std::vector<DecodedPage> pages;
  pages.push_back(*std::move(decoded));
  for (int i = 0; i < 20; ++i) pages.emplace_back();
  EXPECT_EQ(pages[0].records[0].id, "a");
  EXPECT_EQ(pages[0].records[0].json, SignIn(R"("userAgent":"a\tb")"));
}

TEST(ChangeDetection, IsNotMovedByOrderSpaceEscapesNullOrVolatileMembers) {
  const std::uint64_t hash = HashOf(SignIn(R"("a":{"x":1,"y":"é"},"b":[1,2])"));
  EXPECT_EQ(HashOf(SignIn(R"("b":[1,2],"a":{"y":"é","x":1})")), hash);
  EXPECT_EQ(HashOf(SignIn("\n \"a\" : { \"x\" : 1 , \"y\" : \"\\u00e9\" }, \"b\":[ 1 ,2 ]")), hash);
  EXPECT_EQ(HashOf(SignIn(R"("a":{"x":1,"y":"é","z":null},"b":[1,2],"c":null)")), hash);
  EXPECT_EQ(HashOf(SignIn(R"("a":{"x":1,"y":"é"},"b":[1,2],"processingTimeInMilliseconds":7,)"
                          R"("@odata.type":"#t")")),
            hash);
}

TEST(ChangeDetection, SeesEveryOtherChange) {
  const std::string base = R"("a":{"x":1,"y":"é"},"b":[1,2])";
  const std::uint64_t hash = HashOf(SignIn(base));
  for (const char* other :
       {R"("a":{"x":2,"y":"é"},"b":[1,2])", R"("a":{"x":1,"y":"e"},"b":[1,2])",
        R"("a":{"x":1,"y":"é"},"b":[2,1])", R"("a":{"x":1,"y":"é"},"b":[1,2,3])",
        R"("a":{"x":"1","y":"é"},"b":[1,2])", R"("a":{"x":1,"y":"é"},"b":[[1,2]])",
        R"("a":{"x":1,"y":"é"},"b":[1,2],"c":"")", R"("a":{"x":1,"y":"é"},"b":[1,2],"c":false)",
        R"("a":{"x":1,"y":"é"})", R"("a":{"y":1,"x":"é"},"b":[1,2])",
        R"("a":{"x":1},"b":[1,2],"y":"é")"}) {
    EXPECT_NE(HashOf(SignIn(other)), hash) << other;
  }
}

struct Merge {
  std::string stored, read, expected;
};

TEST(Merging, NeverTakesAKnownValueAway) {
  const RecordDecoder decoder = Interactive();
  for (const Merge& merge : std::vector<Merge>{
           {R"("riskState":"atRisk")", R"("riskState":"hidden")", R"("riskState":"atRisk")"},
           {R"("riskState":"atRisk")", R"("riskState":null)", R"("riskState":"atRisk")"},
           {R"("riskState":"atRisk")", "", R"("riskState":"atRisk")"},
           {R"("riskState":"hidden")", R"("riskState":"none")", R"("riskState":"none")"},
           {R"("riskState":"atRisk")", R"("riskState":"dismissed")", R"("riskState":"dismissed")"},
           {R"("location":{"city":"Oslo"})", R"("location":{"city":null,"state":""})",
            R"("location":{"city":"Oslo"})"},
           {R"("status":{"errorCode":50074,"additionalDetails":"MFA"})",
            R"("status":{"errorCode":0})", R"("status":{"errorCode":0})"},
           {R"("riskEventTypes_v2":["x"])", R"("riskEventTypes_v2":[])",
            R"("riskEventTypes_v2":[])"},
           {R"("riskEventTypes_v2":["x"])", R"("riskEventTypes_v2":["generic"])",
            R"("riskEventTypes_v2":["x"])"},
           {R"("riskEventTypes_v2":[])", R"("riskEventTypes_v2":["generic"])",
            R"("riskEventTypes_v2":["generic"])"},
           {R"("riskEventTypes_v2":["generic"])", R"("riskEventTypes_v2":["x"])",
            R"("riskEventTypes_v2":["x"])"},
           {R"("riskEventType":"x")", R"("riskEventType":"generic")", R"("riskEventType":"x")"},
           {R"("appDisplayName":"x")", R"("appDisplayName":"generic")",
            R"("appDisplayName":"generic")"}}) {
    const auto read = decoder.DecodeOwned(SignIn(merge.read), Rank::kBeta).value();
    const auto merged = decoder.Merge(SignIn(merge.stored), read.View());
    ASSERT_TRUE(merged) << merged.error().message;
    EXPECT_EQ(merged->hash, HashOf(SignIn(merge.expected)))
        << merge.stored << " then " << merge.read << " gave " << merged->json;
  }
}

TEST(Merging, OfAnExportedRowAndGraphTakesWhatGraphHides) {
  const RecordDecoder decoder = Interactive();
  const std::string row =
      R"({"@picket.row":{"Id":"a","TimeGenerated":"2026-11-24T09:00:00Z","RiskState":"atRisk",)"
      R"("UserPrincipalName":"old@x"}})";
  const auto graph =
      decoder.DecodeOwned(SignIn(R"("riskState":"hidden","userPrincipalName":"new@x")"), Rank::kV1)
          .value();
  const auto merged = decoder.Merge(row, graph.View());
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_FALSE(IsImportedRow(merged->json));
  EXPECT_EQ(ColumnOf("SigninLogs", "RiskState", merged->json), "atRisk");
  EXPECT_EQ(ColumnOf("SigninLogs", "UserPrincipalName", merged->json), "new@x");
  // And the other way round: a row never replaces a record of Graph's.
  const auto read = decoder.DecodeOwned(row, Rank::kImport).value();
  EXPECT_EQ(decoder.Merge(graph.json, read.View())->hash, graph.hash);
}

TEST(Merging, OfTwoExportedRowsKeepsTheNewer) {
  const RecordDecoder decoder = Interactive();
  const auto row = [](const std::string& time, const std::string& type) {
    return R"({"@picket.row":{"Id":"a","TimeGenerated":")" + time + R"(","ResultType":")" + type +
           "\"}}";
  };
  const std::string older = row("2026-11-24T09:00:00Z", "50074");
  const std::string newer = row("2026-11-24T09:01:00Z", "0");
  const auto read_older = decoder.DecodeOwned(older, Rank::kImport).value();
  const auto read_newer = decoder.DecodeOwned(newer, Rank::kImport).value();
  EXPECT_EQ(decoder.Merge(newer, read_older.View())->json, newer);
  EXPECT_EQ(decoder.Merge(older, read_newer.View())->json, newer);
}

TEST(Conversion, FollowsAzureMonitorWhereItDiffersFromGraph) {
  EXPECT_EQ(ColumnOf("SigninLogs", "ResultDescription",
                     SignIn(R"("status":{"errorCode":0,"failureReason":"Other."})")),
            "");
  EXPECT_EQ(ColumnOf("SigninLogs", "ResultDescription",
                     SignIn(R"("status":{"errorCode":5,"failureReason":"Other."})")),
            "Other.");
  EXPECT_EQ(ColumnOf("SigninLogs", "RiskEventTypes_V2", SignIn(R"("riskEventTypes_v2":null)")), "");
  EXPECT_EQ(ColumnOf("SigninLogs", "RiskEventTypes_V2", SignIn(R"("riskEventTypes_v2":[ ])")),
            "[]");
  EXPECT_EQ(ColumnOf("SigninLogs", "IsRisky", SignIn(R"("riskState":"atRisk")")), "1");
  EXPECT_EQ(ColumnOf("SigninLogs", "IsRisky", SignIn(R"("riskState":"none")")), "0");
  EXPECT_EQ(ColumnOf("SigninLogs", "IsRisky", SignIn(R"("riskState":"hidden")")), "(null)");
  EXPECT_EQ(ColumnOf("SigninLogs", "IsRisky", SignIn("")), "(null)") << "unknown is not none";
  EXPECT_EQ(ColumnOf("SigninLogs", "RiskState", SignIn(R"("riskState":"somethingNew")")),
            "somethingNew");
  EXPECT_EQ(ColumnOf("SigninLogs", "ResourceId", SignIn("")),
            "/tenants/" + ToString(kTenant) + "/providers/Microsoft.aadiam");
  EXPECT_EQ(
      ColumnOf("AADUserRiskEvents", "AdditionalInfo", SignIn(R"("additionalInfo":"no [JSON")")),
      "\"no [JSON\"");
}

TEST(RebuildingTypedColumns, GivesTheSameValuesAsReadingDid) {
  const std::string json =
      SignIn(R"("riskState":"atRisk","userAgent":"a\"b","isInteractive":true)");
  const auto read = Interactive().DecodeOwned(json, Rank::kBeta).value();
  const auto rebuilt = ValuesOf(kTenant)("signIns.interactive", json).value();
  EXPECT_EQ(rebuilt.values, read.values);
  EXPECT_EQ(rebuilt.hash, read.hash);
}

TEST(CanonicalForm, OrdersMembersAtEveryLevel) {
  EXPECT_EQ(CanonicalJson(R"({ "b":[{"y":1,"x":2}], "a": "t" })"),
            R"({"a":"t","b":[{"x":2,"y":1}]})");
}

}  // namespace
}  // namespace picket::tables

#include "agent/tables/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "agent/tables/mapping.h"
#include "base/gzip.h"
#include "tests/tables/independent_csv.h"
#include "tests/tables/tables_fixture.h"

namespace picket::tables {
namespace {

using testing::HasSubstr;

class Importing : public TablesTest {
 protected:
  void ExpectReconciles(const ImportReport& report) {
    const storage::PageCounts& c = report.counts;
    EXPECT_EQ(c.read, c.added + c.changed + c.same + c.poorer + c.rejected + c.expired);
  }
};

// "4/28/2021, 2:08:45.221 PM" as Kusto prints it.
std::string KustoTime(const std::string& portal) {
  std::smatch m;
  static const std::regex kForm(R"((\d+)/(\d+)/(\d+), (\d+):(\d+):(\d+)\.(\d+) ([AP])M)");
  if (!std::regex_match(portal, m, kForm)) return "no time: " + portal;
  const int hour = std::stoi(m[4]) % 12 + (m[8] == "P" ? 12 : 0);
  char text[64];
  std::snprintf(text, sizeof text, "%s-%02d-%02dT%02d:%s:%s.%s0000Z", m[3].str().c_str(),
                std::stoi(m[1]), std::stoi(m[2]), hour, m[5].str().c_str(), m[6].str().c_str(),
                m[7].str().c_str());
  return text;
}

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// Every cell of the file beside what a query of the table reads. Returns how many were compared.
int CompareCells(const std::string& csv, const std::vector<ReadRow>& read) {
  std::map<std::string, ReadRow> by_id;
  for (const ReadRow& row : read) by_id[row.at("Id")] = row;
  int compared = 0;
  const TableMapping* table = FindTable("SigninLogs");
  for (const auto& row : IndependentCsv(csv)) {
    const auto found = by_id.find(row.at("Id"));
    if (found == by_id.end()) {
      ADD_FAILURE() << "the row " << row.at("Id") << " was not read";
      continue;
    }
    for (const auto& [header, cell] : row) {
      const std::string name = std::regex_replace(header, std::regex(" \\[UTC\\]|_dynamic$"), "");
      if (header.ends_with("_string")) {
        EXPECT_EQ(cell, "") << "the sample fills the other of the two";
        continue;
      }
      const ColumnMapping* column = table->Column(name);
      if (column == nullptr) continue;
      ++compared;
      const std::string& value = found->second.at(name);
      if (column->type == kql::Type::kDynamic && !cell.empty()) {
        EXPECT_EQ(nlohmann::json::parse(value, nullptr, false),
                  nlohmann::json::parse(cell, nullptr, false))
            << name;
      } else if (column->type == kql::Type::kDateTime) {
        EXPECT_EQ(value, KustoTime(cell)) << name;
      } else if (column->type == kql::Type::kBool) {
        EXPECT_EQ(Lower(value), Lower(cell)) << name;
      } else {
        EXPECT_EQ(value, cell) << name;
      }
    }
  }
  return compared;
}

TEST_F(Importing, TheSixtySignInsOfTheTrainingLabReadBackCellByCell) {
  PICKET_SHARED_OR_SKIP(adele, "corpora/samples/sentinel-training-lab/sign-in_adelete.csv");
  PICKET_SHARED_OR_SKIP(disabled, "corpora/samples/sentinel-training-lab/disable_accounts.csv");
  const auto first = Import(adele);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->table, "SigninLogs");
  EXPECT_EQ(first->counts.added, 56);
  EXPECT_TRUE(first->bad.empty());
  const auto second = Import(disabled);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->counts.added, 4);
  EXPECT_EQ(second->undated, 0) << "the first step of the authentication tells the time";
  ExpectReconciles(*first);

  const std::vector<ReadRow> rows = Query("SigninLogs");
  ASSERT_EQ(rows.size(), 60U);
  EXPECT_GT(CompareCells(adele, rows), 56 * 60);
  EXPECT_GT(CompareCells(disabled, rows), 4 * 55);
  EXPECT_EQ(Query("SigninLogs | where ResultType == '50057' | project TimeGenerated | sort by "
                  "TimeGenerated asc")[0]["TimeGenerated"],
            "2021-04-19T12:13:19.4834758Z");
  EXPECT_EQ(Query("SigninLogs | where Identity == 'Adele Vance' | count")[0]["Count"], "56");
  EXPECT_EQ(
      Query("SigninLogs | where tostring(LocationDetails.city) == 'Pyongyang' | count")[0]["Count"],
      "4");
}

TEST_F(Importing, TheSameFileAgainDoesNothingAndTheSameRowsInAnotherChangeNothing) {
  PICKET_SHARED_OR_SKIP(adele, "corpora/samples/sentinel-training-lab/sign-in_adelete.csv");
  ASSERT_TRUE(Import(adele));
  const auto again = Import(adele);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->already);
  EXPECT_EQ(again->counts.read, 0);
  const auto other = Import(adele + "\n");
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_FALSE(other->already);
  EXPECT_EQ(other->counts.same, 56);
  EXPECT_EQ(store_->events().Count("signIns.interactive").value(), 56);
}

TEST_F(Importing, RowsOfTheAuditLogWithoutATimeGetThatOfTheImport) {
  PICKET_SHARED_OR_SKIP(audits, "corpora/samples/sentinel-training-lab/AuditLogs_Hunting.csv");
  const auto report = Import(audits);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->table, "AuditLogs");
  EXPECT_EQ(report->undated, report->counts.added);
  EXPECT_EQ(report->counts.read, 5);
  const auto rows = Query(
      "AuditLogs | where Result == 'success' | project TimeGenerated, Id, "
      "OperationName, InitiatedBy");
  ASSERT_EQ(rows.size(), static_cast<std::size_t>(report->counts.added));
  EXPECT_EQ(rows[0].at("TimeGenerated"), "2026-11-24T10:00:00.0000000Z");
  const auto source = IndependentCsv(audits);
  for (const ReadRow& row : rows) {
    const auto same = std::find_if(source.begin(), source.end(),
                                   [&](const auto& s) { return s.at("Id") == row.at("Id"); });
    ASSERT_NE(same, source.end());
    EXPECT_EQ(row.at("OperationName"), same->at("OperationName"));
  }
}

TEST_F(Importing, GraphsOwnExamplesAsPageArrayAndLinesGiveTheSameRows) {
  PICKET_SHARED_OR_SKIP(body, "corpora/samples/graph-docs/signins-beta-example.json");
  const auto document = nlohmann::json::parse(body, nullptr, false);
  ASSERT_TRUE(document.is_object());
  const std::string query = "SigninLogs | sort by Id asc";
  const auto page = Import(body);
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->counts.added, 2);
  const std::string rows = Json(query, true);
  EXPECT_EQ(Import(document["value"].dump(2))->counts.same, 2) << "an array, indented";
  std::string lines;
  for (const auto& record : document["value"]) lines += record.dump() + "\r\n";
  EXPECT_EQ(Import(lines)->counts.same, 2) << "lines";
  EXPECT_EQ(Import(Gzip(lines + "\n"))->counts.same, 2) << "lines, gzipped";
  EXPECT_EQ(Json(query, true), rows);
}

TEST_F(Importing, NeverReplacesWhatGraphSaid) {
  const std::string graph =
      R"([{"id":"a","createdDateTime":"2026-11-24T09:00:00Z","riskState":"dismissed"}])";
  EXPECT_EQ(Page("signIns.interactive", graph, 1).added, 1);
  const auto row = Import(R"([{"Type":"SigninLogs","Id":"a","RiskState":"atRisk",)"
                          R"("TimeGenerated":"2026-11-24T09:00:00Z"}])");
  ASSERT_TRUE(row) << row.error().message;
  EXPECT_EQ(row->counts.poorer, 1);
  EXPECT_EQ(Import(R"([{"id":"a","createdDateTime":"2026-11-24T09:00:00Z",)"
                   R"("riskState":"atRisk"}])")
                ->counts.poorer,
            1);
  EXPECT_EQ(Query("SigninLogs")[0]["RiskState"], "dismissed");
}

TEST_F(Importing, GraphReplacesAnExportedRow) {
  ASSERT_TRUE(Import(R"([{"Type":"SigninLogs","Id":"a","RiskState":"atRisk",)"
                     R"("TimeGenerated":"2026-11-24T09:00:00Z","AppDisplayName":"x"}])"));
  EXPECT_EQ(Page("signIns.interactive",
                 R"([{"id":"a","createdDateTime":"2026-11-24T09:00:00Z","riskState":"hidden",)"
                 R"("appDisplayName":"y"}])",
                 2)
                .changed,
            1);
  const auto row = Query("SigninLogs")[0];
  EXPECT_EQ(row.at("AppDisplayName"), "y");
  EXPECT_EQ(row.at("RiskState"), "atRisk");
  EXPECT_EQ(row.at("Type"), "SigninLogs");
}

TEST_F(Importing, DiagnosticLinesFillTheTablesOfTheirCategories) {
  const auto report = Import(
      R"({"time":"2026-11-24T09:00:00Z","category":"SignInLogs","properties":{"id":"a","createdDateTime":"2026-11-24T09:00:00Z","status":{"errorCode":0}}})"
      "\n"
      R"({"time":"2026-11-24T09:00:01Z","category":"NonInteractiveUserSignInLogs","properties":{"id":"b","createdDateTime":"2026-11-24T09:00:01Z"}})"
      "\n"
      R"({"time":"2026-11-24T09:00:02Z","category":"UserRiskEvents","properties":"{\"id\":\"c\",\"riskEventType\":\"unlikelyTravel\"}"})"
      "\n"
      R"({"time":"2026-11-24T09:00:03Z","category":"StorageRead","operationName":"GetBlob","statusCode":200,"callerIpAddress":"203.0.113.9:443","identity":{"type":"OAuth","tokenHash":"H","requester":{"objectId":"o","upn":"u@x"}},"properties":{"accountName":"acc","operationCount":3,"serverLatencyMs":1.5,"requestBodySize":10}})"
      "\n"
      R"({"time":"2026-11-24T09:00:04Z","category":"Unheard","properties":{}})");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->counts.added, 4);
  EXPECT_EQ(report->counts.rejected, 1);
  ExpectReconciles(*report);
  ASSERT_EQ(report->bad.size(), 1U);
  EXPECT_EQ(report->bad[0].line, 5);
  EXPECT_THAT(report->bad[0].reason, HasSubstr("Unheard"));
  EXPECT_EQ(Query("SigninLogs")[0]["ResultType"], "0");
  EXPECT_EQ(Query("AADNonInteractiveUserSignInLogs")[0]["Id"], "b");
  EXPECT_EQ(Query("AADUserRiskEvents")[0]["RiskEventType"], "unlikelyTravel");
  const ReadRow blob = Query("StorageBlobLogs")[0];
  EXPECT_EQ(blob.at("OperationName"), "GetBlob");
  EXPECT_EQ(blob.at("AuthenticationHash"), "H");
  EXPECT_EQ(blob.at("StatusCode"), "200");
  EXPECT_EQ(blob.at("RequesterUpn"), "u@x");
  EXPECT_EQ(blob.at("OperationCount"), "3");
  EXPECT_EQ(blob.at("ServerLatencyMs"), "1.5");
  EXPECT_EQ(blob.at("TimeGenerated"), "2026-11-24T09:00:03.0000000Z");
}

TEST_F(Importing, RecordsWithoutAnIdOfTheirOwnAreToldApartByTheirForm) {
  const std::string line =
      R"({"time":"2026-11-24T09:00:03Z","category":"StorageRead","operationName":"GetBlob"})";
  const std::string other =
      R"({"category":"StorageRead","operationName":"GetBlob","time":"2026-11-24T09:00:03Z"})";
  EXPECT_EQ(Import("[" + line + "]")->counts.added, 1);
  EXPECT_EQ(Import("[" + other + "]")->counts.same, 1) << "the same in another order";
  EXPECT_EQ(
      Import("[" + line.substr(0, line.size() - 1) + ",\"protocol\":\"HTTPS\"}]")->counts.added, 1);
}

TEST_F(Importing, CloudTrailFilesFillTheirTable) {
  const auto report = Import(Gzip(
      R"({"Records":[{"eventVersion":"1.08","eventID":"e1","eventTime":"2026-11-24T09:00:00Z",)"
      R"("eventSource":"sts.amazonaws.com","eventName":"GetCallerIdentity","awsRegion":"us-east-1",)"
      R"("sourceIPAddress":"203.0.113.9","readOnly":true,"requestParameters":{"a": 1},)"
      R"("userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::1:x","sessionContext":)"
      R"({"attributes":{"mfaAuthenticated":"false","creationDate":"2026-11-24T08:00:00Z"},)"
      R"("sessionIssuer":{"userName":"role"}}}},{"eventID":"e2","eventSource":"s","eventName":"n",)"
      R"("eventTime":"yesterday"}]})"));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->table, "AWSCloudTrail");
  EXPECT_EQ(report->counts.added, 1);
  EXPECT_EQ(report->counts.rejected, 1);
  ExpectReconciles(*report);
  const ReadRow row = Query("AWSCloudTrail")[0];
  EXPECT_EQ(row.at("EventName"), "GetCallerIdentity");
  EXPECT_EQ(row.at("ReadOnly"), "True");
  EXPECT_EQ(row.at("SessionMfaAuthenticated"), "False");
  EXPECT_EQ(row.at("SessionIssuerUserName"), "role");
  EXPECT_EQ(row.at("RequestParameters"), R"({"a":1})");
  EXPECT_EQ(row.at("SessionCreationDate"), "2026-11-24T08:00:00.0000000Z");
}

TEST_F(Importing, TheAnswerOfAQueryApiIsAnExportToo) {
  const auto report = Import(
      R"({"tables":[{"name":"PrimaryResult","columns":[{"name":"TimeGenerated","type":"datetime"},)"
      R"({"name":"Id","type":"string"},{"name":"Status","type":"dynamic"},)"
      R"({"name":"Type","type":"string"}],"rows":[["2026-11-24T09:00:00Z","a",)"
      R"("{\"errorCode\":7}","SigninLogs"]]}]})");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->counts.added, 1);
  EXPECT_EQ(Query("SigninLogs | project Code = toint(Status.errorCode)")[0]["Code"], "7");
}

TEST_F(Importing, EachVersionOfARiskDetectionIsKeptWhateverTheOrderOfTheFile) {
  const auto report = Import(
      R"([{"Type":"AADUserRiskEvents","Id":"r","TimeGenerated":"2026-11-24T09:30:00Z","RiskState":"remediated"},)"
      R"({"Type":"AADUserRiskEvents","Id":"r","TimeGenerated":"2026-11-24T09:00:00Z","RiskState":"atRisk"}])");
  ASSERT_TRUE(report) << report.error().message;
  ExpectReconciles(*report);
  const auto rows = Query("AADUserRiskEvents | project TimeGenerated, RiskState");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].at("RiskState"), "atRisk");
  EXPECT_EQ(rows[1].at("RiskState"), "remediated");
}

TEST_F(Importing, SaysWhichLinesAreBadAndKeepsTheRest) {
  const auto csv = Import(
      "TimeGenerated [UTC],Id,Type,ResultType\n"
      "\"11/24/2026, 9:00:00.000 AM\",a,SigninLogs,0\n"
      "\"11/24/2026, 9:00:00.000 AM\",b,SigninLogs\n"
      "\"11/24/2026, 9:00:00.000 AM\",c,AuditLogs_,0\n"
      "\"11/24/2026, 9:00:00.000 AM\",\xff,SigninLogs,0\n"
      "\"11/24/2026, 9:00:00.000 AM\",d,SigninLogs,\"50126\n");
  ASSERT_TRUE(csv) << csv.error().message;
  EXPECT_EQ(csv->counts.added, 1);
  EXPECT_EQ(csv->counts.rejected, 4);
  ExpectReconciles(*csv);
  ASSERT_EQ(csv->bad.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(csv->bad[i].line, static_cast<std::int64_t>(i) + 3);
  }

  const std::string good = R"({"id":"g","createdDateTime":"2026-11-24T09:00:00Z"})";
  const auto lines = Import(good + "\n{\"id\":\n\n[1]\n" + good.substr(0, 20) + "\n");
  ASSERT_TRUE(lines) << lines.error().message;
  EXPECT_EQ(lines->counts.added, 1);
  ASSERT_EQ(lines->bad.size(), 3U);
  EXPECT_EQ(lines->bad[0].line, 2);
  EXPECT_EQ(lines->bad[1].line, 4);
  EXPECT_EQ(lines->bad[2].line, 5);

  const auto cut = Import("[\n" + good + ",\n{\"id\":\"h\",\"created");
  ASSERT_TRUE(cut) << cut.error().message;
  EXPECT_EQ(cut->counts.same, 1);
  ASSERT_EQ(cut->bad.size(), 1U);
  EXPECT_EQ(cut->bad[0].line, 3);
}

TEST_F(Importing, RefusesWithAReasonWhatHoldsNoRow) {
  const auto why = [&](std::string_view bytes, const std::string& table = {}) {
    const auto report = Import(bytes, table);
    return report ? "kept " + std::to_string(report->counts.added)
                  : report.error().message + " " + report.error().hint;
  };
  EXPECT_THAT(why(""), HasSubstr("empty"));
  EXPECT_THAT(why("[]"), HasSubstr("no rows"));
  EXPECT_THAT(why("a,b\n1,2\n"), HasSubstr("--table"));
  EXPECT_THAT(why("\xFF\xFEx"), HasSubstr("UTF-8"));
  EXPECT_THAT(why("{}", "NoTable"), HasSubstr("NoTable"));
  EXPECT_THAT(why("[{\"a\":1}]"), HasSubstr("line 1"));
  EXPECT_THAT(why("TimeGenerated [Local Time],Type\n1,SigninLogs\n"), HasSubstr("UTC"));
  EXPECT_THAT(why(R"([{"TimeGenerated":"2026-11-24T09:00:00Z"}])"), HasSubstr("--table"));
  EXPECT_THAT(why(R"([{"@picket.row":{},"id":"a","createdDateTime":"2026-11-24T09:00:00Z"}])"),
              HasSubstr("only Picket writes"));
  EXPECT_THAT(why(R"([{"id":"a","activityDisplayName":"x"}])", "SigninLogs"),
              HasSubstr("AuditLogs"));
  EXPECT_THAT(why(std::string("\x1f\x8b", 2) + "x"), testing::Not(HasSubstr("kept")));
}

TEST_F(Importing, ATimeThatCannotBeReadIsNamedAndNeverBecomesNow) {
  const auto report = Import(
      "TimeGenerated [UTC],Id,Type\n"
      "\"11/24/2026, 9:00:00.000 AM\",a,SigninLogs\n"
      "\"31/12/2025, 23:00:00\",b,SigninLogs\n"
      "yesterday\x1b[2J,c,SigninLogs\n"
      ",d,SigninLogs\n");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->counts.added, 1);
  EXPECT_EQ(report->undated, 0);
  ExpectReconciles(*report);
  ASSERT_EQ(report->bad.size(), 3U);
  EXPECT_EQ(report->bad[0].line, 3);
  EXPECT_THAT(report->bad[0].reason, HasSubstr("'TimeGenerated' is '31/12/2025, 23:00:00'"));
  EXPECT_THAT(report->bad[0].reason, HasSubstr("2025-12-31T23:00:00Z"));
  EXPECT_EQ(report->bad[1].line, 4);
  EXPECT_THAT(report->bad[1].reason, HasSubstr("yesterday"));
  EXPECT_THAT(report->bad[1].reason, testing::Not(HasSubstr("\x1b")));
  EXPECT_EQ(report->bad[2].line, 5);
  EXPECT_EQ(report->bad[2].reason, "no time in 'TimeGenerated'");

  // A column that is the time besides, also where TimeGenerated is not there or left empty.
  const auto other = Import(
      "CreatedDateTime [UTC],TimeGenerated [UTC],Id,Type\n"
      "\"11/24/2026, 9:00:00.000 AM\",,e,SigninLogs\n"
      "never,,f,SigninLogs\n");
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_EQ(other->counts.added, 1);
  ASSERT_EQ(other->bad.size(), 1U);
  EXPECT_THAT(other->bad[0].reason, HasSubstr("'CreatedDateTime' is 'never'"));
  const auto json = Import(R"([{"Type":"SigninLogs","Id":"g","TimeGenerated":20261124}])");
  ASSERT_FALSE(json);
  EXPECT_THAT(json.error().message, HasSubstr("'TimeGenerated' is '20261124'"));
}

TEST_F(Importing, ARowOfAPolledTableHasAnIdOrATime) {
  const auto neither = Import("UserPrincipalName,ResultType,Type\nu@x,50126,SigninLogs\n");
  ASSERT_FALSE(neither);
  EXPECT_THAT(neither.error().message, HasSubstr("line 2: it has neither an id nor a time"));
  EXPECT_EQ(Import("Id,Type\na,SigninLogs\n")->undated, 1);
  EXPECT_EQ(Import("TimeGenerated,Type\n2026-11-24T09:00:00Z,SigninLogs\n")->counts.added, 1);
  EXPECT_EQ(Import("OperationName,Type\nGetBlob,StorageBlobLogs\n")->undated, 1)
      << "nothing polls it, and its rows have no id of their own";
}

TEST_F(Importing, TheRuleResultOfTheTrainingLabIsNoSignIn) {
  PICKET_SHARED_OR_SKIP(result, "corpora/samples/sentinel-training-lab/signinLogs.csv");
  const auto report = Import(result);
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("neither an id nor a time"));
}

TEST_F(Importing, AFileThatWasNotKeptWholeIsReadAgainAndItsRowsStayOnce) {
  const std::string file =
      R"([{"Type":"SigninLogs","Id":"old","TimeGenerated":"2026-11-20T09:00:00Z"},)"
      R"({"Type":"SigninLogs","Id":"new","TimeGenerated":"2026-11-24T09:00:00Z"},)"
      R"({"Type":"AADUserRiskEvents","Id":"undated","RiskState":"atRisk"}])";
  oldest_ = ParseRfc3339("2026-11-24T00:00:00Z").value();
  EXPECT_EQ(Import(file)->counts.expired, 1);
  oldest_ = Instant{0};
  const auto again =
      ImportFile(file, tenant_, *store_, {.table = {}, .now = now_ + kMinute, .oldest = oldest_});
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->already);
  EXPECT_EQ(again->counts.added, 1);
  EXPECT_EQ(again->counts.same, 2);
  ExpectReconciles(*again);
  EXPECT_EQ(Query("SigninLogs").size(), 2U);
  EXPECT_EQ(Query("AADUserRiskEvents").size(), 1U);
  EXPECT_TRUE(Import(file)->already) << "this time all was kept";

  const std::string broken = R"([{"id":"x","createdDateTime":"2026-11-24T09:00:00Z"},{"a":1}])";
  EXPECT_EQ(Import(broken)->counts.rejected, 1);
  const auto still = Import(broken);
  ASSERT_TRUE(still);
  EXPECT_FALSE(still->already);
  EXPECT_EQ(still->counts.rejected, 1);
  EXPECT_EQ(still->counts.same, 1);
}

TEST_F(Importing, TellsTheCausesOfABadRecordApartAndHintsAtTablesOnlyWhereOneIsWanted) {
  const auto error = [&](std::string_view bytes) {
    const auto report = Import(bytes);
    return report ? Error{} : report.error();
  };
  const std::string deep(200, '[');
  const auto nested = error(R"([{"id":"a","createdDateTime":"2026-11-24T09:00:00Z","x":)" + deep +
                            std::string(200, ']') + "}]");
  EXPECT_THAT(nested.message, HasSubstr("nested deeper than 64"));
  EXPECT_EQ(nested.hint, "");
  EXPECT_THAT(error("[{\"id\":\"\xff\"}]").message, HasSubstr("line 1: not UTF-8"));
  EXPECT_THAT(error(R"([{"id":tru}])").message, HasSubstr("line 1: broken JSON"));
  const auto no_id = error(R"([{"createdDateTime":"2026-11-24T09:00:00Z"}])");
  EXPECT_THAT(no_id.message, HasSubstr("no id"));
  EXPECT_EQ(no_id.hint, "");
  EXPECT_THAT(error(R"([{"TimeGenerated":"2026-11-24T09:00:00Z","Type":"Nobody"}])").hint,
              HasSubstr("SigninLogs"));
  const auto cut = error(Gzip("[]").substr(0, 12));
  EXPECT_THAT(cut.message, HasSubstr("cut short"));
  EXPECT_THAT(cut.hint, HasSubstr("export it again"));
}

TEST_F(Importing, RefusesWhatIsOlderThanRetentionAndCountsIt) {
  oldest_ = ParseRfc3339("2026-11-24T00:00:00Z").value();
  const auto report = Import(R"([{"id":"a","createdDateTime":"2026-11-23T09:00:00Z"},)"
                             R"({"id":"b","createdDateTime":"2026-11-24T09:00:00Z"}])");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->counts.expired, 1);
  EXPECT_EQ(report->counts.added, 1);
  ExpectReconciles(*report);
}

TEST_F(Importing, ManyRowsGoInManyTransactionsAndTellTheirProgress) {
  std::string lines;
  for (int i = 0; i < 2500; ++i) {
    lines +=
        R"({"id":")" + std::to_string(i) + R"(","createdDateTime":"2026-11-24T09:00:00Z"})" + "\n";
  }
  std::vector<std::int64_t> seen;
  const auto report = ImportFile(lines, tenant_, *store_,
                                 {.table = {},
                                  .now = now_,
                                  .oldest = {},
                                  .progress = [&](std::string_view table, std::int64_t n) {
                                    EXPECT_EQ(table, "SigninLogs");
                                    seen.push_back(n);
                                  }});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->counts.added, 2500);
  EXPECT_EQ(seen, (std::vector<std::int64_t>{1000, 2000, 2500}));
}

}  // namespace
}  // namespace picket::tables

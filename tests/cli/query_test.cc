// picket query on the real program: how it explains itself, and that Ctrl-C stops it.

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "tests/cli/program.h"
#include "tests/process/child_process.h"

namespace picket {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class QueryTest : public TenantTest {
 protected:
  static constexpr const char* kQuery =
      "query 'SigninLogs | where TimeGenerated > ago(1d) and ResultType == \"0\" "
      "| extend city = tostring(LocationDetails.city) | summarize count() by city' "
      "--tenant contoso --explain";
};

TEST_F(QueryTest, ExplainsItselfForPeople) {
  ReadAll();
  const Outcome explained = Picket(kQuery);
  EXPECT_EQ(explained.code, 0) << explained.out;
  EXPECT_THAT(explained.out, HasSubstr("summarize"));
  EXPECT_THAT(explained.out, HasSubstr("reads: ResultType, TimeGenerated, LocationDetails.city"));
  EXPECT_THAT(explained.out, HasSubstr("only: ResultType == \"0\""));
  EXPECT_THAT(explained.out, HasSubstr("5 rows scanned"));
  EXPECT_THAT(explained.out, HasSubstr("MB held at most"));
}

TEST_F(QueryTest, ExplainsItselfAsJson) {
  ReadAll();
  const Outcome explained = Picket(std::string(kQuery) + " --format json");
  const json object = json::parse(explained.out, nullptr, false);
  ASSERT_TRUE(object.is_object()) << explained.out;
  EXPECT_EQ(object["scanned"], 5);
  EXPECT_GT(object["peak_bytes"], 0);
  const json& scan = object["operators"].back();
  EXPECT_EQ(scan["name"], "SigninLogs");
  EXPECT_EQ(scan["rows"], 5);
  EXPECT_THAT(scan["pushed_down"]["columns"],
              ElementsAre("ResultType", "TimeGenerated", "LocationDetails.city"));
  EXPECT_TRUE(scan["pushed_down"].contains("from"));
  EXPECT_EQ(object["operators"].front()["depth"], 0);
  for (const json& each : object["operators"]) EXPECT_LE(each["own_ms"], each["ms"]);
}

TEST_F(QueryTest, ExplainsNoBatch) {
  EXPECT_EQ(Picket("query --batch cases.jsonl --explain").code, 64);
}

// Each answer of a batch, a line.
std::vector<json> Lines(const std::string& text) {
  std::vector<json> lines;
  for (const std::string_view line : Split(text, '\n')) {
    if (!line.empty()) lines.push_back(json::parse(line, nullptr, /*allow_exceptions=*/false));
  }
  return lines;
}

class BatchTest : public ProgramTest {
 protected:
  // What it prints on stdout alone.
  std::vector<json> Answers(const std::string& cases, int expected) const {
    Write("cases.jsonl", cases);
    const Outcome outcome = Shell("\"$PICKET\" query --batch cases.jsonl 2>/dev/null");
    EXPECT_EQ(outcome.code, expected) << outcome.out;
    return Lines(outcome.out);
  }
};

TEST_F(BatchTest, EveryLineIsAnsweredAlsoOneThatIsNoCase) {
  const std::vector<json> answers = Answers(
      "{\"name\":\"good\",\"query\":\"print a = 1\"}\n"
      "\n"
      "no JSON {\n"
      "[1]\n"
      "{\"name\":\"empty\"}\n"
      "{\"name\":\"number\",\"query\":1}\n"
      "{\"name\":7,\"query\":\"print b = 2\"}\n"
      "{\"query\":\"print c = 3\"}\n"
      "{\"name\":\"refused\",\"query\":\"print nothing\"}\n"
      "{\"name\":\"last\",\"query\":\"print d = 4\"}",
      3);
  ASSERT_EQ(answers.size(), 9U);
  EXPECT_EQ(answers[0]["rows"], json::parse("[[1]]"));
  const struct {
    std::size_t at;
    const char* name;
    int line;
    const char* says;
  } kBad[] = {{1, "", 3, "not JSON"},
              {2, "", 4, "no JSON object"},
              {3, "empty", 5, "no 'query'"},
              {4, "number", 6, "'query' is no text"},
              {5, "", 7, "'name' is no text"}};
  for (const auto& bad : kBad) {
    const json& answer = answers[bad.at];
    EXPECT_EQ(answer["name"], bad.name) << answer;
    EXPECT_EQ(answer["line"], bad.line) << answer;
    EXPECT_EQ(answer["error"]["code"], "PK210") << answer;
    EXPECT_THAT(answer["error"]["message"].get<std::string>(), HasSubstr(bad.says));
  }
  EXPECT_EQ(answers[6]["rows"], json::parse("[[3]]")) << "a name is optional";
  EXPECT_EQ(answers[7]["name"], "refused");
  EXPECT_EQ(answers[7]["line"], 9);
  EXPECT_EQ(answers[7]["error"]["start"], 6) << answers[7];
  EXPECT_EQ(answers[8]["name"], "last");
  EXPECT_THAT(Picket("query --batch cases.jsonl").out, HasSubstr("6 of 9 cases failed"));
}

TEST_F(BatchTest, ItsExitCodeTellsWhetherAllSomeOrNoneFailed) {
  const std::string good = "{\"name\":\"good\",\"query\":\"print 1\"}\n";
  EXPECT_EQ(Answers(good + good, 0).size(), 2U);
  EXPECT_EQ(Answers(good + "bad\n", 3).size(), 2U);
  EXPECT_EQ(Answers("bad\n{}\n", 1).size(), 2U);
  EXPECT_EQ(Answers("", 0).size(), 0U);
}

class TextOfQueryTest : public ProgramTest {};

TEST_F(TextOfQueryTest, OneQueryAtATime) {
  Write("one.kql", "print 1");
  Write("cases.jsonl", "");
  Write("empty.kql", " \n");
  for (const char* both : {"query 'print 1' --file one.kql", "query 'print 1' --batch cases.jsonl",
                           "query --file one.kql --batch cases.jsonl"}) {
    const Outcome outcome = Picket(both);
    EXPECT_EQ(outcome.code, 64) << both;
    EXPECT_THAT(outcome.out, HasSubstr("there is more than one query"));
  }
  EXPECT_EQ(Picket("query").code, 64);
  EXPECT_EQ(Picket("query 'print 1' --tenant a --all-tenants").code, 64);
  const Outcome empty = Picket("query --file empty.kql");
  EXPECT_EQ(empty.code, 1);
  EXPECT_THAT(empty.out, HasSubstr("there is no query in empty.kql"));
  EXPECT_EQ(Picket("query --file one.kql").code, 0);
}

// Two tenants with sign-ins of their own: two of contoso, one of fabrikam. A third has no data yet.
class TwoTenantsTest : public ProgramTest {
 protected:
  void SetUp() override {
    Write("secret", "s");
    std::string config =
        "[agent]\ndata_dir = \"data\"\n[retention]\nevents = \"36500d\"\nmin_free = \"0\"\n"
        "[app]\nclient_id = \"11111111-2222-4333-8444-555555555555\"\n"
        "credential = \"secret\"\nclient_secret = \"@{file:secret}\"\n";
    int number = 0;
    for (const char* name : {"contoso", "fabrikam", "new"}) {
      config += "[[tenant]]\nname = \"" + std::string(name) +
                "\"\ntenant_id = \"aaaaaaaa-0000-4000-8000-00000000000" + std::to_string(++number) +
                "\"\n";
    }
    Write("picket.toml", config);
    Write("contoso.json",
          R"([{"TimeGenerated":"2026-11-20T10:00:00Z","Id":"1","UserPrincipalName":"ann"},
              {"TimeGenerated":"2026-11-20T11:00:00Z","Id":"2","UserPrincipalName":"bob"}])");
    Write("fabrikam.json",
          R"([{"TimeGenerated":"2026-11-20T12:00:00Z","Id":"3","UserPrincipalName":"=1+1"}])");
    for (const char* name : {"contoso", "fabrikam"}) {
      const Outcome imported =
          Picket("import " + std::string(name) + ".json --table SigninLogs --tenant " + name);
      ASSERT_EQ(imported.code, 0) << imported.out;
    }
  }
  [[nodiscard]] Outcome Query(const std::string& query, const std::string& more) const {
    return Shell("\"$PICKET\" query '" + query + "' " + more + " 2>/dev/null");
  }
};

TEST_F(TwoTenantsTest, AllTenantsAreNamedInJson) {
  const auto results =
      Lines(Query("SigninLogs | project UserPrincipalName", "--all-tenants --format json").out);
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0]["tenant"], "contoso");
  EXPECT_EQ(results[0]["rows"], json::parse(R"([["ann"],["bob"]])"));
  EXPECT_EQ(results[1]["tenant"], "fabrikam");
  EXPECT_EQ(results[1]["rows"], json::parse(R"([["=1+1"]])"));
  const auto one = Lines(Query("SigninLogs | project Id", "--tenant contoso --format json").out);
  EXPECT_FALSE(one.at(0).contains("tenant"));

  Write("cases.jsonl", "{\"name\":\"count\",\"query\":\"SigninLogs | count\"}\n{}\n");
  const auto batch =
      Lines(Shell("\"$PICKET\" query --batch cases.jsonl --all-tenants 2>/dev/null").out);
  ASSERT_EQ(batch.size(), 4U);
  EXPECT_EQ(batch[0]["tenant"], "contoso");
  EXPECT_EQ(batch[0]["rows"], json::parse("[[2]]"));
  EXPECT_EQ(batch[1]["tenant"], "contoso");
  EXPECT_TRUE(batch[1].contains("error"));
  EXPECT_EQ(batch[2]["tenant"], "fabrikam");
  EXPECT_EQ(batch[2]["rows"], json::parse("[[1]]"));

  const auto explained =
      Lines(Query("SigninLogs | count", "--explain --all-tenants --format json").out);
  ASSERT_EQ(explained.size(), 2U);
  EXPECT_EQ(explained[1]["tenant"], "fabrikam");
  EXPECT_EQ(explained[1]["scanned"], 1);
}

TEST_F(TwoTenantsTest, AllTenantsAreNamedInCsvUnderOneHeader) {
  EXPECT_EQ(Query("SigninLogs | project Id, UserPrincipalName", "--all-tenants --format csv").out,
            "$tenant,Id,UserPrincipalName\r\n"
            "contoso,1,ann\r\n"
            "contoso,2,bob\r\n"
            "fabrikam,3,'=1+1\r\n");
  EXPECT_EQ(Query("SigninLogs | project Id", "--tenant fabrikam --format csv").out, "Id\r\n3\r\n");
}

TEST_F(TwoTenantsTest, AllTenantsAreNamedInTables) {
  EXPECT_EQ(Query("SigninLogs | project Id", "--all-tenants").out,
            "$tenant  Id\ncontoso  1\ncontoso  2\n$tenant   Id\nfabrikam  3\n");
}

// bag_unpack makes columns of what the events say, also one of the same name.
TEST_F(TwoTenantsTest, NoColumnOfAnEventIsTakenForTheTenant) {
  const Outcome csv = Query(
      "SigninLogs | where Id == \"1\" | project b = bag_pack(\"$tenant\", \"forged\") "
      "| evaluate bag_unpack(b)",
      "--all-tenants --format csv");
  EXPECT_THAT(csv.out, HasSubstr("$tenant1,$tenant\r\ncontoso,forged\r\n")) << csv.out;
}

TEST_F(TwoTenantsTest, RowsOfOtherColumnsDoNotGoUnderTheSameCsvHeader) {
  const std::string unpack =
      "SigninLogs | project b = bag_pack(UserPrincipalName, Id) | evaluate bag_unpack(b)";
  const Outcome csv = Picket("query '" + unpack + "' --all-tenants --format csv");
  EXPECT_EQ(csv.code, 3) << csv.out;
  EXPECT_THAT(csv.out, HasSubstr("$tenant,ann,bob\r\n"));
  EXPECT_THAT(csv.out, HasSubstr("error: fabrikam: the rows have other columns"));
  EXPECT_THAT(csv.out, Not(HasSubstr("fabrikam,")));
  EXPECT_EQ(Lines(Query(unpack, "--all-tenants --format json").out).size(), 2U);
}

TEST_F(TwoTenantsTest, AReportThatCanNotBeWrittenNamesItsFileAndTheWayOut) {
  std::filesystem::create_directory(dir_ / "folder");
  for (const char* file : {"no/such/report.html", "folder"}) {
    const Outcome outcome = Picket(std::string("report -o ") + file);
    EXPECT_EQ(outcome.code, 74) << outcome.out;
    EXPECT_THAT(outcome.out, HasSubstr(std::string(file) + ": "));
    EXPECT_THAT(outcome.out, HasSubstr("Name with -o a file in a folder that is there"));
  }
  EXPECT_THAT(Picket("report -o report.html").out, HasSubstr("0 incidents in report.html"));
}

TEST_F(TwoTenantsTest, OneIsNoPlural) {
  EXPECT_THAT(Picket("query 'SigninLogs' --tenant fabrikam").out, HasSubstr("\n1 row\n"));
  EXPECT_THAT(Picket("query 'SigninLogs | take 1' --tenant contoso --explain").out,
              testing::ContainsRegex("\n[12] rows? scanned,"));
  Write("old.json", R"([{"TimeGenerated":"1900-01-01T00:00:00Z","Id":"9"}])");
  const Outcome old = Picket("import old.json --table SigninLogs --tenant new");
  EXPECT_THAT(old.out, HasSubstr("1 row not kept, being older than [retention] events"));
}

// A query that would run for hours, and that the program has begun to read before anything else
// happens: it opens the pipe that the query stands in.
class EndlessQuery : public ProgramTest {
 protected:
  std::unique_ptr<ChildProcess> Start(const std::string& option, const std::string& content) {
    const std::string pipe = (dir_ / "pipe").string();
    EXPECT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    auto picket = ChildProcess::Start({PICKET_PROGRAM, "query", option, pipe},
                                      {.environment = {}, .with_errors = true});
    std::ofstream(pipe) << content;
    return picket;
  }
};

TEST_F(EndlessQuery, CtrlCStopsItAtOnce) {
  const auto picket = Start("--file", "range x from 1 to 9000000000000 step 1 | summarize sum(x)");
  ASSERT_NE(picket, nullptr);
  ASSERT_EQ(::kill(picket->pid(), SIGINT), 0);
  EXPECT_THAT(picket->Output(), HasSubstr("the query was stopped"));
  EXPECT_EQ(picket->ExitStatus(), 130);
}

TEST_F(EndlessQuery, CtrlCStopsABatchAfterTheAnswersThatItGave) {
  const auto picket =
      Start("--batch",
            "{\"name\":\"short\",\"query\":\"print 1\"}\n"
            "{\"name\":\"endless\",\"query\":\"range x from 1 to 9000000000000 step 1 | count\"}\n"
            "{\"name\":\"after\",\"query\":\"print 2\"}\n");
  ASSERT_NE(picket, nullptr);
  EXPECT_THAT(picket->FirstLine(), HasSubstr("\"short\""));
  ASSERT_EQ(::kill(picket->pid(), SIGINT), 0);
  const std::string rest = picket->Output();
  EXPECT_THAT(rest, HasSubstr("the query was stopped"));
  EXPECT_THAT(rest, Not(HasSubstr("endless")));
  EXPECT_THAT(rest, Not(HasSubstr("after")));
  EXPECT_EQ(picket->ExitStatus(), 130);
}

}  // namespace
}  // namespace picket

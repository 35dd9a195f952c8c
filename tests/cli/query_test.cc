// picket query on the real program: how it explains itself, and that Ctrl-C stops it.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>

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

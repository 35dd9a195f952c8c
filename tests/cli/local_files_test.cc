// Files that stand for externaldata, and watchlists: a rule that needs one which is not there, or
// is another than the one that was pinned, does not run and says so; the others run.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "tests/cli/program.h"

namespace picket {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kFeed = "user,why\nclara.huber@contoso.example,seen\n";

// A rule over the feed or the watchlist, and one over neither.
std::string Rule(char number, const std::string& query) {
  return std::string("id: 0f7c6c1e-1111-4222-8333-44444444444") + number + "\nname: Rule " +
         number +
         "\nseverity: Low\nqueryFrequency: 1h\nqueryPeriod: 1h\ntriggerOperator: gt\n"
         "triggerThreshold: 0\nquery: |\n  " +
         query + "\nkind: Scheduled\n";
}
constexpr const char* kByFeed =
    "SigninLogs | where UserPrincipalName in~ ((externaldata(user:string, why:string)"
    "['https://feed.example/users.csv?sig=hush'] with (ignoreFirstRecord=true) | project user))";
constexpr const char* kByList =
    "SigninLogs | where UserPrincipalName in~ ((_GetWatchlist('Vips') | project SearchKey))";

class LocalFilesTest : public TenantTest {
 protected:
  void SetUp() override {
    TenantTest::SetUp();
    std::filesystem::create_directories(dir_ / "rules");
    std::filesystem::create_directories(dir_ / "feeds");
    Write("rules/feed.yaml", Rule('1', kByFeed));
    Write("rules/list.yaml", Rule('2', kByList));
    Write("rules/plain.yaml", Rule('3', "SigninLogs | where ResultType == '0'"));
    Write("feeds/users.csv", kFeed);
    Write("feeds/vips.csv", "Why,Upn\nboss,clara.huber@contoso.example\n");
    good_.more =
        "[rules]\npaths = [\"rules\"]\nshipped = false\n"
        "[externaldata]\n\"https://feed.example/users.csv\" = { file = "
        "\"feeds/users.csv\", sha256 = \"" +
        Sha256Hex(kFeed) +
        "\" }\n"
        "[watchlist.Vips]\nfile = \"feeds/vips.csv\"\nkey = \"Upn\"\n";
    WriteConfig(good_);
  }

  json Verdicts(const std::string& verb = "rules list") const {
    json by_title;
    for (const json& rule :
         json::parse(Shell("\"$PICKET\" " + verb + " --format json 2>/dev/null").out)) {
      by_title[rule["title"].get<std::string>()] = rule;
    }
    return by_title;
  }
};

TEST_F(LocalFilesTest, StandForWhatRulesReadFromElsewhere) {
  EXPECT_THAT(Picket("validate --offline").out, HasSubstr("ok    2 local files can be read"));
  const json verdicts = Verdicts();
  EXPECT_EQ(verdicts.size(), 3U);
  for (const json& rule : verdicts) EXPECT_EQ(rule["verdict"], "runs") << rule;
  ReadAll();
  const std::string query = std::string(kByFeed) + " | summarize n=count()";
  const json answer = json::parse(
      Shell("\"$PICKET\" query \"" + query + "\" --tenant contoso --format json 2>/dev/null").out);
  const json listed = json::parse(Shell("\"$PICKET\" query \"" + std::string(kByList) +
                                        " | count\" --tenant contoso --format json 2>/dev/null")
                                      .out);
  EXPECT_EQ(answer["rows"], listed["rows"]);
  EXPECT_GT(answer["rows"][0][0].get<int>(), 0);
  // Without a tenant, too, if the config is named.
  EXPECT_THAT(
      Picket("query \"_GetWatchlist('Vips') | project SearchKey\" --config picket.toml").out,
      HasSubstr("clara.huber@contoso.example"));
  const Outcome shown = Picket("config show");
  EXPECT_THAT(shown.out, HasSubstr("feeds/users.csv"));
  EXPECT_THAT(shown.out, HasSubstr("\"key\": \"Upn\""));
}

TEST_F(LocalFilesTest, OneThatIsNotThereStopsOnlyTheRulesThatNeedIt) {
  std::filesystem::remove(dir_ / "feeds/users.csv");
  const json verdicts = Verdicts();
  EXPECT_EQ(verdicts["Rule 1"]["verdict"], "blocked");
  EXPECT_EQ(verdicts["Rule 1"]["errors"], json::array());
  EXPECT_EQ(verdicts["Rule 1"]["tables"], json::array({"SigninLogs"}));
  EXPECT_EQ(verdicts["Rule 1"]["lacks"][0]["line"], 9);
  EXPECT_THAT(verdicts["Rule 1"]["lacks"][0]["message"].get<std::string>(),
              HasSubstr("feeds/users.csv"));
  EXPECT_EQ(verdicts["Rule 2"]["verdict"], "runs");
  EXPECT_EQ(verdicts["Rule 3"]["verdict"], "runs");
  const Outcome validate = Picket("validate --offline");
  EXPECT_EQ(validate.code, 1);
  EXPECT_THAT(validate.out, HasSubstr("wrong externaldata https://feed.example/users.csv: "));
  EXPECT_THAT(validate.out, HasSubstr("2 rules can run"));
  Emit();
  const Outcome once = Once();
  EXPECT_EQ(once.code, 0) << once.out;
  EXPECT_THAT(once.out, HasSubstr("error: rules/feed.yaml: PK120: line 9"));
  EXPECT_THAT(once.out, Not(HasSubstr("hush")));
  EXPECT_EQ(Picket("rules backtest rules/feed.yaml --tenant contoso").code, 1);
}

TEST_F(LocalFilesTest, OneThatChangedIsNotTakenForThePinnedOne) {
  Write("feeds/users.csv", std::string(kFeed) + "mallory,added\n");
  const std::string message = Verdicts()["Rule 1"]["lacks"][0]["message"];
  EXPECT_THAT(message, HasSubstr("feeds/users.csv is not the file that was pinned"));
  EXPECT_THAT(message, HasSubstr(Sha256Hex(std::string(kFeed) + "mallory,added\n")));
}

TEST_F(LocalFilesTest, AWatchlistThatIsBrokenIsNamedWithItsPlace) {
  Write("feeds/vips.csv", "Why,Upn\nboss\n");
  for (const char* verb : {"validate --offline", "rules list"}) {
    EXPECT_THAT(Picket(verb).out, HasSubstr("feeds/vips.csv:2:1: this record has 1 field")) << verb;
  }
  std::filesystem::remove(dir_ / "feeds/vips.csv");
  EXPECT_EQ(Verdicts()["Rule 2"]["verdict"], "refused") << "nobody knows its columns";
  EXPECT_EQ(Verdicts()["Rule 1"]["verdict"], "runs");
}

TEST_F(LocalFilesTest, ACheckKnowsThemIfTheConfigIsNamed) {
  EXPECT_EQ(Verdicts("rules check rules")["Rule 1"]["verdict"], "blocked");
  EXPECT_EQ(Verdicts("rules check rules --config picket.toml")["Rule 1"]["verdict"], "runs");
  const Outcome check = Picket("rules check rules/feed.yaml");
  EXPECT_EQ(check.code, 1);
  EXPECT_THAT(check.out, HasSubstr("no local file stands for 'https://feed.example/users.csv?"));
}

}  // namespace
}  // namespace picket

// A rule that does not run is named with file, line and column; the others run on.

#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>

#include "base/time.h"
#include "tests/cli/program.h"

namespace picket {
namespace {

using nlohmann::json;
using testing::HasSubstr;

struct BadRule {
  const char* name;
  const char* file;
  std::string text;
  int line, column;
  std::vector<std::string> says;
};

constexpr const char* kGood = R"(id: 0f7c6c1e-1111-4222-8333-444444444444
name: Any sign-in of Clara
severity: Low
queryFrequency: 1h
queryPeriod: 1h
triggerOperator: gt
triggerThreshold: 0
entityMappings:
  - entityType: Account
    fieldMappings:
      - identifier: FullName
        columnName: UserPrincipalName
query: |
  SigninLogs
  | where UserPrincipalName startswith 'clara'
kind: Scheduled
)";

std::string With(const std::string& what, const std::string& by) {
  std::string text = kGood;
  text.replace(text.find("333-444444444444"), 16, "333-777777777777");  // an id of its own
  return text.replace(text.find(what), what.size(), by);
}

class BadRuleTest : public TenantTest, public testing::WithParamInterface<BadRule> {};

TEST_P(BadRuleTest, IsNamedByPlaceAndKeepsNothingElseFromRunning) {
  std::filesystem::create_directory(dir_ / "rules");
  Write("rules/good.yaml", kGood);
  good_.more = "[rules]\npaths = [\"rules\"]\nshipped = false\n";
  ReadAll();
  Write(std::string("rules/") + GetParam().file, GetParam().text);
  const std::string place = std::string("rules/") + GetParam().file;

  const Outcome check = Picket("rules check " + place);
  EXPECT_EQ(check.code, 1) << check.out;
  const json checked = json::parse(
      Shell("\"$PICKET\" rules check " + place + " --format json 2>/dev/null").out, nullptr, false);
  ASSERT_EQ(checked.size(), 1U) << checked;
  EXPECT_EQ(checked[0]["verdict"], "refused");
  EXPECT_EQ(checked[0]["errors"][0]["line"], GetParam().line) << checked;
  EXPECT_EQ(checked[0]["errors"][0]["column"], GetParam().column) << checked;

  const Outcome validate = Picket("validate");
  EXPECT_EQ(validate.code, 1) << validate.out;
  const Outcome list = Picket("rules list");
  EXPECT_THAT(list.out, HasSubstr("runs"));
  for (const Outcome& outcome : {check, validate, list}) {
    EXPECT_THAT(outcome.out, HasSubstr(place));
    for (const std::string& words : GetParam().says) EXPECT_THAT(outcome.out, HasSubstr(words));
  }

  // The good rule finds what is new.
  WriteConfig(good_);
  Emit();
  const Outcome once = Once();
  EXPECT_EQ(once.code, 0) << once.out;
  EXPECT_THAT(once.out, HasSubstr("error: " + place));
  EXPECT_THAT(Picket("alerts list").out, HasSubstr("Any sign-in of Clara"));
  std::filesystem::remove(dir_ / place);
  ExpectNothingLost();
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BadRuleTest,
    testing::Values(
        BadRule{"KqlThatDoesNotParse",
                "bad.kql",
                "// A title\nSigninLogs\n| where UserPrincipalName = = 'x'\n",
                3,
                27,
                {"line 3, column 27"}},
        BadRule{"UnknownColumn",
                "bad.kql",
                "SigninLogs\n| where UserPrincipalNam == 'x'\n",
                2,
                9,
                {"line 2, column 9", "UserPrincipalNam", "UserPrincipalName"}},
        BadRule{"UnknownTable",
                "bad.kql",
                "SigninLog | take 1\n",
                1,
                1,
                {"line 1, column 1", "SigninLog", "SigninLogs"}},
        BadRule{"QueryInYaml",
                "bad.yaml",
                With("startswith 'clara'", "startswth 'clara'"),
                15,
                29,
                {"line 15, column 29"}},
        BadRule{"NoYaml",
                "bad.yaml",
                "id: x\nname: [broken\nseverity: Low\n",
                3,
                9,
                {"line 3, column 9", "not YAML"}},
        BadRule{"NoQuery",
                "bad.yaml",
                "id: 0f7c6c1e-1111-4222-8333-555555555555\nname: x\nkind: Scheduled\n",
                1,
                1,
                {"query"}},
        BadRule{"WrongSeverity",
                "bad.yaml",
                With("severity: Low", "severity: Lowish"),
                3,
                11,
                {"severity", "Low"}},
        BadRule{"MappedToNoColumn",
                "bad.yaml",
                With("columnName: UserPrincipalName", "columnName: UserPrincipleName"),
                12,
                21,
                {"UserPrincipleName", "entityMappings"}},

        BadRule{"NotUtf8", "bad.kql", "SigninLogs | where \xC3\x28 == 1\n", 1, 1, {"UTF-8"}}),
    [](const auto& one) { return std::string(one.param.name); });

using RulePathTest = ProgramTest;

TEST_F(RulePathTest, APathThatIsNotThereIsNamed) {
  const Outcome check = Picket("rules check nowhere");
  EXPECT_EQ(check.code, 1);
  EXPECT_THAT(check.out, HasSubstr("no such file or folder: nowhere"));
}

TEST_F(RulePathTest, AFolderWithoutRulesSaysWhatRulesAre) {
  std::filesystem::create_directory(dir_ / "empty");
  const Outcome check = Picket("rules check empty");
  EXPECT_EQ(check.code, 1);
  EXPECT_THAT(check.out, HasSubstr(".yaml"));
}

// One broken rule, or one id that is none, keeps nothing good from being shown or run.
TEST_F(RulePathTest, OneBrokenIdKeepsNoneOfTheOthersBack) {
  std::filesystem::create_directory(dir_ / "rules");
  Write("rules/a-broken.yaml", With("0f7c6c1e-1111-4222-8333-777777777777", "no-guid"));
  Write("rules/b-good.yaml", kGood);
  Write("rules/c-same.yaml", kGood);
  Write("rules/d-good.yaml", With("Any sign-in", "Each sign-in"));
  const Outcome check = Picket("rules check rules --format json 2>/dev/null");
  EXPECT_EQ(check.code, 1);
  const json checked = json::parse(check.out, nullptr, false);
  ASSERT_EQ(checked.size(), 4U) << check.out;
  std::map<std::string, std::string> verdicts;
  for (const json& rule : checked) verdicts[rule["file"]] = rule["verdict"];
  EXPECT_EQ(verdicts["rules/b-good.yaml"], "runs");
  EXPECT_EQ(verdicts["rules/d-good.yaml"], "runs");
  EXPECT_EQ(verdicts["rules/a-broken.yaml"], "refused");
  EXPECT_EQ(verdicts["rules/c-same.yaml"], "refused");

  Write("secret", "s");
  Write("picket.toml",
        "[agent]\ndata_dir = \"data\"\n[rules]\npaths = [\"rules\"]\nshipped = false\n"
        "[app]\nclient_id = \"11111111-2222-4333-8444-555555555555\"\ncredential = \"secret\"\n"
        "client_secret = \"@{file:secret}\"\n[[tenant]]\nname = \"contoso\"\n"
        "tenant_id = \"7b2c7e2e-9f0a-4d5b-8a43-0d3c1c1f5a01\"\n");
  const std::string good = "0f7c6c1e-1111-4222-8333-444444444444";
  const std::string other = "0f7c6c1e-1111-4222-8333-777777777777";
  const Outcome shown = Picket("rules show no-guid " + good + " " + other);
  EXPECT_EQ(shown.code, 1);
  EXPECT_THAT(shown.out, HasSubstr("Any sign-in of Clara"));
  EXPECT_THAT(shown.out, HasSubstr("Each sign-in of Clara"));
  EXPECT_THAT(shown.out, HasSubstr("no rule has the id no-guid"));
  EXPECT_THAT(shown.out, HasSubstr("2 rule files cannot be read; 'picket validate' names each."));
  const json both = json::parse(Picket("rules show " + good + " " + other + " --format json").out,
                                nullptr, false);
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[1]["id"], other);
  EXPECT_EQ(json::parse(Picket("rules show " + good + " --format json").out)["id"], good);
}

TEST_F(RulePathTest, WhatIsNoFilesFaultNamesTheConfig) {
  Write("secret", "s");
  Write("picket.toml",
        "[agent]\ndata_dir = \"data\"\n[rules]\nshipped_path = \"nowhere\"\n"
        "[app]\nclient_id = \"11111111-2222-4333-8444-555555555555\"\ncredential = \"secret\"\n"
        "client_secret = \"@{file:secret}\"\n[[tenant]]\nname = \"contoso\"\n"
        "tenant_id = \"7b2c7e2e-9f0a-4d5b-8a43-0d3c1c1f5a01\"\n");
  const Outcome validate = Picket("validate --offline");
  EXPECT_THAT(validate.out, HasSubstr("no such file or folder"));
  // The program alone in a folder, without the rules beside it.
  const Outcome alone = Shell(
      "sed -i '/shipped_path/d' picket.toml && mkdir bin && cp \"$PICKET\" bin/picket && "
      "bin/picket validate --offline; bin/picket rules list");
  EXPECT_THAT(alone.out, HasSubstr("wrong [rules]: the shipped rules are not beside the program"));
  EXPECT_THAT(alone.out, testing::Not(HasSubstr(": : ")));
  EXPECT_THAT(alone.out, testing::ContainsRegex("refused +\\[rules\\] "));
}

using RuleTestsTest = ProgramTest;

TEST_F(RuleTestsTest, TellsWhatPassesAndWhatDoesNot) {
  Write("clara.yaml", kGood);
  const std::string event =
      "    events: {SigninLogs: [{id: a, createdDateTime: 2026-11-24T09:30:00Z, "
      "userPrincipalName: clara}]}\n";
  const std::string good = "cases:\n  - name: fires\n" + event + "    expect: {count: 1}\n";
  Write("clara.test.yaml", good);
  const Outcome passed = Picket("rules test clara.yaml");
  EXPECT_EQ(passed.code, 0) << passed.out;
  EXPECT_EQ(passed.out, "clara.test.yaml\n  ok    fires\n1 test: 1 passed, 0 failed\n");
  EXPECT_FALSE(std::filesystem::exists(dir_ / "data"));
  EXPECT_EQ(Picket("rules check .").code, 0) << "tests are no rules";

  Write("clara.test.yaml",
        good + "  - name: \"does not \\e[31m\"\n" + event + "    expect: {fires: false}\n");
  const Outcome failed = Picket("rules test .");
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.out, HasSubstr("  ok    fires\n"));
  EXPECT_THAT(failed.out, HasSubstr("(line 5)\n        it fires, and should not: 1 finding\n"));
  EXPECT_THAT(failed.out, HasSubstr("2 tests: 1 passed, 1 failed"));
  EXPECT_EQ(failed.out.find('\x1b'), std::string::npos);
  const json told = json::parse(Picket("rules test clara.test.yaml --format json").out);
  EXPECT_EQ(told["passed"], 1);
  EXPECT_EQ(told["failed"], 1);
  EXPECT_EQ(told["cases"][0]["passed"], true);
  EXPECT_EQ(told["cases"][0]["rule"], "clara.yaml");
  EXPECT_EQ(told["cases"][1]["line"], 5);
  EXPECT_EQ(told["cases"][1]["problems"][0], "it fires, and should not: 1 finding");
}

TEST_F(RuleTestsTest, WhatCanNotBeTestedIsNoPass) {
  Write("clara.yaml", kGood);
  const Outcome none = Picket("rules test clara.yaml");
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.out, HasSubstr("clara.test.yaml beside it would hold them"));
  EXPECT_EQ(Picket("rules test nowhere").code, 1);
  std::filesystem::create_directory(dir_ / "empty");
  const Outcome empty = Picket("rules test empty");
  EXPECT_EQ(empty.code, 1);
  EXPECT_THAT(empty.out, HasSubstr("there are no tests there"));
  Write("clara.test.yaml", "cases:\n  - nme: x\n");
  EXPECT_THAT(Picket("rules test clara.yaml").out,
              HasSubstr("line 2, column 5: a case has no 'nme'"));
  Write("lost.test.yaml", "cases: [{name: x, expect: {fires: true}}]\n");
  EXPECT_THAT(Picket("rules test lost.test.yaml").out, HasSubstr("lost.yaml: cannot read"));
  EXPECT_EQ(Picket("rules test --format csv").code, 64);
  EXPECT_EQ(Picket("rules test --config none.toml").code, 78);
}

constexpr const char* kCounting = R"(id: 0f7c6c1e-1111-4222-8333-888888888888
name: Many sign-ins of one user
severity: High
queryFrequency: 5m
queryPeriod: 1h
triggerOperator: gt
triggerThreshold: 0
alertDetailsOverride:
  alertDisplayNameFormat: '{{SignIns}} sign-ins of {{UserPrincipalName}}'
entityMappings:
  - entityType: Account
    fieldMappings:
      - identifier: FullName
        columnName: UserPrincipalName
query: |
  SigninLogs
  | summarize SignIns = count() by UserPrincipalName
  | where SignIns >= 7
kind: Scheduled
)";

class TickRuleTest : public TenantTest {
 protected:
  [[nodiscard]] json Json(const std::string& command) const {
    return json::parse(Shell("\"$PICKET\" " + command + " --format json 2>/dev/null").out, nullptr,
                       false);
  }
};

TEST_F(TickRuleTest, ARuleThatCountsRaisesAnAlertAndSaysHowFarItCame) {
  Write("rule.yaml", kCounting);
  good_.more = "[rules]\npaths = [\"rule.yaml\"]\nshipped = false\n";
  WriteConfig(good_);
  ASSERT_EQ(Once().code, 0);
  EXPECT_THAT(Picket("rules list").out, HasSubstr("by tick"));
  const std::size_t before = Json("alerts list --all")["alerts"].size();
  for (int i = 0; i < 3; ++i) Emit();
  Pass(kMinute * 8);
  const Outcome once = Once();
  EXPECT_EQ(once.code, 0) << once.out;
  const json alerts = Json("alerts list --all");
  ASSERT_EQ(alerts["alerts"].size(), before + 1) << alerts << once.out;
  EXPECT_THAT(alerts["alerts"][0]["title"].get<std::string>(),
              HasSubstr("sign-ins of clara.huber@contoso.example"));
  EXPECT_EQ(alerts["alerts"][0]["severity"], "High");

  const json rule = Json("status")["tenants"][0]["rules"][0];
  EXPECT_EQ(rule["way"], "by tick");
  EXPECT_TRUE(rule["evaluated"].is_string()) << rule;
  EXPECT_EQ(rule["given_up"], 0) << rule;
  EXPECT_THAT(Shell("\"$PICKET\" status --format prometheus").out,
              HasSubstr("picket_rule_ticks{tenant=\"contoso\",rule=\"0f7c6c1e-1111-4222-8333-"
                        "888888888888\",state=\"dirty\"} 0"));
  const json shown = Json("rules show 0f7c6c1e-1111-4222-8333-888888888888");
  EXPECT_EQ(shown["progress"][0]["evaluated"], rule["evaluated"]) << shown;
  EXPECT_EQ(Once().code, 0);
  EXPECT_EQ(Json("alerts list --all")["alerts"].size(), before + 1) << "once";

  // A backtest up to Graph's present finds it too, and delivers nothing.
  const Outcome backtest =
      Picket("rules backtest rule.yaml --tenant contoso --to " + FormatRfc3339(graph_->Now()));
  EXPECT_EQ(backtest.code, 0) << backtest.out;
  EXPECT_THAT(backtest.out, HasSubstr("clara.huber@contoso.example"));
  EXPECT_EQ(Picket("rules backtest rule.yaml --tenant contoso --from soon").code, 64);
  EXPECT_EQ(Picket("rules backtest no-such-rule --tenant contoso").code, 1);
  EXPECT_EQ(Json("alerts list --all")["alerts"].size(), before + 1);
}

}  // namespace
}  // namespace picket

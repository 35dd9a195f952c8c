// Tests of rule tests: what they take, what they refuse, and that a wrong rule does not pass.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "agent/rules/rule_file.h"
#include "agent/rules/rule_test.h"
#include "agent/tables/table_catalog.h"
#include "tests/scratch_directory.h"

namespace picket::rules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Goes by row.
constexpr const char* kByRow = R"(id: 18e9803a-3394-580e-b321-53d788c2c042
name: Risky sign-ins
queryFrequency: 1h
queryPeriod: 1h
query: |
  SigninLogs
  | where RiskState == 'atRisk'
  | project TimeGenerated, UserPrincipalName, City = LocationDetails.city, Number = 7
)";

// Goes by tick.
constexpr const char* kByTick = R"(id: 18e9803a-3394-580e-b321-53d788c2c043
name: Users with several sign-ins
queryFrequency: 1h
queryPeriod: 2h
query: |
  SigninLogs
  | summarize SignIns = count() by UserPrincipalName
  | where SignIns > 1
)";

// What is wrong with each case of the file, by its order.
std::vector<std::vector<std::string>> ProblemsOf(const char* rule_yaml,
                                                 const std::string& tests_yaml) {
  const auto rule = ParseSentinelRule(rule_yaml, "r.yaml");
  EXPECT_TRUE(rule) << rule.error().message;
  const auto file = ParseRuleTests(tests_yaml, "r.test.yaml");
  EXPECT_TRUE(file) << file.error().message;
  std::vector<std::vector<std::string>> problems;
  if (!rule || !file) return problems;
  const Verdict verdict = Check(*rule, tables::TableCatalog());
  for (const RuleTest& test : file->tests) {
    const auto ran = RunRuleTest(*rule, verdict, test, {});
    EXPECT_TRUE(ran) << ran.error().message;
    if (ran) problems.push_back(*ran);
  }
  return problems;
}

std::string Case(const std::string& more) { return "cases:\n  - name: x\n" + more; }

constexpr const char* kAnn =
    "{id: a, createdDateTime: 2026-11-24T09:30:00Z, userPrincipalName: ann, riskState: atRisk, "
    "location: {city: Graz}}";

std::string WithAnn(const std::string& expect) {
  return Case("    events: {SigninLogs: [" + std::string(kAnn) + "]}\n    expect: " + expect +
              "\n");
}

TEST(RuleTestRun, WhatIsAsExpectedPasses) {
  for (const char* expect :
       {"{fires: true}", "{count: 1}", "{rows: [{UserPrincipalName: ann}]}",
        "{rows: [{City: Graz, Number: 7, TimeGenerated: 2026-11-24T09:30:00Z}]}",
        "{rows: [{TimeGenerated: '2026-11-24T09:30:00.0000000Z'}]}",
        "{fires: true, count: 1, rows: [{}]}"}) {
    EXPECT_THAT(ProblemsOf(kByRow, WithAnn(expect)), ElementsAre(IsEmpty())) << expect;
  }
}

TEST(RuleTestRun, WhatIsNotFailsAndSaysHow) {
  const auto problem = [](const char* expect) {
    const auto all = ProblemsOf(kByRow, WithAnn(expect));
    std::string text;
    for (const std::string& each : all.at(0)) text += each + "\n";
    return text;
  };
  EXPECT_THAT(problem("{fires: false}"), HasSubstr("it fires, and should not: 1 finding\n"));
  EXPECT_THAT(problem("{fires: false}"), HasSubstr("found: {\"City\":\"Graz\""));
  EXPECT_THAT(problem("{count: 2}"), HasSubstr("1 finding, not 2\n"));
  EXPECT_THAT(problem("{count: 0}"), HasSubstr("1 finding, not 0\n"));
  EXPECT_THAT(problem("{rows: [{UserPrincipalName: bob, Number: 7}]}"),
              HasSubstr("the nearest: UserPrincipalName is \"ann\", not \"bob\"\n"));
  EXPECT_THAT(problem("{rows: [{Number: '7'}]}"), HasSubstr("Number is 7, not \"7\"\n"));
  EXPECT_THAT(problem("{rows: [{Nmber: 7}]}"), HasSubstr("there is no column 'Nmber'\n"));
  EXPECT_THAT(problem("{rows: [{Number: 7}, {Number: 7}]}"), HasSubstr("1 finding, not 2\n"));
  EXPECT_THAT(problem("{count: 1, rows: [{Number: 7}, {Number: 7}]}"),
              HasSubstr("no finding with {\"Number\":7}"));
}

TEST(RuleTestRun, EachRowIsAFindingOfItsOwnInWhateverOrder) {
  const std::string two = Case(
      "    events:\n      SigninLogs:\n"
      "        - {id: a, createdDateTime: 2026-11-24T09:30:00Z, userPrincipalName: ann, "
      "riskState: atRisk}\n"
      "        - {id: b, createdDateTime: 2026-11-24T09:31:00Z, userPrincipalName: bob, "
      "riskState: atRisk}\n"
      "    expect: ");
  // The first row takes either; the second leaves it only bob's.
  EXPECT_THAT(ProblemsOf(kByRow, two + "{rows: [{Number: 7}, {UserPrincipalName: ann}]}"),
              ElementsAre(IsEmpty()));
  EXPECT_THAT(
      ProblemsOf(kByRow, two + "{rows: [{UserPrincipalName: bob}, {UserPrincipalName: ann}]}"),
      ElementsAre(IsEmpty()));
  EXPECT_THAT(ProblemsOf(kByRow, two + "{rows: [{UserPrincipalName: bob}]}"),
              ElementsAre(ElementsAre("2 findings, not 1", HasSubstr("found: {"))));
}

TEST(RuleTestRun, ARowOfTheTableIsAsGoodAsARecordOfGraph) {
  EXPECT_THAT(
      ProblemsOf(kByRow, Case("    events: {SigninLogs: [{TimeGenerated: 2026-11-24T09:30:00Z, "
                              "Id: a, UserPrincipalName: ann, RiskState: atRisk}]}\n"
                              "    expect: {rows: [{UserPrincipalName: ann}]}\n")),
      ElementsAre(IsEmpty()));
}

TEST(RuleTestRun, AStepGoesOnWithWhatTheOnesBeforeLeft) {
  const std::string later = Case(
      "    time: 2026-11-26T10:00:00Z\n"
      "    events: {SigninLogs: [{id: a, createdDateTime: 2026-11-24T09:30:00Z, riskState: "
      "none}]}\n"
      "    expect: {fires: false}\n"
      "    then:\n"
      "      - events: {SigninLogs: [{id: a, createdDateTime: 2026-11-24T09:30:00Z, "
      "riskState: atRisk}]}\n"
      "        expect: {count: 1}\n"
      "      - expect: {count: 2}\n"
      "      - events: {SigninLogs: [{id: a, createdDateTime: 2026-11-24T09:30:00Z, "
      "riskState: dismissed}]}\n"
      "        expect: {fires: false}\n");
  EXPECT_THAT(ProblemsOf(kByRow, later),
              ElementsAre(ElementsAre("step 3: 1 finding, not 2", HasSubstr("step 3: found: "))));
}

TEST(RuleTestRun, ARuleThatCountsLooksBackFromTheTime) {
  const std::string events =
      "    events:\n      SigninLogs:\n"
      "        - {id: a, createdDateTime: 2026-11-24T07:30:00Z, userPrincipalName: ann}\n"
      "        - {id: b, createdDateTime: 2026-11-24T08:30:00Z, userPrincipalName: ann}\n";
  const auto at = [&](const std::string& time, const std::string& expect) {
    return ProblemsOf(kByTick, Case((time.empty() ? "" : "    time: 2026-11-24T" + time + "Z\n") +
                                    events + "    expect: " + expect + "\n"));
  };
  EXPECT_THAT(at("09:00:00", "{rows: [{UserPrincipalName: ann, SignIns: 2}]}"),
              ElementsAre(IsEmpty()));
  EXPECT_THAT(at("09:29:59", "{count: 1}"), ElementsAre(IsEmpty()));
  EXPECT_THAT(at("09:30:00", "{fires: false}"), ElementsAre(IsEmpty())) << "the first is too old";
  EXPECT_THAT(at("08:00:00", "{fires: false}"), ElementsAre(IsEmpty())) << "the second is to come";
  EXPECT_THAT(at("", "{count: 1}"), ElementsAre(ElementsAre(HasSubstr("no 'time'"))));
}

TEST(RuleTestRun, RowsAfterTheTimeAreNotSeenRowByRowEither) {
  EXPECT_THAT(ProblemsOf(kByRow, Case("    time: 2026-11-24T09:29:59Z\n    events: {SigninLogs: [" +
                                      std::string(kAnn) + "]}\n    expect: {fires: false}\n")),
              ElementsAre(IsEmpty()));
}

TEST(RuleTestRun, DefaultsAreWhatAnEventDoesNotSayItself) {
  EXPECT_THAT(
      ProblemsOf(
          kByRow,
          "defaults: {SigninLogs: {id: a, createdDateTime: 2026-11-24T09:30:00Z, riskState: atRisk,"
          " userPrincipalName: ann, location: {city: Graz, state: Styria}}}\n"
          "cases:\n"
          "  - {name: all of it, events: {SigninLogs: [{}]}, expect: {rows: [{City: Graz}]}}\n"
          "  - {name: a part, events: {SigninLogs: [{location: {city: Linz}}]}, "
          "expect: {rows: [{City: Linz, UserPrincipalName: ann}]}}\n"
          "  - {name: taken away, events: {SigninLogs: [{riskState: null}]}, "
          "expect: {fires: false}}\n"),
      ElementsAre(IsEmpty(), IsEmpty(), IsEmpty()));
}

TEST(RuleTestRun, EventsThatCanNotBeKeptFailTheTest) {
  const auto problems = [](const std::string& events) {
    const auto all =
        ProblemsOf(kByRow, Case("    events: " + events + "\n    expect: {fires: false}\n"));
    return all.at(0).empty() ? std::string() : all[0][0];
  };
  EXPECT_THAT(problems("{SigninLog: [{id: a}]}"),
              HasSubstr("line 3, SigninLog: there is no table"));
  EXPECT_THAT(problems("{SigninLogs: [{createdDateTime: 2026-11-24T09:30:00Z}]}"),
              HasSubstr("line 3, SigninLogs: "));
  EXPECT_THAT(problems("{SigninLogs: [{TimeGenerated: soon, Id: a}]}"),
              HasSubstr("line 3, SigninLogs: "));
}

TEST(RuleTestRun, ARuleThatIsRefusedFailsItsTests) {
  const std::string broken =
      std::string(kByRow).replace(std::string(kByRow).find("RiskState =="), 12, "RiskyState =");
  EXPECT_THAT(ProblemsOf(broken.c_str(), WithAnn("{fires: false}")),
              ElementsAre(SizeIs(testing::Ge(1U))));
}

std::string RefusalOf(const std::string& yaml) {
  const auto file = ParseRuleTests(yaml, "r.test.yaml");
  return file ? "accepted" : file.error().message + "|" + file.error().hint;
}

TEST(RuleTestFileTest, WhatIsWrongIsNamedByItsPlace) {
  EXPECT_THAT(RefusalOf("cases: []\n"), HasSubstr("line 1, column 8: 'cases' must be a list"));
  EXPECT_THAT(RefusalOf("rule: x.yaml\n"), HasSubstr("'cases' must be a list"));
  EXPECT_THAT(RefusalOf("- a\n"), HasSubstr("must be a mapping"));
  EXPECT_THAT(RefusalOf("cases: [\n"), HasSubstr("not YAML"));
  EXPECT_THAT(RefusalOf("cases:\n  - expect: {fires: true}\n"), HasSubstr("needs a 'name'"));
  EXPECT_THAT(RefusalOf(Case("    expct: {fires: true}\n")),
              HasSubstr("line 3, column 5: a case has no 'expct'|Did you mean 'expect'?"));
  EXPECT_THAT(RefusalOf(Case("    events: {}\n")), HasSubstr("'expect' is missing"));
  EXPECT_THAT(RefusalOf(Case("    expect: {}\n")), HasSubstr("must say"));
  EXPECT_THAT(RefusalOf(Case("    expect: {fire: true}\n")), HasSubstr("Did you mean 'fires'?"));
  EXPECT_THAT(RefusalOf(Case("    expect: {fires: maybe}\n")), HasSubstr("true or false"));
  EXPECT_THAT(RefusalOf(Case("    expect: {count: -1}\n")), HasSubstr("'count' must be a number"));
  EXPECT_THAT(RefusalOf(Case("    expect: {rows: {a: 1}}\n")), HasSubstr("must be a list"));
  EXPECT_THAT(RefusalOf(Case("    time: noon\n    expect: {fires: true}\n")),
              HasSubstr("line 3, column 11: 'time' must be a time"));
  EXPECT_THAT(RefusalOf(Case("    events: [a]\n    expect: {fires: true}\n")),
              HasSubstr("by table"));
  EXPECT_THAT(RefusalOf(Case("    events: {SigninLogs: [a]}\n    expect: {fires: true}\n")),
              HasSubstr("must be a mapping"));
  EXPECT_THAT(RefusalOf(Case("    then: x\n    expect: {fires: true}\n")),
              HasSubstr("'then' must be a list"));
}

TEST(RuleTestFileTest, ItsNameTells) {
  for (const char* file : {"a.test.yaml", "a.test.yml", "rules.d/A.Test.YAML", "a.b.test.yml"}) {
    EXPECT_TRUE(IsRuleTestFile(file)) << file;
  }
  for (const char* file : {"a.yaml", "test.yaml", "a.test.kql", "a.test.yaml.bak", "atest.yml"}) {
    EXPECT_FALSE(IsRuleTestFile(file)) << file;
  }
}

// Each line holds ten of the line before.
TEST(RuleTestFileTest, AliasesThatGrowWithoutEndAreRefused) {
  std::string yaml = "defaults:\n  A: &a0 {x: 1}\n";
  for (int i = 1; i < 9; ++i) {
    const std::string before = "*a" + std::to_string(i - 1) + ", ";
    std::string list;
    for (int k = 0; k < 10; ++k) list += before;
    yaml += "  B" + std::to_string(i) + ": &a" + std::to_string(i) + " {x: [" + list + "]}\n";
  }
  EXPECT_THAT(RefusalOf(yaml + "cases: [{name: x, expect: {fires: true}}]\n"),
              HasSubstr("holds too much"));
}

TEST(RuleTestFileTest, ItIsNoRuleAndFindsItsOwn) {
  const ScratchDirectory scratch;
  std::ofstream(scratch.path() / "a.yaml") << kByRow;
  std::ofstream(scratch.path() / "a.test.yaml") << WithAnn("{count: 1}");
  const RuleSet set = LoadRules({scratch.path()}, /*shipped=*/false);
  EXPECT_THAT(set.rules, SizeIs(1));
  EXPECT_THAT(set.errors, IsEmpty());
  const auto tests = LoadRuleTests(TestFileOf(scratch.path() / "a.yaml"));
  ASSERT_TRUE(tests) << tests.error().message;
  EXPECT_EQ(tests->rule, scratch.path() / "a.yaml");
  EXPECT_THAT(LoadRules({scratch.path() / "a.test.yaml"}, false).errors, SizeIs(1));
}

}  // namespace
}  // namespace picket::rules

#include "agent/rules/rule_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "agent/rules/verdict.h"
#include "agent/tables/table_catalog.h"
#include "base/uuid.h"

namespace picket::rules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kGood = R"(id: 18E9803A-3394-580e-b321-53d788c2c042
name: A title
kind: Scheduled
severity: high
queryFrequency: PT30M
queryPeriod: 2d
triggerOperator: gt
triggerThreshold: 3
tactics: [InitialAccess]
relevantTechniques:
  - T1078.004
query: |
  SigninLogs
  | where ResultType == 0
entityMappings:
  - entityType: Account
    fieldMappings:
      - identifier: FullName
        columnName: UserPrincipalName
customDetails:
  Reason: Why
picket:
  confidence: low
  licence: P1
)";

std::string With(std::string_view from, std::string_view to) {
  std::string text = kGood;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string RefusalOf(const std::string& yaml) {
  const auto rule = ParseSentinelRule(yaml, "r.yaml");
  if (rule) return "accepted";
  EXPECT_EQ(rule.error().kind, ErrorKind::kRefused);
  return rule.error().message;
}

TEST(SentinelRuleTest, EveryMemberIsRead) {
  const auto rule = ParseSentinelRule(kGood, "r.yaml");
  ASSERT_TRUE(rule) << rule.error().message;
  EXPECT_EQ(rule->id, "18e9803a-3394-580e-b321-53d788c2c042");
  EXPECT_EQ(rule->title, "A title");
  EXPECT_EQ(rule->severity, Severity::kHigh);
  EXPECT_EQ(rule->confidence, Confidence::kLow);
  EXPECT_EQ(rule->query_frequency, kMinute * 30);
  EXPECT_EQ(rule->query_period, kDay * 2);
  EXPECT_EQ(rule->trigger_threshold, 3);
  EXPECT_THAT(rule->tactics, ElementsAre("InitialAccess"));
  EXPECT_THAT(rule->techniques, ElementsAre("T1078.004"));
  ASSERT_EQ(rule->entities.size(), 1U);
  EXPECT_EQ(rule->entities[0].type, "Account");
  ASSERT_EQ(rule->entities[0].identifiers.size(), 1U);
  EXPECT_EQ(rule->entities[0].identifiers[0].name, "FullName");
  EXPECT_EQ(rule->entities[0].identifiers[0].column, "UserPrincipalName");
  EXPECT_THAT(rule->custom_details, ElementsAre(testing::Pair("Reason", "Why")));
  EXPECT_EQ(rule->licence, "P1");
  EXPECT_EQ(rule->query, "SigninLogs\n| where ResultType == 0\n");
}

// Line and column, counted by hand as an editor does, of the word in the text.
std::pair<int, int> PlaceInEditor(const std::string& text, const std::string& word) {
  std::pair<int, int> place = {1, 1};
  const std::size_t at = text.find(word);
  EXPECT_NE(at, std::string::npos) << word;
  for (std::size_t i = 0; i < at; ++i) {
    if (text[i] == '\n') {
      place = {place.first + 1, 1};
    } else if ((text[i] & 0xC0) != 0x80) {
      ++place.second;
    }
  }
  return place;
}

// Of the only error of a rule.
std::pair<int, int> PlaceOfError(const std::string& yaml) {
  const auto rule = ParseSentinelRule(yaml, "r.yaml");
  EXPECT_TRUE(rule) << rule.error().message;
  if (!rule) return {0, 0};
  const Verdict verdict = Check(*rule, tables::TableCatalog());
  EXPECT_EQ(verdict.verdict, "refused");
  EXPECT_EQ(verdict.query, nullptr);
  EXPECT_EQ(verdict.errors.size(), 1U);
  return {verdict.errors.at(0).line, verdict.errors.at(0).column};
}

// The good rule with its query written otherwise.
std::string WithQuery(const std::string& member) {
  return With("query: |\n  SigninLogs\n  | where ResultType == 0\n", member);
}

TEST(SentinelRuleTest, AnErrorOfTheQueryIsWhereAnEditorShowsIt) {
  for (const char* member : {
           "query: |\n  SigninLogs\n  | where ResultType == 0 and NoSuchColumn == 1\n",
           "query: |\n  SigninLogs | where NoSuchColumn == 1\n",
           "query: |-   # why\n\n\n        SigninLogs\n\n          | where NoSuchColumn == 1\n\n",
           "query: |2\n    SigninLogs\n  | where NoSuchColumn == 1\n",
           "query: |+\n    SigninLogs // é ü 漢\n    | where 'é' == '漢' or NoSuchColumn == 1\n\n",
           "query:   |\r\n   SigninLogs\r\n   | where NoSuchColumn == 1\r\n",
           "query: SigninLogs | where NoSuchColumn == 1\n",
           "query: \"SigninLogs | where NoSuchColumn == 1\"\n",
           "'query':   'SigninLogs | where NoSuchColumn == 1'\n",
           "query:\n  SigninLogs | where NoSuchColumn == 1\n",
       }) {
    const std::string yaml = WithQuery(member);
    EXPECT_EQ(PlaceOfError(yaml), PlaceInEditor(yaml, "NoSuchColumn")) << member;
  }
  const std::string flow =
      "{name: é, id: 18e9803a-3394-580e-b321-53d788c2c042, query: 'SigninLogs | take NoSuch'}";
  EXPECT_EQ(PlaceOfError(flow), PlaceInEditor(flow, "NoSuch"));
}

// Lines that YAML folds and characters that it unescapes stand elsewhere in the file than in the
// text.
TEST(SentinelRuleTest, AnErrorOfAQueryThatTheFileWritesOtherwiseIsAtItsKey) {
  for (const char* member : {
           "query: >\n  SigninLogs\n  | where NoSuchColumn == 1\n",
           "query: \"SigninLogs | where \\\"a\\\" == NoSuchColumn\"\n",
           "query: 'SigninLogs | where ''a'' == NoSuchColumn'\n",
           "query: 'SigninLogs\n  | where NoSuchColumn == 1'\n",
           "query: SigninLogs\n  | where NoSuchColumn == 1\n",
       }) {
    const std::string yaml = WithQuery(member);
    EXPECT_EQ(PlaceOfError(yaml), PlaceInEditor(yaml, "query:")) << member;
  }
}

TEST(SentinelRuleTest, WhatIsMissingAtTheEndIsMissingBehindTheLastWord) {
  const std::string yaml = WithQuery("query: |\n  SigninLogs\n  | where ResultType ==\n\n");
  auto place = PlaceInEditor(yaml, "==");
  place.second += 2;
  EXPECT_EQ(PlaceOfError(yaml), place);
}

TEST(SentinelRuleTest, WhatIsWrongBesideTheQueryIsAtItsOwnPlace) {
  const std::string mapped = With("columnName: User", "columnName: Loser");
  EXPECT_EQ(PlaceOfError(mapped), PlaceInEditor(mapped, "LoserPrincipalName"));
  const std::string period = With("queryPeriod: 2d", "queryPeriod: 10m");
  EXPECT_EQ(PlaceOfError(period), PlaceInEditor(period, "10m"));
  const std::string no_table = WithQuery("query: |\n  print UserPrincipalName = 'x'\n");
  EXPECT_EQ(PlaceOfError(no_table), PlaceInEditor(no_table, "print"));
}

TEST(SentinelRuleTest, WhatIsWrongInAMappingBelowIsNamedByOnePlace) {
  EXPECT_EQ(RefusalOf(With("columnName: User", "columName: User")),
            "line 18, column 9: 'columnName' is missing or empty");
  EXPECT_EQ(RefusalOf(With("confidence: low", "confidence: lowish")),
            "line 23, column 15: 'confidence' is 'lowish'; it may be low, medium, high");
}

TEST(SentinelRuleTest, AnEntityOfAColumnThatIsNotReturnedIsRefused) {
  const auto rule = ParseSentinelRule(With("columnName: User", "columnName: Loser"), "r.yaml");
  ASSERT_TRUE(rule);
  const Verdict verdict = Check(*rule, tables::TableCatalog());
  ASSERT_EQ(verdict.errors.size(), 1U);
  EXPECT_EQ(verdict.errors[0].code, "PK111");
}

Way WayOf(std::string_view query, std::string_view from = "", std::string_view to = "") {
  std::string text = With("SigninLogs\n  | where ResultType == 0", query);
  text.replace(text.find("triggerThreshold: 3"), 19, "triggerThreshold: 0");
  if (!from.empty()) text.replace(text.find(from), from.size(), to);
  const auto rule = ParseSentinelRule(text, "r.yaml");
  EXPECT_TRUE(rule) << rule.error().message;
  const Verdict verdict = Check(*rule, tables::TableCatalog());
  EXPECT_EQ(verdict.verdict, "runs") << verdict.errors[0].message;
  return verdict.way;
}

TEST(SentinelRuleTest, OnlyWhatARowAloneDecidesGoesByRow) {
  for (const char* by_row : {
           "SigninLogs | where ResultType == 0",
           "SigninLogs | where TimeGenerated > ago(1d) and ResultType == 0",
           "SigninLogs | where TimeGenerated between (ago(1d) .. now())",
           "SigninLogs | where TimeGenerated >= startofday(ago(1d)) | where TimeGenerated <= now()",
           "SigninLogs | where ago(2h) < TimeGenerated | extend a = 1 | sort by TimeGenerated",
       }) {
    EXPECT_EQ(WayOf(by_row), Way::kByRow) << by_row;
  }
  for (const char* by_tick : {
           "SigninLogs | where TimeGenerated < ago(1h)",
           "SigninLogs | where TimeGenerated < now()",
           "SigninLogs | where TimeGenerated between (ago(1d) .. ago(1h))",
           "SigninLogs | where TimeGenerated > ago(1d) or ResultType == 0",
           "SigninLogs | extend age = now() - TimeGenerated",
           "SigninLogs | extend t = TimeGenerated | where t > ago(1d)",
           "SigninLogs | summarize count() by UserPrincipalName",
           "SigninLogs | where UserPrincipalName in ((SigninLogs | project UserPrincipalName))",
           "union SigninLogs, AADNonInteractiveUserSignInLogs",
       }) {
    EXPECT_EQ(WayOf(by_tick), Way::kByTick) << by_tick;
  }
  const std::string plain = "SigninLogs | where ResultType == 0";
  EXPECT_EQ(WayOf(plain, "triggerThreshold: 0", "triggerThreshold: 5"), Way::kByTick);
  EXPECT_EQ(WayOf(plain, "triggerOperator: gt", "triggerOperator: eq"), Way::kByTick);
  EXPECT_EQ(WayOf(plain, "triggerOperator: gt", "triggerOperator: ne"), Way::kByRow);
  EXPECT_EQ(WayOf(plain, "kind: Scheduled", "suppressionEnabled: true"), Way::kByTick);
}

TEST(SentinelRuleTest, APeriodThatLeavesRowsOutIsRefused) {
  const auto rule = ParseSentinelRule(With("queryPeriod: 2d", "queryPeriod: 10m"), "r.yaml");
  ASSERT_TRUE(rule);
  const Verdict verdict = Check(*rule, tables::TableCatalog());
  ASSERT_EQ(verdict.errors.size(), 1U);
  EXPECT_EQ(verdict.errors[0].code, "PK112");
  EXPECT_THAT(verdict.errors[0].message, HasSubstr("queryPeriod 10m"));
}

TEST(SentinelRuleTest, WhatGroupsAndHoldsAlertsIsRead) {
  const auto rule = ParseSentinelRule(
      With("customDetails:",
           "suppressionEnabled: true\nsuppressionDuration: PT5H\neventGroupingSettings:\n"
           "  aggregationKind: AlertPerResult\nalertDetailsOverride:\n"
           "  alertDisplayNameFormat: 'Seen {{A}}'\n  alertSeverityColumnName: Sev\n"
           "  alertTacticsColumnName: Tac\ncustomDetails:"),
      "r.yaml");
  ASSERT_TRUE(rule) << rule.error().message;
  EXPECT_EQ(rule->suppression, kHour * 5);
  EXPECT_TRUE(rule->alert_per_result);
  EXPECT_EQ(rule->display_name_format, "Seen {{A}}");
  EXPECT_EQ(rule->severity_column, "Sev");
  EXPECT_EQ(rule->tactics_column, "Tac");
  const auto off = ParseSentinelRule(
      With("customDetails:", "suppressionEnabled: false\nsuppressionDuration: 5h\ncustomDetails:"),
      "r.yaml");
  ASSERT_TRUE(off);
  EXPECT_EQ(off->suppression, Timespan());
  EXPECT_THAT(RefusalOf(With("customDetails:", "suppressionEnabled: maybe\ncustomDetails:")),
              HasSubstr("'suppressionEnabled' must be true or false"));
  EXPECT_THAT(RefusalOf(With("customDetails:",
                             "eventGroupingSettings:\n  aggregationKind: Some\ncustomDetails:")),
              HasSubstr("SingleAlert, AlertPerResult"));
}

TEST(SentinelRuleTest, AnNrtRuleLooksAtEachMinute) {
  const auto rule =
      ParseSentinelRule(With("kind: Scheduled\nseverity: high\nqueryFrequency: PT30M\n"
                             "queryPeriod: 2d",
                             "kind: NRT\nseverity: high"),
                        "r.yaml");
  ASSERT_TRUE(rule) << rule.error().message;
  EXPECT_EQ(rule->query_frequency, kMinute);
  EXPECT_EQ(rule->query_period, kMinute);
}

TEST(SentinelRuleTest, RefusalsNameLineAndColumn) {
  EXPECT_EQ(RefusalOf(With("severity: high", "severity: dreadful")),
            "line 4, column 11: 'severity' is 'dreadful'; it may be Informational, Low, Medium, "
            "High");
  EXPECT_THAT(RefusalOf(With("severity: high", "severity: [high]")),
              HasSubstr("line 4, column 11: 'severity' must be a text"));
  EXPECT_THAT(RefusalOf(With("tactics: [InitialAccess]", "tactics: InitialAccess")),
              HasSubstr("line 9, column 10: 'tactics' must be a list"));
  EXPECT_THAT(RefusalOf(With("tactics: [InitialAccess]", "tactics: [{a: b}]")),
              HasSubstr("line 9, column 11: 'tactics' must be a list of texts"));
  EXPECT_THAT(RefusalOf(With("queryPeriod: 2d", "queryPeriod: soon")),
              HasSubstr("line 6, column 14: 'queryPeriod' is no positive span"));
  EXPECT_THAT(RefusalOf(With("queryPeriod: 2d", "queryPeriod: 0d")), HasSubstr("line 6"));
  EXPECT_THAT(RefusalOf(With("triggerThreshold: 3", "triggerThreshold: many")),
              HasSubstr("line 8, column 19"));
  EXPECT_THAT(RefusalOf(With("id: 18E9803A", "id: 18E9")), HasSubstr("line 1, column 5: 'id'"));
  EXPECT_THAT(RefusalOf(With("confidence: low", "confidence: sure")), HasSubstr("line 23"));
  EXPECT_THAT(RefusalOf("- a\n- b\n"), HasSubstr("line 1, column 1"));
  EXPECT_THAT(RefusalOf("name: \"unclosed\nquery: [\n"), HasSubstr("line "));
  EXPECT_THAT(RefusalOf(With("query: |", "quarry: |")), HasSubstr("'query' is missing"));
}

TEST(SentinelRuleTest, ASecondDocumentIsRefusedAtItsPlace) {
  EXPECT_THAT(RefusalOf(std::string(kGood) + "---\nname: another\n"),
              testing::AllOf(HasSubstr("line 26"), HasSubstr("second document")));
}

TEST(SentinelRuleTest, WhatIsNoTextOrTooLargeIsRefused) {
  EXPECT_THAT(RefusalOf("name: \xff\xfe\n"), HasSubstr("UTF-8"));
  EXPECT_THAT(RefusalOf(""), HasSubstr("empty"));
  EXPECT_THAT(RefusalOf(std::string(kMaxRuleFileBytes + 1, '#')), HasSubstr("1 MiB"));
}

TEST(KqlRuleTest, ABareQueryGetsTitlePeriodAndADerivedId) {
  const std::string text =
      "// Sign-ins from afar\n// More of it.\nSigninLogs\n| where TimeGenerated > ago(7d)\n";
  const auto rule = ParseKqlRule(text, "afar.kql");
  ASSERT_TRUE(rule) << rule.error().message;
  EXPECT_EQ(rule->title, "Sign-ins from afar");
  EXPECT_EQ(rule->query_period, kDay * 7);
  EXPECT_EQ(rule->query_frequency, kHour * 6);
  EXPECT_TRUE(ParseGuid(rule->id));
  EXPECT_EQ(ParseKqlRule(text, "afar.kql")->id, rule->id);
  EXPECT_NE(ParseKqlRule(text, "other.kql")->id, rule->id);
}

TEST(KqlRuleTest, ErrorsAreAtTheLineOfTheFile) {
  const auto rule = ParseKqlRule("// Title\nSigninLogs\n| where Nope == 1\n", "a.kql");
  ASSERT_TRUE(rule);
  const Verdict verdict = Check(*rule, tables::TableCatalog());
  ASSERT_FALSE(verdict.errors.empty());
  EXPECT_EQ(verdict.errors[0].line, 3);
}

class RuleFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::path(testing::TempDir()) / ("picket-rules-" + ToString(Uuid4()));
    std::filesystem::create_directories(directory_ / "below");
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ / name, std::ios::binary) << text;
  }
  std::filesystem::path directory_;
};

TEST_F(RuleFolderTest, BadFilesAreNamedAndTheOthersRun) {
  Write("a.yaml", kGood);
  Write("below/b.yml", With("id: 18E9803A", "id: 28E9803A"));
  Write("below/c.kql", "SigninLogs");
  Write("d.yaml", kGood);
  Write("e.yaml", "severity: [");
  Write("notes.txt", "no rule");
  const RuleSet set = LoadRules({directory_}, false);
  EXPECT_EQ(set.rules.size(), 3U);
  ASSERT_EQ(set.errors.size(), 2U);
  EXPECT_EQ(set.errors[0].file.filename(), "d.yaml");
  EXPECT_THAT(set.errors[0].error.message, HasSubstr("belongs to another rule"));
  EXPECT_EQ(set.errors[1].file.filename(), "e.yaml");
}

TEST_F(RuleFolderTest, AMissingPathIsAnError) {
  const RuleSet set = LoadRules({directory_ / "nowhere"}, false);
  EXPECT_THAT(set.rules, IsEmpty());
  ASSERT_EQ(set.errors.size(), 1U);
  EXPECT_EQ(set.errors[0].error.kind, ErrorKind::kNotFound);
}

TEST_F(RuleFolderTest, OnlyAChangeOfMeaningChangesTheHash) {
  Write("a.yaml", kGood);
  const std::string hash = LoadRule(directory_ / "a.yaml")->hash;
  Write("a.yaml", With("A title", "Another title"));
  EXPECT_EQ(LoadRule(directory_ / "a.yaml")->hash, hash);
  Write("a.yaml", With("ResultType == 0", "ResultType == 1"));
  EXPECT_NE(LoadRule(directory_ / "a.yaml")->hash, hash);
}

}  // namespace
}  // namespace picket::rules

// The seed's query and the shipped rule made of it, against the same logic written by hand over
// plain structs. The oracle knows nothing of KQL.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>

#include "agent/kql/engine.h"
#include "agent/rules/rule_file.h"
#include "agent/tables/event_table_source.h"
#include "agent/tables/record_decoder.h"
#include "agent/tables/table_catalog.h"
#include "base/text.h"
#include "tests/rules/seed_oracle.h"
#include "tests/tables/tables_fixture.h"

namespace picket::rules {
namespace {

using tables::SharedFile;

constexpr const char* kSeed = "seed/t1586-003.kql";

const std::vector<std::string> kColumns = {"TimeGenerated",
                                           "UserPrincipalName",
                                           "AppDisplayName",
                                           "IPAddress",
                                           "CountryCode",
                                           "City",
                                           "ParsedBrowser",
                                           "ParsedOS",
                                           "RiskLevelDuringSignIn",
                                           "RiskLevelAggregated",
                                           "RiskState",
                                           "RiskEventTypes_V2",
                                           "ConditionalAccessStatus",
                                           "AuthenticationRequirement",
                                           "HomeTenantId",
                                           "ResourceTenantId",
                                           "AlertReason",
                                           "RiskIndicatorCount"};

struct Answer {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> ids;
};

Answer Oracle(const std::vector<SignIn>& sign_ins, Instant now) {
  struct Hit {
    const SignIn* from = nullptr;
    int count = 0;
    std::string reason;
  };
  std::vector<Hit> hits;
  for (const SignIn& s : sign_ins) {
    if (now.ticks - s.time.ticks >= 24 * kHour.ticks) continue;
    if (const auto verdict = JudgeBySeed(s)) hits.push_back({&s, verdict->count, verdict->reason});
  }
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) {
    if (a.count != b.count) return a.count > b.count;
    if (a.from->time != b.from->time) return a.from->time > b.from->time;
    return a.from->id < b.from->id;
  });
  Answer answer{.columns = kColumns, .rows = {}, .ids = {}};
  for (const Hit& hit : hits) {
    const SignIn& s = *hit.from;
    answer.ids.push_back(s.id);
    answer.rows.push_back({FormatKusto(s.time), s.user, s.app, s.address, s.country, s.city,
                           s.browser, s.os, s.level, s.level_aggregated, s.state, s.events,
                           s.access, s.requirement, s.home, s.resource, hit.reason,
                           std::to_string(hit.count)});
  }
  return answer;
}

class SeedTest : public tables::TablesTest {
 protected:
  Answer Ask(const std::string& text, Instant now) {
    const tables::TableCatalog catalog;
    const kql::CompileResult compiled = kql::Compile(text, catalog);
    EXPECT_TRUE(compiled.query) << (compiled.errors.empty() ? "" : compiled.errors[0].message);
    if (!compiled.query) return {};
    EXPECT_TRUE(compiled.query->RowWise());
    tables::EventTableSource source(*store_, tenant_);
    const auto table = kql::Run(*compiled.query, source, {.now = now, .stop = {}});
    EXPECT_TRUE(table) << (table ? "" : table.error().message);
    if (!table) return {};
    Answer answer;
    for (const kql::ColumnSchema& column : table->schema) answer.columns.push_back(column.name);
    for (const kql::Batch& batch : table->batches) {
      for (std::size_t row = 0; row < batch.rows; ++row) {
        std::vector<std::string>& cells = answer.rows.emplace_back();
        for (const kql::ColumnPtr& column : batch.columns) {
          cells.push_back(kql::DisplayText(*column, row));
        }
        answer.ids.push_back(
            store_->events().IdOf("signIns.interactive", batch.keys[row]).value_or("?"));
      }
    }
    return answer;
  }

  static void ExpectSame(const Answer& got, const Answer& expected, const std::string& what) {
    EXPECT_EQ(got.columns, expected.columns) << what;
    ASSERT_EQ(got.ids, expected.ids) << what;
    EXPECT_EQ(got.rows, expected.rows) << what;
  }

  static std::string ShippedQuery() {
    const auto rule = LoadRule(std::string(PICKET_SOURCE_DIR) +
                               "/detections/entra/compromised-cloud-account.yaml");
    EXPECT_TRUE(rule) << (rule ? "" : rule.error().message);
    return rule ? rule->query : "";
  }
};

template <std::size_t N>
const char* Pick(std::mt19937& random, const std::array<const char*, N>& from) {
  return from[random() % N];
}

// "-" stands for an absent member, "~" for null.
std::string Member(const char* name, const char* value) {
  if (value[0] == '-') return "";
  if (value[0] == '~') return fmt::format(R"(,"{}":null)", name);
  return fmt::format(R"(,"{}":"{}")", name, value);
}
std::string Told(const char* value) { return value[0] == '-' || value[0] == '~' ? "" : value; }

struct Generated {
  std::vector<SignIn> sign_ins;
  std::string page;
};

Generated Generate(unsigned seed, Instant now) {
  static constexpr std::array kLevels = {"none", "none",   "low", "medium", "high",
                                         "High", "hidden", "-",   "~",      ""};
  static constexpr std::array kStates = {
      "none",   "none", "atRisk", "confirmedCompromised", "remediated", "dismissed",
      "AtRisk", "-",    "~"};
  static constexpr std::array kEvents = {"-",
                                         "~",
                                         "[]",
                                         "[]",
                                         R"(["unfamiliarFeatures"])",
                                         R"(["UNFAMILIARFEATURES"])",
                                         R"(["unfamiliarFeaturesX"])",
                                         R"(["anonymizedIPAddress","impossibleTravel"])",
                                         R"(["generic","leakedCredentials"])",
                                         R"(["newCountry"])",
                                         R"(["aad passwordSpray-1"])"};
  static constexpr std::array kTenants = {"2ad3fc79-1859-42fa-9011-6f8df2251b22",
                                          "2ad3fc79-1859-42fa-9011-6f8df2251b22",
                                          "2AD3FC79-1859-42FA-9011-6F8DF2251B22",
                                          "11111111-2222-3333-4444-555555555555",
                                          "",
                                          "-",
                                          "~"};
  static constexpr std::array kFactors = {"singleFactorAuthentication", "multiFactorAuthentication",
                                          "SingleFactorAuthentication", "-"};
  static constexpr std::array kResults = {"0", "0", "0", "50126", "50057", "-", "~"};
  static constexpr std::array kCountries = {"DE", "NG", "-", "~"};
  static constexpr std::array kCities = {"Köln", "Lagos", "-"};
  static constexpr std::array kBrowsers = {"Edge 120.0", "-", "~"};
  static constexpr std::array kAccess = {"success", "notApplied", "failure", "-"};
  std::mt19937 random(seed);
  Generated made;
  made.page = "[";
  for (int i = 0; i < 300; ++i) {
    SignIn s;
    s.id = fmt::format("{:08x}-{:04d}", random(), i);
    // Coarse, so that times come twice; the edge of the day is among them.
    s.time = now - kMinute * 15 * static_cast<std::int64_t>(random() % 120);
    if (i % 50 == 0) s.time = now - kDay + kMillisecond * (i / 50 - 2);
    const char* result = Pick(random, kResults);
    const char* level = Pick(random, kLevels);
    const char* aggregated = Pick(random, kLevels);
    const char* state = Pick(random, kStates);
    const char* events = Pick(random, kEvents);
    const char* home = Pick(random, kTenants);
    const char* resource = Pick(random, kTenants);
    const char* factor = Pick(random, kFactors);
    const char* country = Pick(random, kCountries);
    const char* city = Pick(random, kCities);
    const char* browser = Pick(random, kBrowsers);
    const char* access = Pick(random, kAccess);
    s.user = fmt::format("user{}@contoso.example", random() % 20);
    s.app = "Portal";
    s.address = fmt::format("203.0.113.{}", random() % 250);
    s.result = Told(result);
    s.level = Told(level);
    s.level_aggregated = Told(aggregated);
    s.state = Told(state);
    s.events = Told(events);
    s.home = Told(home);
    s.resource = Told(resource);
    s.requirement = Told(factor);
    s.country = Told(country);
    s.city = Told(city);
    s.browser = Told(browser);
    s.os = "Windows10";
    s.access = Told(access);
    std::string status = R"(,"status":{"failureReason":"Other.")";
    if (result[0] == '~') status += R"(,"errorCode":null)";
    if (!s.result.empty()) status += R"(,"errorCode":)" + s.result;
    status += "}";
    std::string risk_events;
    if (events[0] == '~') risk_events = R"(,"riskEventTypes_v2":null)";
    if (!s.events.empty()) risk_events = R"(,"riskEventTypes_v2":)" + s.events;
    made.page += fmt::format(
        R"({}{{"id":"{}","createdDateTime":"{}","userPrincipalName":"{}","appDisplayName":"{}",)"
        R"("ipAddress":"{}","location":{{"state":"x"{}{}}},)"
        R"("deviceDetail":{{"operatingSystem":"{}"{}}}{}{}{}{}{}{}{}{}{}}})",
        i > 0 ? "," : "", s.id, FormatRfc3339(s.time), s.user, s.app, s.address,
        Member("countryOrRegion", country), Member("city", city), s.os, Member("browser", browser),
        status, Member("riskLevelDuringSignIn", level), Member("riskLevelAggregated", aggregated),
        Member("riskState", state), risk_events, Member("homeTenantId", home),
        Member("resourceTenantId", resource), Member("authenticationRequirement", factor),
        Member("conditionalAccessStatus", access));
    made.sign_ins.push_back(std::move(s));
  }
  made.page += "]";
  return made;
}

TEST_F(SeedTest, SeedAndShippedRuleAnswerAsTheHandWrittenLogicOverGeneratedSignIns) {
  PICKET_SHARED_OR_SKIP(seed_query, kSeed);
  const std::string shipped = ShippedQuery();
  std::size_t found = 0;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    TearDown();
    SetUp();
    const Generated made = Generate(seed, now_);
    const storage::PageCounts counts =
        Page("signIns.interactive", made.page, static_cast<int>(tables::Rank::kV1));
    ASSERT_EQ(counts.added, 300) << "seed " << seed;
    const Answer expected = Oracle(made.sign_ins, now_);
    found += expected.rows.size();
    ASSERT_NO_FATAL_FAILURE(
        ExpectSame(Ask(seed_query, now_), expected, fmt::format("the seed, seed {}", seed)));
    ASSERT_NO_FATAL_FAILURE(
        ExpectSame(Ask(shipped, now_), expected, fmt::format("the rule, seed {}", seed)));
  }
  EXPECT_GT(found, 500U) << "the generator must make hits, or nothing was compared";
}

TEST_F(SeedTest, SeedAndShippedRuleAnswerAsTheHandWrittenLogicOverRealRows) {
  PICKET_SHARED_OR_SKIP(seed_query, kSeed);
  PICKET_SHARED_OR_SKIP(adele, "corpora/samples/sentinel-training-lab/sign-in_adelete.csv");
  PICKET_SHARED_OR_SKIP(disabled, "corpora/samples/sentinel-training-lab/disable_accounts.csv");
  for (const std::string* file : {&adele, &disabled}) {
    const auto report = Import(*file, "SigninLogs");
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_GT(report->counts.added, 0);
  }
  // The table as it is; only names of columns, no logic.
  std::vector<SignIn> sign_ins;
  std::set<Instant> nows;
  for (tables::ReadRow& row :
       Query("SigninLogs | project Id, TimeGenerated, ResultType, UserPrincipalName, "
             "AppDisplayName, IPAddress, Country = tostring(LocationDetails.countryOrRegion), "
             "City = tostring(LocationDetails.city), Browser = tostring(DeviceDetail.browser), "
             "Os = tostring(DeviceDetail.operatingSystem), RiskLevelDuringSignIn, "
             "RiskLevelAggregated, RiskState, RiskEventTypes_V2, ConditionalAccessStatus, "
             "AuthenticationRequirement, HomeTenantId, ResourceTenantId")) {
    const Instant time = ParseRfc3339(row["TimeGenerated"]).value();
    nows.insert(time + kHour);
    sign_ins.push_back({row["Id"], time, row["ResultType"], row["UserPrincipalName"],
                        row["AppDisplayName"], row["IPAddress"], row["Country"], row["City"],
                        row["Browser"], row["Os"], row["RiskLevelDuringSignIn"],
                        row["RiskLevelAggregated"], row["RiskState"], row["RiskEventTypes_V2"],
                        row["ConditionalAccessStatus"], row["AuthenticationRequirement"],
                        row["HomeTenantId"], row["ResourceTenantId"]});
  }
  RecordProperty("rows", static_cast<int>(sign_ins.size()));
  ASSERT_GE(sign_ins.size(), 50U);
  const std::string shipped = ShippedQuery();
  int found = 0;
  for (const Instant now : nows) {
    const Answer expected = Oracle(sign_ins, now);
    found += static_cast<int>(expected.rows.size());
    ASSERT_NO_FATAL_FAILURE(ExpectSame(Ask(seed_query, now), expected, FormatRfc3339(now)));
    ASSERT_NO_FATAL_FAILURE(ExpectSame(Ask(shipped, now), expected, FormatRfc3339(now)));
  }
  RecordProperty("found", found);
}

}  // namespace
}  // namespace picket::rules

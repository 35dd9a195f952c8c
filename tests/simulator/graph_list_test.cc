// What Graph's lists take and give: filters, page sizes, skiptokens, tokens, licences.

#include "tests/simulator/simulator_fixture.h"

namespace picket::simulator {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kSignIns = "/beta/auditLogs/signIns";
constexpr const char* kDetections = "/v1.0/identityProtection/riskDetections";

TEST_F(SimulatorTest, WrongUsesAre400) {
  Begin({.limits = false});
  for (const char* query :
       {"/beta/auditLogs/signIns?$top=x", "/beta/auditLogs/signIns?$top=0",
        "/beta/auditLogs/signIns?$top=-1", "/beta/auditLogs/signIns?$top=99999999999999999999",
        "/beta/auditLogs/signIns?$skip=2", "/beta/auditLogs/signIns?$expand=x",
        "/beta/auditLogs/signIns?$orderby=userId",
        "/v1.0/auditLogs/signIns?$filter=signInEventTypes/any(t:%20t%20eq%20'interactiveUser')",
        "/v1.0/auditLogs/nothing", "/v1.0/identityProtection/riskDetections?$top=501",
        "/v1.0/identityProtection/riskDetections?$top=999"}) {
    EXPECT_EQ(Get(query)->status, 400) << query;
  }
  for (const char* filter :
       {"createdDateTime ge '2026-01-01'", "createdDateTime ge", "createdDateTime",
        "createdDateTime ge 2026-13-01T00:00:00Z", "nonsense eq 'x'", "(userId eq 'x'",
        "userId eq 'x", "userId eq x", "userId gt 'x'", "userId eq 'x' and", "and",
        "status/errorCode eq '0'", "startsWith(userId)", "startsWith(correlationId,'x')",
        "signInEventTypes eq 'interactiveUser'", "userId/any(t: t eq 'x')",
        "signInEventTypes/any(t: x eq 'interactiveUser')"}) {
    EXPECT_EQ(StatusOf(kSignIns, filter), 400) << filter;
  }
}

TEST_F(SimulatorTest, PagesAreAsLongAsAskedForUpToTheListsMost) {
  Begin({.limits = false});
  Emit(1100);
  const auto rows = [&](const char* query) { return Body(Get(query))["value"].size(); };
  EXPECT_EQ(rows("/beta/auditLogs/signIns"), 1000U);
  EXPECT_EQ(rows("/beta/auditLogs/signIns?$top=1"), 1U);
  EXPECT_EQ(rows("/beta/auditLogs/signIns?$top=1000"), 1000U);
  EXPECT_EQ(rows("/beta/auditLogs/signIns?$top=5000"), 1000U);
  const auto ids = simulator_->EmittedIds(tenant_, "signIns.interactive");
  int made = 0;
  for (const std::string& id : ids) {
    if (++made > 25) break;
    simulator_->AddRisk(tenant_, id, {}, Now());
  }
  EXPECT_EQ(rows("/v1.0/identityProtection/riskDetections"), 20U);
  EXPECT_EQ(rows("/v1.0/identityProtection/riskDetections?$top=500"), 25U);
}

TEST_F(SimulatorTest, AServiceMayGivePagesOfFewerRowsThanAreAskedFor) {
  Begin({.limits = false, .most_rows = 7});
  Emit(20);
  std::vector<std::size_t> rows;
  for (std::string next = "/beta/auditLogs/signIns?$top=100"; !next.empty();) {
    const auto answer = Get(next);
    rows.push_back(Body(answer)["value"].size());
    next = NextOf(answer);
  }
  EXPECT_THAT(rows, ElementsAre(7U, 7U, 6U));
}

TEST_F(SimulatorTest, TimesAreComparedWithTheirFractionsAndBothEndsBelongToGeAndLe) {
  Begin({.limits = false});
  const Instant second = Now() - kHour;
  Emit("before", second - Timespan{1});
  Emit("at", second);
  Emit("after", second + Timespan{1});
  Emit("late", second + kSecond);
  const std::string time = "createdDateTime ";
  EXPECT_THAT(Ids(kSignIns, time + "ge 2026-03-01T11:00:00Z"), ElementsAre("late", "after", "at"));
  EXPECT_THAT(Ids(kSignIns, time + "gt 2026-03-01T11:00:00Z"), ElementsAre("late", "after"));
  EXPECT_THAT(Ids(kSignIns, time + "le 2026-03-01T11:00:00.0000000Z"), ElementsAre("at", "before"));
  EXPECT_THAT(Ids(kSignIns, time + "lt 2026-03-01T11:00Z"), ElementsAre("before"));
  EXPECT_THAT(Ids(kSignIns, time + "eq 2026-03-01T12:00:00+01:00"), ElementsAre("at"));
  EXPECT_THAT(Ids(kSignIns,
                  time + "ge 2026-03-01T11:00:00.000Z and " + time + "le 2026-03-01T11:00:00.999Z"),
              ElementsAre("after", "at"));
  EXPECT_EQ(Ids(kSignIns, time + "ge 2026-03-01").size(), 4U);
  EXPECT_THAT(Ids(kSignIns, time + "ge 2026-03-02"), IsEmpty());
}

TEST_F(SimulatorTest, TextsAreComparedWithCaseButTheirBeginningsWithout) {
  Begin({.limits = false});
  Emit("quote", Now() - kHour, R"({"userDisplayName":"Ann O'Brien"})");
  Emit("plain", Now() - kHour * 2, R"({"userPrincipalName":"ann@contoso.example"})");
  EXPECT_THAT(Ids(kSignIns, "userDisplayName eq 'Ann O''Brien'"), ElementsAre("quote"));
  EXPECT_THAT(Ids(kSignIns, "userPrincipalName eq 'ann@contoso.example'"), ElementsAre("plain"));
  EXPECT_THAT(Ids(kSignIns, "userPrincipalName eq 'Ann@contoso.example'"), IsEmpty());
  EXPECT_THAT(Ids(kSignIns, "startsWith(userPrincipalName,'ANN@')"), ElementsAre("plain"));
  EXPECT_THAT(Ids(kSignIns, "not (userDisplayName eq 'U')"), ElementsAre("quote"));
}

TEST_F(SimulatorTest, OnlyInteractiveSignInsUnlessTheFilterNamesTheTypes) {
  Begin({.limits = false});
  Emit("user", Now() - kMinute, "{}", "interactiveUser");
  Emit("silent", Now() - kMinute * 2, "{}", "nonInteractiveUser");
  Emit("program", Now() - kMinute * 3, R"({"status":{"errorCode":7000215}})", "servicePrincipal");
  const std::string any = "signInEventTypes/any(t: ";
  EXPECT_THAT(Ids(kSignIns, "createdDateTime ge 2026-03-01"), ElementsAre("user"));
  EXPECT_THAT(Ids(kSignIns, any + "t eq 'nonInteractiveUser')"), ElementsAre("silent"));
  EXPECT_THAT(Ids(kSignIns, any + "t ne 'interactiveUser')"), ElementsAre("silent", "program"));
  EXPECT_THAT(Ids(kSignIns, any + "t eq 'interactiveUser' or t eq 'servicePrincipal')"),
              ElementsAre("user", "program"));
  EXPECT_THAT(Ids(kSignIns, any + "t ne 'x') and status/errorCode ne 0"), ElementsAre("program"));
  EXPECT_THAT(Ids("/v1.0/auditLogs/signIns", "createdDateTime ge 2026-03-01"), ElementsAre("user"));
}

TEST_F(SimulatorTest, SkiptokensExpireInTheWordsThatAreSeenAndAreGoodForTheirListAndTenantOnly) {
  Begin({.limits = false});
  Emit(30);
  const std::string next = NextOf(Get("/beta/auditLogs/signIns?$top=10"));
  EXPECT_THAT(next, HasSubstr("/auditLogs/signins?"));
  EXPECT_EQ(Get(next)->status, 200);
  EXPECT_EQ(Get(next)->status, 200) << "a page may be asked for again";
  const std::string skip = next.substr(next.find("$skiptoken="));
  EXPECT_EQ(Get("/v1.0/auditLogs/directoryAudits?" + skip)->status, 400);
  const Guid other = *ParseGuid("bbbbbbbb-0000-4000-8000-000000000002");
  simulator_->AddTenant({.id = other});
  EXPECT_EQ(Get(next, Token(other))->status, 400);
  EXPECT_EQ(Get("/beta/auditLogs/signIns?$skiptoken=nobody")->status, 400);
  Pass(kMinute * 4);
  EXPECT_EQ(Get(next)->status, 200) << "they live for five minutes at the least";
  Pass(kMinute * 7);
  std::set<std::string> words;
  for (int i = 0; i < 60; ++i) {
    const auto answer = Get(next);
    EXPECT_EQ(answer->status, 400);
    words.insert(Body(answer)["error"].value("message", ""));
  }
  EXPECT_THAT(words, ElementsAre("Skip token is null", "Skip token is null or expired",
                                 "Token not found: token is either invalid or expired"));
}

TEST_F(SimulatorTest, TokensExpireByTheGivenClockAndAreForGraphOnly) {
  Begin({.limits = false});
  EXPECT_EQ(Get(kSignIns)->status, 200);
  Pass(kHour);
  EXPECT_EQ(Get(kSignIns)->status, 401);
  const auto empty = client_->Get(kSignIns);
  EXPECT_EQ(Body(empty)["error"]["message"], "Access token is empty.");
  EXPECT_EQ(Get(kSignIns, "a.b.c")->status, 401);
}

TEST_F(SimulatorTest, AClaimsChallengeIsMetByATokenThatWasAskedForWithItsClaimsOnly) {
  Begin({.limits = false});
  simulator_->faults().Add({.path = "signIns", .fault = {.kind = FaultKind::kClaimsChallenge}});
  const auto challenged = Get(kSignIns);
  EXPECT_EQ(challenged->status, 401);
  const std::string header = challenged->get_header_value("WWW-Authenticate");
  EXPECT_THAT(header, HasSubstr("error=\"insufficient_claims\", claims=\"eyJ"));
  EXPECT_EQ(Get(kSignIns)->status, 401) << "the token is revoked";
  token_ = Token(tenant_);
  const auto again = Get(kSignIns);
  EXPECT_EQ(again->status, 401) << "a new one without the claims does not help";
  EXPECT_EQ(again->get_header_value("WWW-Authenticate"), header);
  EXPECT_EQ(Token(tenant_, kApp, "no JSON"), "");
  token_ =
      Token(tenant_, kApp, R"({"access_token":{"nbf":{"essential":true, "value":"1604106651"}}})");
  EXPECT_EQ(Get(kSignIns)->status, 200);
  EXPECT_EQ(Get(kSignIns, Token(tenant_))->status, 200) << "the challenge is met";
}

TEST_F(SimulatorTest, WithoutP2RiskIsThereAndHidden) {
  Begin({.limits = false});
  Emit("safe", Now() - kHour);
  Emit("risky", Now() - kHour * 2);
  simulator_->AddRisk(tenant_, "risky", {.level = "high", .timing = "realtime"}, Now());
  const auto sign_in = [&](const char* id) { return Body(Get(std::string(kSignIns) + "/" + id)); };
  EXPECT_EQ(sign_in("risky")["riskLevelAggregated"], "high");
  EXPECT_EQ(sign_in("risky")["riskEventTypes_v2"], json::array({"unfamiliarFeatures"}));

  simulator_->AddTenant({.id = tenant_, .licence = Licence::kP1});
  for (const char* member : {"riskLevelAggregated", "riskLevelDuringSignIn", "riskDetail"}) {
    EXPECT_EQ(sign_in("risky")[member], "hidden") << member;
    EXPECT_EQ(sign_in("safe")[member], "none") << member;
  }
  EXPECT_EQ(sign_in("risky")["riskEventTypes_v2"], json::array({"generic"}));
  EXPECT_EQ(sign_in("risky")["riskState"], "atRisk");
  const json detection = Body(Get(kDetections))["value"][0];
  EXPECT_EQ(detection["riskEventType"], "generic");
  EXPECT_EQ(detection["riskLevel"], "hidden");
  EXPECT_EQ(detection["riskDetail"], "hidden");
  EXPECT_EQ(detection["requestId"], "risky");
  EXPECT_THAT(Get("/v1.0/identityProtection/riskyUsers")->body,
              HasSubstr("Your tenant is not licensed for this feature."));
}

TEST_F(SimulatorTest, AGatewaysPageMayComeAs200) {
  Begin({.limits = false});
  simulator_->faults().Add({.path = "signIns", .fault = {.kind = FaultKind::kHtml, .status = 200}});
  const auto answer = Get(kSignIns);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->get_header_value("Content-Type"), "text/html");
  EXPECT_THAT(answer->body, HasSubstr("<html>"));
}

TEST_F(SimulatorTest, EveryAnswerOfGraphSaysWhoGaveItAndWhen) {
  Begin({.limits = false});
  for (const char* path : {kSignIns, "/v1.0/auditLogs/nothing"}) {
    const auto answer = Get(path);
    EXPECT_EQ(answer->get_header_value("Date"), "Sun, 01 Mar 2026 12:00:00 GMT");
    EXPECT_TRUE(ParseGuid(answer->get_header_value("request-id")));
    EXPECT_TRUE(ParseGuid(answer->get_header_value("client-request-id")));
    const json diagnostic = json::parse(answer->get_header_value("x-ms-ags-diagnostic"));
    EXPECT_TRUE(diagnostic["ServerInfo"]["DataCenter"].is_string());
  }
}

}  // namespace
}  // namespace picket::simulator

// The simulator seen by a plain HTTP client.

#include "tests/simulator/simulator.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "base/http.h"
#include "tests/scenarios/scenario.h"
#include "tests/simulator/generator.h"

namespace picket::simulator {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kApp = "11111111-2222-4333-8444-555555555555";

class SimulatorTest : public testing::Test {
 protected:
  void Begin(SimulatorOptions options = {}) {
    options.now = [this] { return Instant{now_.load()}; };
    options.tls = false;
    simulator_ = std::make_unique<Simulator>(std::move(options));
    ASSERT_TRUE(simulator_->Start());
    simulator_->AddTenant({.id = tenant_});
    simulator_->RegisterApp({.client_id = kApp, .secrets = {"s+/="}});
    client_ = std::make_unique<httplib::Client>(simulator_->Url());
    token_ = Token();
  }

  std::string Token() {
    const auto answer = client_->Post("/" + ToString(tenant_) + "/oauth2/v2.0/token",
                                      httplib::Params{{"client_id", kApp},
                                                      {"client_secret", "s+/="},
                                                      {"grant_type", "client_credentials"},
                                                      {"scope", simulator_->Url() + "/.default"}});
    return answer ? json::parse(answer->body).value("access_token", "") : "";
  }

  httplib::Result Get(const std::string& path) {
    return client_->Get(path, httplib::Headers{{"Authorization", "Bearer " + token_}});
  }

  void Emit(int count) {
    const Principal who{.id = "u", .name = "U", .user = "u@contoso.example"};
    for (int i = 0; i < count; ++i) {
      const Instant created = Instant{now_.load()} - kHour - kSecond * i;
      const std::string id = ToString(Uuid5(tenant_, std::to_string(i)));
      simulator_->Emit(tenant_, List::kSignIns,
                       SignInJson(tenant_, id, created, who, "interactiveUser", ""), created);
    }
  }

  std::string NextOf(const httplib::Result& page) {
    const std::string link = json::parse(page->body).value("@odata.nextLink", "");
    return link.empty() ? link : link.substr(simulator_->Url().size());
  }

  static void Collect(const httplib::Result& page, std::multiset<std::string>& ids) {
    const json body = json::parse(page->body);
    for (const json& row : body["value"]) ids.insert(row["id"]);
  }

  void Pass(Timespan span) { now_ += span.ticks; }

  std::atomic<std::int64_t> now_ = ParseRfc3339("2026-03-01T12:00:00Z")->ticks;
  const Guid tenant_ = *ParseGuid("aaaaaaaa-0000-4000-8000-000000000001");
  std::unique_ptr<Simulator> simulator_;
  std::unique_ptr<httplib::Client> client_;
  std::string token_;
};

TEST_F(SimulatorTest, SixthRequestInTenSecondsIsThrottledUntilTheWindowHasPassed) {
  Begin();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Get("/beta/auditLogs/signIns")->status, 200);
  const auto refused = Get("/beta/auditLogs/signIns");
  EXPECT_EQ(refused->status, 429);
  EXPECT_TRUE(refused->has_header("Retry-After"));
  Pass(kSecond * 11);
  EXPECT_EQ(Get("/beta/auditLogs/signIns")->status, 200);
  EXPECT_EQ(Get("/v1.0/identityProtection/riskDetections")->status, 200);
  const auto protection = Get("/v1.0/identityProtection/riskDetections");
  EXPECT_EQ(protection->status, 429);
  EXPECT_FALSE(protection->has_header("Retry-After"));
}

TEST_F(SimulatorTest, SkiptokensAndTokensExpireByTheGivenClock) {
  Begin({.limits = false});
  Emit(30);
  const std::string next = NextOf(Get("/beta/auditLogs/signIns?$top=10"));
  EXPECT_THAT(next, HasSubstr("/auditLogs/signins?"));
  EXPECT_EQ(Get(next)->status, 200);
  Pass(kMinute * 11);
  EXPECT_EQ(Get(next)->status, 400);
  Pass(kHour);
  EXPECT_EQ(Get("/beta/auditLogs/signIns")->status, 401);
}

TEST_F(SimulatorTest, RowsThatAppearAtTheHeadPushKnownOnesOntoTheNextPageAndHideNone) {
  Begin({.limits = false});
  Emit(20);
  const auto first = Get("/beta/auditLogs/signIns?$top=10");
  std::multiset<std::string> ids;
  Collect(first, ids);
  const Principal who{.id = "u", .name = "U", .user = "u@contoso.example"};
  simulator_->Emit(tenant_, List::kSignIns,
                   SignInJson(tenant_, "new", Instant{now_.load()}, who, "interactiveUser", ""),
                   Instant{now_.load()});
  for (std::string next = NextOf(first); !next.empty();) {
    const auto page = Get(next);
    Collect(page, ids);
    next = NextOf(page);
  }
  std::set<std::string> expected = simulator_->EmittedIds(tenant_, "signIns.interactive");
  expected.erase("new");
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()), expected);
  EXPECT_GT(ids.size(), expected.size());
}

TEST_F(SimulatorTest, WrongUsesAre400) {
  Begin({.limits = false});
  for (const char* query :
       {"/beta/auditLogs/signIns?$top=x", "/beta/auditLogs/signIns?$skip=2",
        "/v1.0/auditLogs/signIns?$filter=signInEventTypes/any(t:%20t%20eq%20'interactiveUser')",
        "/beta/auditLogs/signIns?$filter=createdDateTime%20ge%20'2026-01-01'",
        "/beta/auditLogs/signIns?$filter=nonsense%20eq%20'x'",
        "/beta/auditLogs/signIns?$filter=(userId%20eq%20'x'", "/v1.0/auditLogs/nothing",
        "/v1.0/identityProtection/riskDetections?$top=501"}) {
    EXPECT_EQ(Get(query)->status, 400) << query;
  }
}

TEST_F(SimulatorTest, LicencesAndRolesAreAskedFor) {
  Begin({.limits = false});
  simulator_->AddTenant({.id = tenant_, .licence = Licence::kFree});
  EXPECT_THAT(Get("/beta/auditLogs/signIns")->body, HasSubstr("NonPremiumTenant"));
  simulator_->AddTenant({.id = tenant_, .roles = {}});
  token_ = Token();
  EXPECT_THAT(Get("/beta/auditLogs/signIns")->body, HasSubstr("AuditLog.Read.All"));
}

TEST_F(SimulatorTest, BrokenConnectionsAreBrokenAndTheNextRequestIsServed) {
  Begin({.limits = false});
  Emit(5);
  for (const FaultKind kind : {FaultKind::kReset, FaultKind::kTruncated}) {
    simulator_->faults().Add({.path = "signIns", .fault = {.kind = kind}});
    EXPECT_FALSE(Get("/beta/auditLogs/signIns")) << FaultName(kind);
    EXPECT_EQ(Get("/beta/auditLogs/signIns")->status, 200);
  }
}

TEST_F(SimulatorTest, AHangingAnswerEndsWithTheClient) {
  Begin({.limits = false});
  client_->set_read_timeout(0, 200'000);
  simulator_->faults().Add({.path = "signIns", .fault = {.kind = FaultKind::kHang}});
  EXPECT_FALSE(Get("/beta/auditLogs/signIns"));
  EXPECT_EQ(Get("/beta/auditLogs/signIns")->status, 200);
}

TEST_F(SimulatorTest, ADrippingAnswerComesWholeAtLast) {
  Begin({.limits = false});
  simulator_->faults().Add(
      {.path = "signIns", .fault = {.kind = FaultKind::kDrip, .pace = kMillisecond}});
  EXPECT_TRUE(json::parse(Get("/beta/auditLogs/signIns")->body).is_object());
}

TEST_F(SimulatorTest, HostileBodiesAreHostile) {
  Begin({.limits = false});
  Emit(2);
  for (const FaultKind kind : {FaultKind::kDeepJson, FaultKind::kInvalidUtf8, FaultKind::kHtml,
                               FaultKind::kRecordWithoutId, FaultKind::kForeignNextLink}) {
    simulator_->faults().Add(
        {.path = "signIns", .fault = {.kind = kind, .text = simulator_->OtherHost()}});
    EXPECT_TRUE(Get("/beta/auditLogs/signIns")) << FaultName(kind);
  }
  EXPECT_THAT(Get("/beta/auditLogs/signIns")->body, HasSubstr("\"value\":[{"));
  EXPECT_TRUE(simulator_->Leaks().empty());
}

TEST_F(SimulatorTest, RiskThatIsAddedLaterShowsFromThenOn) {
  Begin({.limits = false});
  Emit(1);
  const std::string id = *simulator_->EmittedIds(tenant_, "signIns.interactive").begin();
  simulator_->AddRisk(tenant_, id, {.level = "high"}, Instant{now_.load()} + kMinute);
  EXPECT_THAT(Get("/beta/auditLogs/signIns/" + id)->body, HasSubstr("\"riskState\":\"none\""));
  EXPECT_TRUE(simulator_->EmittedIds(tenant_, "riskDetections").empty());
  Pass(kMinute * 2);
  EXPECT_THAT(Get("/beta/auditLogs/signIns/" + id)->body, HasSubstr("\"riskState\":\"atRisk\""));
  EXPECT_EQ(simulator_->EmittedIds(tenant_, "riskDetections").size(), 1U);
}

TEST(ScenarioTest, EveryScenarioLoadsAndExpectsSomething) {
  for (const ScenarioName& name : ScenarioNames()) {
    Simulator simulator({.tls = false});
    const auto scenario = LoadScenario(simulator, name.name, simulator.Now());
    ASSERT_TRUE(scenario) << name.name;
    EXPECT_EQ(scenario->expected.empty(), name.name == "benign") << name.name;
  }
}

}  // namespace
}  // namespace picket::simulator

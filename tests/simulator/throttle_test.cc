// Graph's published limits, as the simulator has them.

#include <cstdlib>

#include "tests/simulator/simulator_fixture.h"

namespace picket::simulator {
namespace {

using nlohmann::json;

constexpr const char* kSignIns = "/beta/auditLogs/signIns";
constexpr const char* kDetections = "/v1.0/identityProtection/riskDetections";

TEST_F(SimulatorTest, TheSixthRequestInTenSecondsIsThrottledUntilTheWindowHasPassed) {
  Begin();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Get(kSignIns)->status, 200);
  const auto refused = Get(kSignIns);
  EXPECT_EQ(refused->status, 429);
  const double wait = std::atof(refused->get_header_value("Retry-After").c_str());
  EXPECT_GT(wait, 9.0);
  EXPECT_LE(wait, 11.0);
  Pass(kSecond * 11);
  EXPECT_EQ(Get(kSignIns)->status, 200);
}

TEST_F(SimulatorTest, RefusedRequestsCountOn) {
  Begin();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Get(kSignIns)->status, 200);
  Pass(kSecond * 5);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Get(kSignIns)->status, 429);
  // The first five are past; those that were refused fill the window.
  Pass(kSecond * 6);
  EXPECT_EQ(Get(kSignIns)->status, 429);
}

TEST_F(SimulatorTest, SignInsAndAuditsShareTheLimitOfAnAppInATenant) {
  Begin();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Get(kSignIns)->status, 200);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Get("/v1.0/auditLogs/directoryAudits")->status, 200);
  EXPECT_EQ(Get("/v1.0/auditLogs/directoryAudits")->status, 429);
  simulator_->RegisterApp(
      {.client_id = "22222222-2222-4333-8444-555555555555", .secrets = {"s+/="}});
  EXPECT_EQ(Get(kSignIns, Token(tenant_, "22222222-2222-4333-8444-555555555555"))->status, 200);
}

TEST_F(SimulatorTest, AnAppGets122RequestsInTenSecondsOverAllTenants) {
  Begin();
  int taken = 0, refused = 0;
  for (int tenant = 0; tenant < 25; ++tenant) {
    const Guid id = Uuid5(tenant_, std::to_string(tenant));
    simulator_->AddTenant({.id = id});
    const std::string token = Token(id);
    for (int i = 0; i < 5; ++i) {
      const int status = Get(kSignIns, token)->status;
      taken += status == 200 ? 1 : 0;
      refused += status == 429 ? 1 : 0;
    }
  }
  EXPECT_EQ(taken, 122);
  EXPECT_EQ(refused, 3);
}

TEST_F(SimulatorTest, IdentityProtectionGivesATenantOneRequestASecondAndSaysNotWhenAgain) {
  Begin();
  EXPECT_EQ(Get(kDetections)->status, 200);
  simulator_->RegisterApp(
      {.client_id = "22222222-2222-4333-8444-555555555555", .secrets = {"s+/="}});
  const auto refused = Get("/v1.0/identityProtection/riskyUsers",
                           Token(tenant_, "22222222-2222-4333-8444-555555555555"));
  EXPECT_EQ(refused->status, 429) << "the limit is the tenant's, whatever the app";
  EXPECT_FALSE(refused->has_header("Retry-After"));
  EXPECT_EQ(Get(kSignIns)->status, 200) << "the logs have a limit of their own";
  Pass(kSecond);
  EXPECT_EQ(Get(kDetections)->status, 200);
}

TEST_F(SimulatorTest, ThrottlingComesInTheThreeShapesAndTwoWaitsThatAreSeen) {
  Begin();
  int empty_names = 0, correlated = 0, nested = 0, whole = 0, fractional = 0;
  for (int i = 0; i < 105; ++i) {
    const auto answer = Get(kSignIns);
    if (answer->status != 429) continue;
    const json error = Body(answer)["error"];
    ASSERT_TRUE(error.is_object()) << answer->body;
    const std::string code = error.value("code", "");
    const std::string message = error.value("message", "");
    ASSERT_TRUE(error["innerError"].contains("request-id")) << answer->body;
    empty_names += code == "UnknownError" && message == "Too Many Requests" ? 1 : 0;
    correlated += code == "UnknownError" && message.find("CorrelationId: ") != std::string::npos;
    nested += code == "TooManyRequests" && error["innerError"].value("status", "") == "429" ? 1 : 0;
    const std::string wait = answer->get_header_value("Retry-After");
    (wait.find('.') == std::string::npos ? whole : fractional) += 1;
  }
  EXPECT_EQ(empty_names + correlated + nested, 100);
  for (const int seen : {empty_names, correlated, nested, whole, fractional}) EXPECT_GT(seen, 0);
}

}  // namespace
}  // namespace picket::simulator

// The simulator seen by a plain HTTP client.

#include "tests/simulator/simulator.h"

#include "tests/scenarios/scenario.h"
#include "tests/simulator/simulator_fixture.h"

namespace picket::simulator {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST_F(SimulatorTest, RowsThatAppearAtTheHeadPushKnownOnesOntoTheNextPageAndHideNone) {
  Begin({.limits = false});
  Emit(20);
  const auto first = Get("/beta/auditLogs/signIns?$top=10");
  std::multiset<std::string> ids;
  Collect(first, ids);
  Emit("new", Now());
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

TEST_F(SimulatorTest, LicencesAndRolesAreAskedFor) {
  Begin({.limits = false});
  simulator_->AddTenant({.id = tenant_, .licence = Licence::kFree});
  EXPECT_THAT(Get("/beta/auditLogs/signIns")->body, HasSubstr("NonPremiumTenant"));
  simulator_->AddTenant({.id = tenant_, .roles = {}});
  token_ = Token(tenant_);
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
  simulator_->AddRisk(tenant_, id, {.level = "high"}, Now() + kMinute);
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

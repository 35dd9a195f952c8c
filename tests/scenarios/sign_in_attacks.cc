#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tests/scenarios/stage.h"

namespace picket::simulator {
namespace {

using nlohmann::json;

Principal From(Principal who, const char* ip, const char* city, const char* country) {
  who.ip = ip;
  who.city = city;
  who.country = country;
  return who;
}

}  // namespace

void PlayPasswordSpray(Stage& stage) {
  const ScenarioTenant& tenant = stage.contoso();
  constexpr const char* kAddress = "192.0.2.77";
  constexpr int kAccounts = 24;
  const json failed = {
      {"status",
       {{"errorCode", 50126},
        {"failureReason", "Error validating credentials due to invalid username or password."},
        {"additionalDetails", "The user didn't enter the right credentials."}}},
      {"conditionalAccessStatus", "notApplied"},
      {"authenticationRequirement", "singleFactorAuthentication"}};
  for (int i = 0; i < kAccounts; ++i) {
    const Principal target = Stage::Person(tenant, fmt::format("account{:02}", i), "staff");
    stage.SignIn(tenant, From(target, kAddress, "Lagos", "NG"), kMinute * 98 - kSecond * (20 * i),
                 failed.dump());
  }
  const Principal clara = Stage::Person(tenant, "Clara", "Sand");
  const json success = {{"authenticationRequirement", "singleFactorAuthentication"}};
  const std::string id =
      stage.SignIn(tenant, From(clara, kAddress, "Lagos", "NG"), kMinute * 89, success.dump());
  stage.simulator().AddRisk(tenant.id, id,
                            {.event = "passwordSpray", .level = "high", .timing = "offline"},
                            stage.now() - kMinute * 65);
  stage.Expect({.tenant = tenant.name,
                .entity = clara.user,
                .why = "Passwords of 24 accounts were tried from one address; hers fitted."});
}

void PlayAnonymizingProxy(Stage& stage) {
  const ScenarioTenant& tenant = stage.contoso();
  const Principal felix = Stage::Person(tenant, "Felix", "Lang");
  const std::string id =
      stage.SignIn(tenant, From(felix, "192.0.2.200", "Frankfurt am Main", "DE"), kMinute * 200);
  stage.simulator().AddRisk(
      tenant.id, id, {.event = "anonymizedIPAddress", .level = "medium", .timing = "realtime"},
      stage.now() - kMinute * 193);
  stage.Expect({.tenant = tenant.name,
                .entity = felix.user,
                .why = "He signed in through an anonymizing proxy."});
}

void PlayRiskAddedLater(Stage& stage) {
  const ScenarioTenant& tenant = stage.contoso();
  const Principal eva = Stage::Person(tenant, "Eva", "Roth");
  const std::string id =
      stage.SignIn(tenant, From(eva, "203.0.113.130", "Porto", "PT"), kHour * 22);
  stage.simulator().AddRisk(
      tenant.id, id,
      {.event = "investigationsThreatIntelligence", .level = "high", .timing = "offline"},
      stage.now() - kMinute * 30);
  stage.Expect({.tenant = tenant.name,
                .entity = eva.user,
                .why = "A sign-in of 22 hours ago was found risky half an hour ago."});
}

void PlayConfirmedCompromise(Stage& stage) {
  const ScenarioTenant& tenant = stage.fabrikam();
  const Principal gerda = Stage::Person(tenant, "Gerda", "Vogel");
  const std::string id =
      stage.SignIn(tenant, From(gerda, "192.0.2.12", "Bucharest", "RO"), kHour * 5);
  const std::string detection = stage.simulator().AddRisk(
      tenant.id, id, {.event = "maliciousIPAddress", .level = "high", .timing = "offline"},
      stage.now() - kHour * 3);
  const Instant confirmed = stage.now() - kHour * 2;
  json change = {{"riskState", "confirmedCompromised"},
                 {"riskDetail", "adminConfirmedSigninCompromised"}};
  stage.simulator().Change(tenant.id, List::kSignIns, id, change.dump(), confirmed);
  change["lastUpdatedDateTime"] = FormatRfc3339(confirmed);
  stage.simulator().Change(tenant.id, List::kRiskDetections, detection, change.dump(), confirmed);
  stage.Expect({.tenant = tenant.name,
                .entity = gerda.user,
                .why = "An administrator confirmed that her account is compromised."});
}

void PlayGuestSingleFactor(Stage& stage) {
  const ScenarioTenant& tenant = stage.fabrikam();
  const Principal hans = Stage::Person(stage.contoso(), "Hans", "Berg");
  const json guest = {{"homeTenantId", ToString(stage.contoso().id)},
                      {"resourceTenantId", ToString(tenant.id)},
                      {"userType", "guest"},
                      {"crossTenantAccessType", "b2bCollaboration"},
                      {"authenticationRequirement", "singleFactorAuthentication"}};
  stage.SignIn(tenant, hans, kMinute * 130, guest.dump());
  stage.Expect({.tenant = tenant.name,
                .entity = hans.user,
                .why = "A guest of another tenant entered with one factor."});
}

void PlayDismissedRisk(Stage& stage) {
  const ScenarioTenant& tenant = stage.contoso();
  const Principal david = Stage::Person(tenant, "David", "Weiss");
  const std::string id =
      stage.SignIn(tenant, From(david, "203.0.113.77", "Lisbon", "PT"), kHour * 4);
  const std::string detection = stage.simulator().AddRisk(
      tenant.id, id, {.event = "unfamiliarFeatures", .level = "medium", .timing = "realtime"},
      stage.now() - kMinute * 233);
  const Instant dismissed = stage.now() - kMinute * 150;
  json change = {{"riskState", "dismissed"}, {"riskDetail", "adminDismissedAllRiskForUser"}};
  stage.simulator().Change(tenant.id, List::kSignIns, id, change.dump(), dismissed);
  change["lastUpdatedDateTime"] = FormatRfc3339(dismissed);
  stage.simulator().Change(tenant.id, List::kRiskDetections, detection, change.dump(), dismissed);
  const json user = {{"riskState", "dismissed"},
                     {"riskLevel", "none"},
                     {"riskDetail", "adminDismissedAllRiskForUser"},
                     {"riskLastUpdatedDateTime", FormatRfc3339(dismissed)}};
  stage.simulator().Change(tenant.id, List::kRiskyUsers, david.id, user.dump(), dismissed);
  stage.Expect({.tenant = tenant.name,
                .entity = david.user,
                .incident = false,
                .why = "His travel was known; an administrator dismissed the risk."});
}

}  // namespace picket::simulator

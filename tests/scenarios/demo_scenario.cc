#include "tests/scenarios/demo_scenario.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <random>

namespace picket::simulator {
namespace {

using nlohmann::json;

struct Place {
  const char* city;
  const char* country;
  const char* network;
};
constexpr std::array<Place, 4> kHome = {{{"Vienna", "AT", "198.51.100."},
                                         {"Graz", "AT", "198.51.100."},
                                         {"Linz", "AT", "203.0.113."},
                                         {"Munich", "DE", "203.0.113."}}};
constexpr std::array<const char*, 4> kApps = {"Office 365 Exchange Online", "Microsoft Teams",
                                              "Azure Portal", "SharePoint Online"};
constexpr std::array<const char*, 8> kPeople = {"anna", "bruno", "clara", "david",
                                                "eva",  "felix", "gerda", "hans"};

class Player {
 public:
  Player(StandIn& stand_in, Instant now, unsigned seed)
      : stand_in_(stand_in), now_(now), random_(seed) {}

  json SignIn(const DemoTenant& tenant, const std::string& user, Timespan ago) {
    const Place& place = kHome.at(Pick(kHome.size()));
    return {
        {"id", NewId()},
        {"createdDateTime", FormatRfc3339(now_ - ago)},
        {"userDisplayName", user},
        {"userPrincipalName", Upn(tenant, user)},
        {"userId", ToString(Uuid5(tenant.id, user))},
        {"appId", "00000002-0000-0ff1-ce00-000000000000"},
        {"appDisplayName", kApps.at(Pick(kApps.size()))},
        {"ipAddress", fmt::format("{}{}", place.network, 1 + Pick(250))},
        {"clientAppUsed", "Browser"},
        {"userAgent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"},
        {"correlationId", NewId()},
        {"conditionalAccessStatus", "success"},
        {"isInteractive", true},
        {"authenticationRequirement", "multiFactorAuthentication"},
        {"riskDetail", "none"},
        {"riskLevelAggregated", "none"},
        {"riskLevelDuringSignIn", "none"},
        {"riskState", "none"},
        {"riskEventTypes_v2", json::array()},
        {"resourceDisplayName", "Microsoft Graph"},
        {"homeTenantId", ToString(tenant.id)},
        {"resourceTenantId", ToString(tenant.id)},
        {"signInEventTypes", {"interactiveUser"}},
        {"userType", "member"},
        {"status", {{"errorCode", 0}, {"failureReason", "Other."}, {"additionalDetails", ""}}},
        {"deviceDetail",
         {{"deviceId", ""}, {"operatingSystem", "Windows 10"}, {"browser", "Edge 131.0"}}},
        {"location", {{"city", place.city}, {"state", ""}, {"countryOrRegion", place.country}}}};
  }

  void From(json& sign_in, const char* address, const char* city, const char* country) {
    sign_in["ipAddress"] = address;
    sign_in["location"] = {{"city", city}, {"state", ""}, {"countryOrRegion", country}};
  }

  void Risk(json& sign_in, const char* level, const char* state, const char* event) {
    sign_in["riskLevelDuringSignIn"] = level;
    sign_in["riskLevelAggregated"] = level;
    sign_in["riskState"] = state;
    sign_in["riskEventTypes_v2"] = {event};
  }

  void Emit(const DemoTenant& tenant, const json& sign_in) {
    stand_in_.Put(tenant.id, "auditLogs/signIns", sign_in.dump(), Instant{});
  }

  // The risk detection that Identity Protection ties to a sign-in.
  void Detect(const DemoTenant& tenant, const json& sign_in, const char* event, Timespan ago) {
    const std::string time = FormatRfc3339(now_ - ago);
    const json detection = {{"id", NewId()},
                            {"requestId", sign_in["id"]},
                            {"correlationId", sign_in["correlationId"]},
                            {"riskEventType", event},
                            {"riskState", sign_in["riskState"]},
                            {"riskLevel", sign_in["riskLevelAggregated"]},
                            {"riskDetail", "none"},
                            {"source", "IdentityProtection"},
                            {"detectionTimingType", "nearRealtime"},
                            {"activity", "signin"},
                            {"ipAddress", sign_in["ipAddress"]},
                            {"location", sign_in["location"]},
                            {"activityDateTime", sign_in["createdDateTime"]},
                            {"detectedDateTime", time},
                            {"lastUpdatedDateTime", time},
                            {"userId", sign_in["userId"]},
                            {"userDisplayName", sign_in["userDisplayName"]},
                            {"userPrincipalName", sign_in["userPrincipalName"]},
                            {"additionalInfo", "[]"}};
    stand_in_.Put(tenant.id, "identityProtection/riskDetections", detection.dump(), Instant{});
  }

  void Background(const DemoTenant& tenant, int count) {
    for (int i = 0; i < count; ++i) {
      const auto minutes = static_cast<std::int64_t>(10 + Pick(23 * 60));
      Emit(tenant, SignIn(tenant, kPeople.at(Pick(kPeople.size())), kMinute * minutes));
    }
  }

  // Wrong passwords of many users from one address, then one that fits.
  void Spray(const DemoTenant& tenant) {
    for (std::int64_t i = 0; i < 24; ++i) {
      json failed = SignIn(tenant, kPeople.at(static_cast<std::size_t>(i) % kPeople.size()),
                           kMinute * 95 - kSecond * (10 * i));
      From(failed, "192.0.2.77", "Lagos", "NG");
      failed["status"] = {{"errorCode", 50126},
                          {"failureReason", "Invalid username or password."},
                          {"additionalDetails", ""}};
      Emit(tenant, failed);
    }
    json success = SignIn(tenant, "clara", kMinute * 90);
    From(success, "192.0.2.77", "Lagos", "NG");
    success["authenticationRequirement"] = "singleFactorAuthentication";
    Risk(success, "high", "atRisk", "passwordSpray");
    Emit(tenant, success);
    Detect(tenant, success, "passwordSpray", kMinute * 70);
  }

  void Anonymized(const DemoTenant& tenant) {
    json sign_in = SignIn(tenant, "felix", kMinute * 200);
    From(sign_in, "192.0.2.200", "Frankfurt", "DE");
    Risk(sign_in, "medium", "atRisk", "anonymizedIPAddress");
    Emit(tenant, sign_in);
    Detect(tenant, sign_in, "anonymizedIPAddress", kMinute * 190);
  }

  void Confirmed(const DemoTenant& tenant) {
    json sign_in = SignIn(tenant, "gerda", kMinute * 300);
    From(sign_in, "192.0.2.12", "Bucharest", "RO");
    Risk(sign_in, "high", "confirmedCompromised", "maliciousIPAddress");
    Emit(tenant, sign_in);
  }

  void GuestWithOneFactor(const DemoTenant& tenant, const DemoTenant& home) {
    json sign_in = SignIn(home, "hans", kMinute * 130);
    sign_in["resourceTenantId"] = ToString(tenant.id);
    sign_in["userType"] = "guest";
    sign_in["authenticationRequirement"] = "singleFactorAuthentication";
    Emit(tenant, sign_in);
  }

  void Dismissed(const DemoTenant& tenant) {
    json sign_in = SignIn(tenant, "david", kMinute * 240);
    Risk(sign_in, "medium", "dismissed", "unfamiliarFeatures");
    Emit(tenant, sign_in);
  }

  static std::string Upn(const DemoTenant& tenant, const std::string& user) {
    return user + "@" + tenant.name + ".example";
  }

 private:
  std::size_t Pick(std::size_t count) { return random_() % count; }
  std::string NewId() {
    return ToString(Uuid5(kPicketNamespace, fmt::format("demo {} {}", random_(), ++ids_)));
  }

  StandIn& stand_in_;
  const Instant now_;
  std::mt19937 random_;
  int ids_ = 0;
};

}  // namespace

DemoScenario PlayDemo(StandIn& stand_in, Instant now, unsigned seed) {
  DemoScenario scenario{.tenants = {{"contoso", Uuid5(kPicketNamespace, "demo contoso")},
                                    {"fabrikam", Uuid5(kPicketNamespace, "demo fabrikam")}},
                        .client_id = ToString(Uuid5(kPicketNamespace, "demo app")),
                        .secret = "demo~secret+/=" + std::to_string(seed),
                        .expected = {}};
  const DemoTenant& contoso = scenario.tenants[0];
  const DemoTenant& fabrikam = scenario.tenants[1];
  for (const DemoTenant& tenant : scenario.tenants) {
    stand_in.AddTenant(tenant.id, scenario.client_id, scenario.secret);
  }
  Player player(stand_in, now, seed);
  player.Background(contoso, 240);
  player.Background(fabrikam, 120);
  player.Spray(contoso);
  player.Anonymized(contoso);
  player.Dismissed(contoso);
  player.Confirmed(fabrikam);
  player.GuestWithOneFactor(fabrikam, contoso);
  scenario.expected = {{Player::Upn(contoso, "clara"), true},
                       {Player::Upn(contoso, "felix"), true},
                       {Player::Upn(contoso, "david"), false},
                       {Player::Upn(fabrikam, "gerda"), true},
                       {Player::Upn(contoso, "hans"), true}};
  return scenario;
}

}  // namespace picket::simulator

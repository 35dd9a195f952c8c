// One sign-in as beta's signIn has it, with the values that fit an ordinary success.

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "tests/simulator/dice.h"
#include "tests/simulator/generator.h"

namespace picket::simulator {
namespace {

using Json = nlohmann::ordered_json;

struct App {
  const char* id;
  const char* name;
  const char* resource;
  const char* resource_id;
  const char* client;
};
// Microsoft's own, with their published ids.
constexpr std::array<App, 6> kApps = {{
    {"4765445b-32c6-49b0-83e6-1d93765276ca", "OfficeHome", "OfficeHome",
     "4765445b-32c6-49b0-83e6-1d93765276ca", "Browser"},
    {"1fec8e78-bce4-4aaf-ab1b-5451cc387264", "Microsoft Teams", "Microsoft Teams Services",
     "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe", "Mobile Apps and Desktop clients"},
    {"00000002-0000-0ff1-ce00-000000000000", "Office 365 Exchange Online",
     "Office 365 Exchange Online", "00000002-0000-0ff1-ce00-000000000000", "Browser"},
    {"c44b4083-3bb0-49c1-b47d-974e53cbdf3c", "Azure Portal", "Windows Azure Service Management API",
     "797f4846-ba00-4fd7-ba43-dac1f8f63013", "Browser"},
    {"00000003-0000-0ff1-ce00-000000000000", "Office 365 SharePoint Online",
     "Office 365 SharePoint Online", "00000003-0000-0ff1-ce00-000000000000", "Browser"},
    {"d3590ed6-52b3-4102-aeff-aad2292ab01c", "Microsoft Office", "Microsoft Graph",
     "00000003-0000-0000-c000-000000000000", "Mobile Apps and Desktop clients"},
}};

struct Device {
  const char* system;
  const char* browser;
  const char* agent;
};
constexpr std::array<Device, 4> kDevices = {{
    {"Windows10", "Edge 141.0.0",
     "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0"},
    {"MacOs", "Safari 18.5",
     "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
     "Version/18.5 Safari/605.1.15"},
    {"Ios 18.6", "Mobile Safari",
     "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
     "Gecko) Version/18.6 Mobile/15E148 Safari/604.1"},
    {"Windows10", "Chrome 141.0.0",
     "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/141.0.0.0 Safari/537.36"},
}};

void Common(Json& record, const Guid& tenant, const std::string& id, Dice& dice) {
  const std::string tenant_id = ToString(tenant);
  record["correlationId"] = ToString(Uuid5(tenant, "correlation " + id));
  record["conditionalAccessStatus"] = "success";
  record["appliedConditionalAccessPolicies"] =
      Json::array({{{"id", ToString(Uuid5(tenant, "policy"))},
                    {"displayName", "Require multifactor authentication"},
                    {"enforcedGrantControls", Json::array({"Mfa"})},
                    {"enforcedSessionControls", Json::array()},
                    {"result", "success"},
                    {"conditionsSatisfied", "application,users"},
                    {"conditionsNotSatisfied", "none"}}});
  record["status"] = {
      {"errorCode", 0}, {"failureReason", "Other."}, {"additionalDetails", nullptr}};
  record["riskDetail"] = "none";
  record["riskLevelAggregated"] = "none";
  record["riskLevelDuringSignIn"] = "none";
  record["riskState"] = "none";
  record["riskEventTypes_v2"] = Json::array();
  record["authenticationMethodsUsed"] = Json::array();
  record["authenticationContextClassReferences"] = Json::array();
  record["authenticationProtocol"] = "none";
  record["authenticationRequirementPolicies"] = Json::array();
  record["sessionLifetimePolicies"] = Json::array();
  record["networkLocationDetails"] = Json::array();
  record["appliedEventListeners"] = Json::array();
  record["authenticationAppPolicyEvaluationDetails"] = Json::array();
  record["authenticationAppDeviceDetails"] = nullptr;
  record["mfaDetail"] = nullptr;
  record["agent"] = {{"agentType", "notAgentic"}, {"parentAppId", ""}};
  record["managedServiceIdentity"] = {{"msiType", "none"},
                                      {"associatedResourceId", ""},
                                      {"federatedTokenId", ""},
                                      {"federatedTokenIssuer", ""}};
  record["privateLinkDetails"] = {
      {"policyId", ""}, {"policyName", ""}, {"resourceId", ""}, {"policyTenantId", ""}};
  record["tokenProtectionStatusDetails"] = {{"signInSessionStatus", "unbound"},
                                            {"signInSessionStatusCode", 1002}};
  record["processingTimeInMilliseconds"] = dice.Between(40, 900);
  record["autonomousSystemNumber"] = dice.Between(64496, 64511);
  record["uniqueTokenIdentifier"] = Base64UrlEncode(id);
  record["originalRequestId"] = id;
  record["sessionId"] = ToString(Uuid5(tenant, "session " + id));
  record["homeTenantId"] = tenant_id;
  record["resourceTenantId"] = tenant_id;
  record["homeTenantName"] = "";
  record["appOwnerTenantId"] = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";
  record["resourceOwnerTenantId"] = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";
  record["crossTenantAccessType"] = "none";
  record["tokenIssuerType"] = "AzureAD";
  record["tokenIssuerName"] = "";
  record["incomingTokenType"] = "none";
  record["originalTransferMethod"] = "none";
  record["clientCredentialType"] = "none";
  record["federatedCredentialId"] = "";
  record["flaggedForReview"] = false;
  record["isTenantRestricted"] = false;
  record["isThroughGlobalSecureAccess"] = false;
  record["globalSecureAccessIpAddress"] = nullptr;
  record["ipAddressFromResourceProvider"] = nullptr;
  record["azureResourceId"] = nullptr;
}

void Person(Json& record, const Principal& who, bool interactive, Instant created, Dice& dice) {
  const App& app = kApps[dice.Below(kApps.size())];
  const Device& device = kDevices[Dice(0, who.id).Below(kDevices.size())];
  record["appId"] = app.id;
  record["appDisplayName"] = app.name;
  record["resourceDisplayName"] = app.resource;
  record["resourceId"] = app.resource_id;
  record["clientAppUsed"] = app.client;
  record["userAgent"] = device.agent;
  record["userId"] = who.id;
  record["userDisplayName"] = who.name;
  record["userPrincipalName"] = who.user;
  record["userType"] = "member";
  record["signInIdentifier"] = interactive ? who.user : "";
  record["servicePrincipalId"] = "";
  record["servicePrincipalName"] = nullptr;
  record["servicePrincipalCredentialKeyId"] = nullptr;
  record["servicePrincipalCredentialThumbprint"] = nullptr;
  record["deviceDetail"] = {{"deviceId", ""},
                            {"displayName", ""},
                            {"operatingSystem", device.system},
                            {"browser", device.browser},
                            {"browserId", ""},
                            {"isCompliant", false},
                            {"isManaged", false},
                            {"trustType", ""}};
  record["authenticationRequirement"] = "singleFactorAuthentication";
  record["authenticationProcessingDetails"] =
      Json::array({{{"key", interactive ? "Login Hint Present" : "Is CAE Token"},
                    {"value", interactive ? "True" : "False"}}});
  record["authenticationDetails"] = Json::array();
  if (!interactive) {
    record["incomingTokenType"] = "refreshToken";
    return;
  }
  record["authenticationDetails"].push_back(
      {{"authenticationStepDateTime", FormatRfc3339(created)},
       {"authenticationMethod", "Password"},
       {"authenticationMethodDetail", "Password Hash Sync"},
       {"succeeded", true},
       {"authenticationStepResultDetail", "Correct password"},
       {"authenticationStepRequirement", "Primary authentication"}});
}

void Program(Json& record, const Principal& who, bool managed) {
  record["appId"] = ToString(Uuid5(Guid{}, "app " + who.id));
  record["appDisplayName"] = who.name;
  record["resourceDisplayName"] = managed ? "Azure Storage" : "Microsoft Graph";
  record["resourceId"] =
      managed ? "e406a681-f3d4-42a8-90b6-c2b029497af1" : "00000003-0000-0000-c000-000000000000";
  record["clientAppUsed"] = "";
  record["userAgent"] = "";
  record["userId"] = "";
  record["userDisplayName"] = nullptr;
  record["userPrincipalName"] = nullptr;
  record["servicePrincipalId"] = who.id;
  record["servicePrincipalName"] = who.name;
  record["servicePrincipalCredentialKeyId"] = managed ? "" : ToString(Uuid5(Guid{}, who.id));
  record["servicePrincipalCredentialThumbprint"] = "";
  record["clientCredentialType"] = managed ? "managedIdentity" : "clientSecret";
  record["authenticationRequirement"] = "";
  record["authenticationDetails"] = Json::array();
  record["deviceDetail"] = {
      {"deviceId", ""},         {"displayName", ""},    {"operatingSystem", ""}, {"browser", ""},
      {"isCompliant", nullptr}, {"isManaged", nullptr}, {"trustType", nullptr}};
  if (managed) record["managedServiceIdentity"]["msiType"] = "systemAssigned";
}

}  // namespace

std::string SignInJson(const Guid& tenant, const std::string& id, Instant created,
                       const Principal& who, const char* event_type, const std::string& patch) {
  const std::string_view type = event_type;
  const bool interactive = type == "interactiveUser";
  const bool managed = type == "managedIdentity";
  Dice dice(0, id);
  Json record;
  record["id"] = id;
  record["createdDateTime"] = FormatRfc3339(created);
  Common(record, tenant, id, dice);
  record["ipAddress"] = managed ? "" : who.ip;
  record["isInteractive"] = interactive;
  record["signInEventTypes"] = Json::array({event_type});
  record["location"] = {
      {"city", managed ? "" : who.city},
      {"state", ""},
      {"countryOrRegion", managed ? "" : who.country},
      {"geoCoordinates", {{"altitude", nullptr}, {"latitude", 48.2}, {"longitude", 16.4}}}};
  if (type == "interactiveUser" || type == "nonInteractiveUser") {
    Person(record, who, interactive, created, dice);
  } else {
    Program(record, who, managed);
  }
  if (!patch.empty()) {
    record.merge_patch(Json::parse(patch, nullptr, /*allow_exceptions=*/false));
  }
  return record.dump();
}

}  // namespace picket::simulator

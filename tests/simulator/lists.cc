#include "tests/simulator/lists.h"

#include <algorithm>

#include "base/result.h"
#include "base/text.h"

namespace picket::simulator {
namespace {

using enum PropertyType;

constexpr std::string_view kTimeOperators = "eq ge le gt lt";
constexpr std::string_view kBegins = "eq startsWith";

std::vector<Property> SignInProperties() {
  return {{"id"},
          {"createdDateTime", kTime, kTimeOperators},
          {"userDisplayName", kText, kBegins},
          {"userPrincipalName", kText, kBegins},
          {"userId"},
          {"appId"},
          {"appDisplayName", kText, kBegins},
          {"ipAddress", kText, kBegins},
          {"clientAppUsed"},
          {"userAgent", kText, kBegins},
          {"correlationId"},
          {"conditionalAccessStatus"},
          {"deviceDetail/browser", kText, kBegins},
          {"deviceDetail/operatingSystem", kText, kBegins},
          {"location/city", kText, kBegins},
          {"location/state", kText, kBegins},
          {"location/countryOrRegion", kText, kBegins},
          {"riskDetail"},
          {"riskEventTypes_v2", kTexts, kBegins},
          {"riskLevelAggregated"},
          {"riskLevelDuringSignIn"},
          {"riskState"},
          {"resourceDisplayName"},
          {"resourceId"},
          {"status/errorCode", kNumber, "eq ne"},
          {"servicePrincipalId", kText, kBegins},
          {"servicePrincipalName", kText, kBegins},
          {"authenticationRequirement", kText, kBegins, true},
          {"conditionalAccessAudiences", kTexts, "eq", true},
          {"originalRequestId", kText, "eq", true},
          {"tokenIssuerName", kText, "eq", true},
          {"signInEventTypes", kTexts, "eq ne", true}};
}

std::vector<Property> AuditProperties() {
  return {{"id"},
          {"activityDateTime", kTime, kTimeOperators},
          {"activityDisplayName", kText, kBegins},
          {"category"},
          {"correlationId"},
          {"loggedByService"},
          {"result"},
          {"initiatedBy/user/id"},
          {"initiatedBy/user/displayName"},
          {"initiatedBy/user/userPrincipalName", kText, kBegins},
          {"initiatedBy/app/appId"},
          {"initiatedBy/app/displayName"},
          {"targetResources/id", kObjects},
          {"targetResources/displayName", kObjects, kBegins}};
}

std::vector<Property> DetectionProperties() {
  return {{"id"},
          {"riskEventType"},
          {"riskLevel"},
          {"riskState"},
          {"riskDetail"},
          {"detectionTimingType"},
          {"requestId"},
          {"correlationId"},
          {"activityDateTime", kTime, kTimeOperators},
          {"detectedDateTime", kTime, kTimeOperators},
          {"lastUpdatedDateTime", kTime, kTimeOperators}};
}

std::vector<Property> With(std::vector<Property> properties, std::vector<Property> more) {
  properties.insert(properties.end(), more.begin(), more.end());
  return properties;
}

std::vector<ListSpec> MakeLists() {
  constexpr std::string_view kAudit = "AuditLog.Read.All";
  constexpr std::string_view kRisk = "IdentityRiskEvent.Read.All";
  return {{.list = List::kSignIns,
           .path = "auditLogs/signIns",
           .context = "auditLogs/signIns",
           .time = "createdDateTime",
           .role = kAudit,
           .properties = SignInProperties()},
          {.list = List::kDirectoryAudits,
           .path = "auditLogs/directoryAudits",
           .context = "auditLogs/directoryAudits",
           .time = "activityDateTime",
           .role = kAudit,
           .properties = AuditProperties()},
          {.list = List::kRiskDetections,
           .path = "identityProtection/riskDetections",
           .context = "identityProtection/riskDetections",
           .type = "#microsoft.graph.riskDetection",
           .time = "detectedDateTime",
           .default_page = 20,
           .max_page = 500,
           .clamps_top = false,
           .protection = true,
           .role = kRisk,
           .properties = With(DetectionProperties(),
                              {{"userId"}, {"userDisplayName"}, {"userPrincipalName"}})},
          {.list = List::kServicePrincipalRiskDetections,
           .path = "identityProtection/servicePrincipalRiskDetections",
           .context = "identityProtection/servicePrincipalRiskDetections",
           .type = "#microsoft.graph.servicePrincipalRiskDetection",
           .time = "detectedDateTime",
           .default_page = 20,
           .max_page = 500,
           .clamps_top = false,
           .protection = true,
           .role = kRisk,
           .properties = With(DetectionProperties(), {{"servicePrincipalId"}, {"appId"}})},
          {.list = List::kRiskyUsers,
           .path = "identityProtection/riskyUsers",
           .context = "identityProtection/riskyUsers",
           .time = "riskLastUpdatedDateTime",
           .time_changes = true,
           .default_page = 20,
           .max_page = 500,
           .clamps_top = false,
           .protection = true,
           .role = "IdentityRiskyUser.Read.All",
           .properties = {{"id"},
                          {"riskLastUpdatedDateTime", kTime, kTimeOperators},
                          {"riskState"},
                          {"riskLevel"},
                          {"riskDetail"},
                          {"userPrincipalName"}}}};
}

const std::vector<ListSpec>& Lists() {
  static const std::vector<ListSpec> lists = MakeLists();
  return lists;
}

}  // namespace

const ListSpec& SpecOf(List list) {
  for (const ListSpec& spec : Lists()) {
    if (spec.list == list) return spec;
  }
  CheckFailed(__FILE__, __LINE__, "SpecOf", "every list is specified");
}

const ListSpec* FindList(std::string_view path) {
  for (const ListSpec& spec : Lists()) {
    if (EqualsIgnoreCase(spec.path, path)) return &spec;
  }
  return nullptr;
}

StreamPlace PlaceOf(std::string_view stream) {
  if (stream == "signIns.interactive") return {List::kSignIns, "interactiveUser"};
  if (stream == "signIns.nonInteractive") return {List::kSignIns, "nonInteractiveUser"};
  if (stream == "signIns.servicePrincipal") return {List::kSignIns, "servicePrincipal"};
  if (stream == "signIns.managedIdentity") return {List::kSignIns, "managedIdentity"};
  if (stream == "directoryAudits") return {List::kDirectoryAudits, ""};
  if (stream == "riskDetections") return {List::kRiskDetections, ""};
  if (stream == "servicePrincipalRiskDetections") {
    return {List::kServicePrincipalRiskDetections, ""};
  }
  PK_CHECK(stream == "riskyUsers", "a stream of Picket's");
  return {List::kRiskyUsers, ""};
}

}  // namespace picket::simulator

#include "tests/simulator/render.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace picket::simulator {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kPolicies = "appliedConditionalAccessPolicies";

// What v1.0 has of a sign-in.
constexpr std::string_view kV1SignIn[] = {"id",
                                          "createdDateTime",
                                          "userDisplayName",
                                          "userPrincipalName",
                                          "userId",
                                          "appId",
                                          "appDisplayName",
                                          "ipAddress",
                                          "clientAppUsed",
                                          "userAgent",
                                          "correlationId",
                                          "conditionalAccessStatus",
                                          "appliedConditionalAccessPolicies",
                                          "isInteractive",
                                          "deviceDetail",
                                          "location",
                                          "riskDetail",
                                          "riskEventTypes_v2",
                                          "riskLevelAggregated",
                                          "riskLevelDuringSignIn",
                                          "riskState",
                                          "resourceDisplayName",
                                          "resourceId",
                                          "status"};

constexpr std::string_view kBetaOnlyDevice = "browserId";

bool IsOfV1(std::string_view name) {
  return std::find(std::begin(kV1SignIn), std::end(kV1SignIn), name) != std::end(kV1SignIn);
}

Json V1SignIn(const Json& beta) {
  Json record = Json::object();
  for (const auto& [name, value] : beta.items()) {
    if (!IsOfV1(name)) continue;
    record[name] =
        value.is_string() && value.get_ref<const std::string&>().empty() ? Json() : value;
  }
  if (const auto device = record.find("deviceDetail");
      device != record.end() && device->is_object()) {
    device->erase(std::string(kBetaOnlyDevice));
  }
  // Deprecated, and still there.
  if (const auto events = record.find("riskEventTypes_v2"); events != record.end()) {
    record["riskEventTypes"] = *events;
  }
  return record;
}

void Set(Json& record, const char* name, const char* from, const char* to) {
  const auto found = record.find(name);
  if (found != record.end() && *found == from) *found = to;
}

bool HasRisk(const Json& record) {
  if (record.contains("riskEventType")) return true;  // a detection
  const auto state = record.find("riskState");
  return state != record.end() && *state != "none";
}

// Without P2 the tenant sees that there is risk, and not which.
void HideRisk(Json& record) {
  if (!HasRisk(record)) return;
  for (const char* name :
       {"riskLevelAggregated", "riskLevelDuringSignIn", "riskLevel", "riskDetail"}) {
    if (const auto found = record.find(name); found != record.end()) *found = "hidden";
  }
  if (const auto events = record.find("riskEventTypes_v2");
      events != record.end() && events->is_array() && !events->empty()) {
    *events = Json::array({"generic"});
  }
  if (const auto event = record.find("riskEventType"); event != record.end()) *event = "generic";
}

void HideYoungMembers(Json& record) {
  for (const char* name :
       {"m365DAdminDismissedDetection", "adminConfirmedServicePrincipalCompromised",
        "adminDismissedAllRiskForServicePrincipal", "userChangedPasswordOnPremises",
        "adminDismissedRiskForSignIn", "adminConfirmedAccountSafe", "microsoftRevokedSessions"}) {
    Set(record, "riskDetail", name, "unknownFutureValue");
  }
  Set(record, "activity", "servicePrincipal", "unknownFutureValue");
}

}  // namespace

std::string Render(const ListSpec& list, const RecordVersion& version, const Rendering& rendering) {
  const bool as_v1 = !rendering.beta && list.list == List::kSignIns;
  const bool hides_members = version.young_members && !rendering.young_members;
  const bool policies = rendering.with_policies && !version.policies.empty();
  // Most records go out as they are kept.
  if (!as_v1 && !hides_members && !rendering.hides_risk && rendering.select.empty()) {
    if (!policies) return version.text;
    return version.text.substr(0, version.text.size() - 1) + ",\"" + kPolicies +
           "\":" + version.policies + "}";
  }
  Json record = Json::parse(version.text, nullptr, /*allow_exceptions=*/false);
  if (policies) record[kPolicies] = Json::parse(version.policies, nullptr, false);
  if (as_v1) record = V1SignIn(record);
  if (rendering.hides_risk) HideRisk(record);
  if (hides_members) HideYoungMembers(record);
  if (!rendering.select.empty()) {
    Json selected = Json::object();
    for (const std::string& name : rendering.select) {
      if (const auto found = record.find(name); found != record.end()) selected[name] = *found;
    }
    record = std::move(selected);
  }
  return record.dump();
}

}  // namespace picket::simulator

#include "agent/graph/collection.h"

#include <algorithm>

#include "base/http.h"

namespace picket::graph {
namespace {

constexpr std::string_view kSignIns = "auditLogs/signIns";
constexpr std::string_view kAuditLogRead = "AuditLog.Read.All";
constexpr std::string_view kRiskEventRead = "IdentityRiskEvent.Read.All";

Collection SignIns(std::string_view stream, std::string_view condition) {
  return {.stream = stream,
          .family = Family::kAuditLogs,
          .path = kSignIns,
          .max_page = 1000,
          .keeps = kDay * 30,
          .max_slice = kDay,
          .permission = kAuditLogRead,
          .licence = "Microsoft Entra ID P1 or P2",
          .variants = {{"beta", "createdDateTime", condition}}};
}

Collection Risk(std::string_view stream, std::string_view path, std::string_view permission,
                std::string_view licence, std::vector<Variant> variants) {
  return {.stream = stream,
          .family = Family::kIdentityProtection,
          .path = path,
          .max_page = 500,
          .keeps = kDay * 90,
          .max_slice = kDay * 10,
          .counts_late = false,
          .permission = permission,
          .licence = licence,
          .variants = std::move(variants)};
}

std::vector<Collection> MakeCollections() {
  std::vector<Collection> all;
  all.push_back(SignIns("signIns.interactive", "signInEventTypes/any(t: t eq 'interactiveUser')"));
  // v1.0 knows no signInEventTypes and gives interactive sign-ins only.
  all.back().variants.push_back({"v1.0", "createdDateTime", ""});
  all.push_back(
      SignIns("signIns.nonInteractive", "signInEventTypes/any(t: t eq 'nonInteractiveUser')"));
  all.push_back(
      SignIns("signIns.servicePrincipal", "signInEventTypes/any(t: t eq 'servicePrincipal')"));
  all.push_back(
      SignIns("signIns.managedIdentity", "signInEventTypes/any(t: t eq 'managedIdentity')"));
  all.push_back({.stream = "directoryAudits",
                 .family = Family::kAuditLogs,
                 .path = "auditLogs/directoryAudits",
                 .max_page = 1000,
                 .keeps = kDay * 30,
                 .max_slice = kDay,
                 .permission = kAuditLogRead,
                 .licence = "Microsoft Entra ID",
                 .variants = {{"v1.0", "activityDateTime", ""}}});
  const std::vector<Variant> by_update = {{"v1.0", "lastUpdatedDateTime", ""},
                                          {"v1.0", "detectedDateTime", ""}};
  all.push_back(Risk("riskDetections", "identityProtection/riskDetections", kRiskEventRead,
                     "Microsoft Entra ID P1 (limited) or P2", by_update));
  all.push_back(Risk("servicePrincipalRiskDetections",
                     "identityProtection/servicePrincipalRiskDetections", kRiskEventRead,
                     "Workload ID Premium", by_update));
  all.push_back(Risk("riskyUsers", "identityProtection/riskyUsers", "IdentityRiskyUser.Read.All",
                     "Microsoft Entra ID P2", {{"v1.0", "riskLastUpdatedDateTime", ""}}));
  return all;
}

std::string BaseUrl(std::string_view root, const Collection& collection, const Variant& variant) {
  std::string url(root);
  url.append("/").append(variant.version).append("/").append(collection.path);
  return url;
}

}  // namespace

std::string_view FamilyName(Family family) {
  return family == Family::kAuditLogs ? "audit_logs" : "identity_protection";
}

const std::vector<Collection>& Collections() {
  static const std::vector<Collection> all = MakeCollections();
  return all;
}

const Collection* FindCollection(std::string_view stream) {
  const auto& all = Collections();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Collection& c) { return c.stream == stream; });
  return found == all.end() ? nullptr : &*found;
}

std::string Filter(const Variant& variant, const std::optional<Span>& span,
                   std::string_view extra) {
  std::string filter;
  const auto add = [&](const std::string& condition) {
    if (condition.empty()) return;
    if (!filter.empty()) filter += " and ";
    filter += condition;
  };
  if (span) {
    const std::string field(variant.time_field);
    // `ge` and `le`, never `gt`: several events may share an instant, and duplicates cost nothing.
    add(field + " ge " + FormatGraph(span->from));
    add(field + " le " + FormatGraph(span->to));
  }
  add(std::string(variant.condition));
  add(std::string(extra));
  return filter;
}

std::string Quote(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c;
    if (c == '\'') quoted += c;
  }
  return quoted + "'";
}

std::string ListUrl(std::string_view root, const Collection& collection, const Variant& variant,
                    std::string_view filter, int top) {
  std::string url = BaseUrl(root, collection, variant);
  url += "?$top=" + std::to_string(std::clamp(top, 1, collection.max_page));
  if (!filter.empty()) url += "&$filter=" + PercentEncode(filter);
  return url;
}

std::string ItemUrl(std::string_view root, const Collection& collection, const Variant& variant,
                    std::string_view id) {
  return BaseUrl(root, collection, variant) + "/" + PercentEncode(id);
}

}  // namespace picket::graph

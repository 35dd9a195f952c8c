#include "tests/simulator/graph.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/http.h"
#include "base/text.h"
#include "tests/simulator/dice.h"
#include "tests/simulator/fault_reply.h"

namespace picket::simulator {
namespace {

constexpr std::string_view kGraph = "https://graph.microsoft.com";
constexpr Timespan kSignInsKept = kDay * 30;
constexpr Timespan kRiskKept = kDay * 90;

bool Holds(const std::vector<std::string>& roles, std::string_view role) {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

std::string_view BearerOf(const std::string& header) {
  constexpr std::string_view kBearer = "Bearer ";
  if (!EqualsIgnoreCase(std::string_view(header).substr(0, kBearer.size()), kBearer)) return {};
  return Trim(std::string_view(header).substr(kBearer.size()));
}

// Which of the messages seen for one and the same thing.
std::uint64_t Variety(const Call& call) { return Dice(0, call.request_id).Next(); }

Reply ExpiredPageReply(const Call& call) {
  switch (Variety(call) % 3) {
    case 0:
      return GraphError(call, 400, "", "Token not found: token is either invalid or expired");
    case 1:
      return GraphError(call, 400, "BadRequest", "Skip token is null or expired");
    default:
      return GraphError(call, 400, "BadRequest", "Skip token is null");
  }
}

bool Asks(const std::optional<Fault>& fault, FaultKind kind) {
  return fault && fault->kind == kind;
}

Rendering RenderingFor(const Call& call, bool beta, const TokenClaims& caller,
                       const TenantSpec& tenant) {
  return {.beta = beta,
          .hides_risk = tenant.licence != Licence::kP2,
          .with_policies = Holds(caller.roles, "Policy.Read.All") ||
                           Holds(caller.roles, "Policy.Read.ConditionalAccess"),
          .young_members = AsciiLower(call.Header("Prefer")).find("include-unknown-enum-members") !=
                           std::string::npos};
}

void AddBetaHeaders(Reply& reply) {
  reply.SetHeader("Deprecation", "Thu, 01 Aug 2024 00:00:00 GMT");
  reply.SetHeader("Link",
                  "<https://developer.microsoft-tst.com/en-us/graph/changes?$filterby=beta,SignIn>;"
                  "rel=\"deprecation\";type=\"text/html\"");
}

}  // namespace

Reply MissingRoleReply(const Call& call, const ListSpec& list) {
  if (list.protection) {
    return GraphError(
        call, 403, "Forbidden",
        "You cannot perform the requested operation, required scopes are missing in the token.");
  }
  return GraphError(
      call, 403, "Authentication_MSGraphPermissionMissing",
      fmt::format("Calling principal does not have required MSGraph permissions {}", list.role));
}

Reply MissingLicenceReply(const Call& call, const ListSpec& list) {
  if (list.protection) {
    return GraphError(call, 403, "Forbidden", "Your tenant is not licensed for this feature.");
  }
  return GraphError(call, 403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
                    "Neither tenant is B2C or tenant doesn't have premium license");
}

std::optional<TokenClaims> Graph::Caller(const Call& call) {
  const std::string header = call.Header("Authorization");
  const std::string_view token = BearerOf(header);
  return token.empty() ? std::nullopt : Entra::Read(token);
}

std::optional<Reply> Graph::CheckToken(const Call& call,
                                       const std::optional<TokenClaims>& caller) const {
  const auto refuse = [&](std::string_view message) {
    Reply reply = GraphError(call, 401, "InvalidAuthenticationToken", message);
    reply.SetHeader("WWW-Authenticate", "Bearer realm=\"\", authorization_uri=\"" + url_ +
                                            "/common/oauth2/authorize\"");
    return reply;
  };
  if (BearerOf(call.Header("Authorization")).empty()) return refuse("Access token is empty.");
  if (!caller) return refuse("CompactToken parsing failed with error code: 80049217");
  if (caller->audience != url_ && caller->audience != kGraph) {
    return refuse("Access token validation failure. Invalid audience.");
  }
  if (call.now >= caller->expires || call.now < caller->not_before) {
    return refuse("Lifetime validation failed, the token is expired.");
  }
  if (entra_.IsChallenged(*caller)) return ClaimsReply(call);
  if (entra_.IsRevoked(*caller)) return refuse("Access token has expired or is not yet valid.");
  return std::nullopt;
}

std::optional<Reply> Graph::CheckRights(const Call& call, const ListSpec& list,
                                        const TokenClaims& caller, const TenantSpec& tenant) const {
  if (!Holds(caller.roles, list.role)) return MissingRoleReply(call, list);
  bool licensed = true;
  switch (list.list) {
    case List::kSignIns:
      licensed = tenant.licence != Licence::kFree;
      break;
    case List::kDirectoryAudits:
      break;
    case List::kRiskDetections:
      licensed = tenant.licence != Licence::kFree;
      break;
    case List::kRiskyUsers:
      licensed = tenant.licence == Licence::kP2;
      break;
    case List::kServicePrincipalRiskDetections:
      licensed = tenant.workload_identities_premium;
      break;
  }
  if (!licensed) return MissingLicenceReply(call, list);
  return std::nullopt;
}

std::optional<Graph::Route> Graph::FindRoute(const std::string& path) const {
  Route route;
  std::string rest;
  if (path.starts_with("/beta/")) {
    route.beta = true;
    rest = path.substr(6);
  } else if (path.starts_with("/v1.0/")) {
    rest = path.substr(6);
  } else {
    return std::nullopt;
  }
  while (rest.ends_with('/')) rest.pop_back();
  route.list = FindList(rest);
  if (route.list != nullptr) return route;
  const std::size_t slash = rest.rfind('/');
  if (slash == std::string::npos) return std::nullopt;
  route.list = FindList(rest.substr(0, slash));
  route.id = rest.substr(slash + 1);
  return route.list == nullptr ? std::nullopt : std::optional(route);
}

Reply Graph::Answer(const Call& call, const std::optional<TokenClaims>& caller,
                    const std::optional<Fault>& fault) {
  const std::optional<Route> route = FindRoute(call.path);
  if (auto refused = CheckToken(call, caller)) return *refused;
  if (!route) {
    return GraphError(call, 400, "BadRequest",
                      fmt::format("Resource not found for the segment '{}'.",
                                  call.path.substr(call.path.rfind('/') + 1)));
  }
  if (call.method != "GET") {
    return GraphError(call, 405, "Request_BadRequest",
                      "Specified HTTP method is not allowed for the request target.");
  }
  const std::optional<TenantSpec> tenant = directory_.Tenant(caller->tenant);
  if (!tenant) return GraphError(call, 401, "InvalidAuthenticationToken", "Unknown tenant.");
  if (settings_.limits) {
    if (const auto wait =
            throttle_.Count(route->list->protection, caller->app, caller->tenant, call.now)) {
      return ThrottledReply(call, route->list->protection, *wait, Variety(call));
    }
  }
  if (auto refused = CheckRights(call, *route->list, *caller, *tenant)) return *refused;
  const Rendering rendering = RenderingFor(call, route->beta, *caller, *tenant);
  Reply reply = route->id.empty() ? ListPage(call, *route, *tenant, rendering, fault)
                                  : One(call, *route, *tenant, rendering);
  if (route->beta) AddBetaHeaders(reply);
  return reply;
}

Reply Graph::ListPage(const Call& call, const Route& route, const TenantSpec& tenant,
                      const Rendering& rendering, const std::optional<Fault>& fault) {
  Query query;
  if (const std::string* token = call.Parameter("$skiptoken")) {
    if (Asks(fault, FaultKind::kExpiredPage)) pager_.Forget(*token);
    const std::optional<Query> resumed = pager_.Resume(*token, call.now);
    // A token is good for its own tenant and list only.
    if (!resumed || resumed->tenant != tenant.id || resumed->list != route.list) {
      return ExpiredPageReply(call);
    }
    query = *resumed;
  } else {
    Result<Query> parsed =
        ParseQuery(call, *route.list, tenant.id, route.beta, settings_.filter_by_last_update);
    if (!parsed) return GraphError(call, 400, "BadRequest", parsed.error().message);
    query = *std::move(parsed);
  }
  // What is older than the service keeps is gone.
  const Timespan kept = route.list->protection ? kRiskKept : kSignInsKept;
  if (!route.list->time_changes) query.filter.RaiseFrom(call.now - kept);
  Rendering selected = rendering;
  selected.select = query.select;
  const Pager::Page page = pager_.Read(query, selected, call.now);
  return JsonReply(200, PageBody(route, query, page, fault));
}

Reply Graph::One(const Call& call, const Route& route, const TenantSpec& tenant,
                 const Rendering& rendering) const {
  const auto version = store_.Get({tenant.id, route.list->list}, route.id, call.now);
  if (!version) {
    return GraphError(call, 404, "ResourceNotFound",
                      "Resource '" + route.id.substr(0, 100) + "' does not exist.");
  }
  std::string record = Render(*route.list, *version, rendering);
  return JsonReply(200, fmt::format(R"({{"@odata.context":"{}/{}/$metadata#{}/$entity",{})", url_,
                                    route.beta ? "beta" : "v1.0", route.list->context,
                                    std::string_view(record).substr(1)));
}

std::string Graph::PageBody(const Route& route, const Query& query, const Pager::Page& page,
                            const std::optional<Fault>& fault) const {
  const std::string_view version = route.beta ? "beta" : "v1.0";
  std::string body =
      fmt::format(R"({{"@odata.context":"{}/{}/$metadata#{}")", url_, version, route.list->context);
  // Graph spells its own path in lower case here, and encodes the filter anew.
  const std::string here = fmt::format(
      "{}/{}/{}", Asks(fault, FaultKind::kForeignNextLink) ? fault->text : url_, version,
      route.list->list == List::kSignIns ? "auditLogs/signins" : route.list->path);
  std::string options;
  const auto add = [&](std::string_view name, const std::string& value) {
    options += fmt::format("{}{}={}", options.empty() ? "?" : "&", name, value);
  };
  if (query.names_top) add("$top", std::to_string(query.top));
  if (!query.filter_text.empty()) add("$filter", PercentEncode(query.filter_text));
  if (Asks(fault, FaultKind::kLoopingNextLink)) {
    body += ",\"@odata.nextLink\":\"" + here + options + "\"";
  } else if (!page.skiptoken.empty() || Asks(fault, FaultKind::kForeignNextLink)) {
    add("$skiptoken", page.skiptoken.empty() ? "0_0" : page.skiptoken);
    body += ",\"@odata.nextLink\":\"" + here + options + "\"";
  }
  body += ",\"value\":[";
  bool first = true;
  for (const std::string& row : page.rows) {
    if (!first) body += ',';
    first = false;
    body += row;
  }
  const auto add_hostile = [&](std::string_view record) {
    if (!first) body += ',';
    body += record;
  };
  if (Asks(fault, FaultKind::kInvalidUtf8)) {
    add_hostile("{\"id\":\"invalid-utf8\",\"userDisplayName\":\"\xff\xfe\xc3\"}");
  }
  if (Asks(fault, FaultKind::kRecordWithoutId)) {
    add_hostile(R"({"createdDateTime":"2026-01-01T00:00:00Z","userDisplayName":"Nobody"})");
  }
  return body + "]}";
}

}  // namespace picket::simulator

#include "tests/simulator/entra.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/uuid.h"
#include "tests/simulator/certificates.h"

namespace picket::simulator {
namespace {

using nlohmann::json;

constexpr std::string_view kTokenPath = "/oauth2/v2.0/token";
constexpr std::string_view kDiscoveryPath = "/v2.0/.well-known/openid-configuration";
constexpr std::string_view kKeysPath = "/discovery/v2.0/keys";
constexpr std::string_view kInstancePath = "/common/discovery/instance";
constexpr std::string_view kAssertionType =
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
constexpr std::string_view kDefaultScope = "/.default";
constexpr std::string_view kGraph = "https://graph.microsoft.com";
constexpr std::string_view kArm = "https://management.azure.com";

constexpr std::string_view kPaths[] = {kTokenPath, kDiscoveryPath, kKeysPath};

bool EndsWith(std::string_view path, std::string_view end) {
  return path.size() >= end.size() && EqualsIgnoreCase(path.substr(path.size() - end.size()), end);
}

bool IsShared(std::string_view tenant) {
  return tenant == "common" || tenant == "organizations" || tenant == "consumers";
}

std::int64_t Seconds(Instant time) { return time.UnixMillis() / 1000; }

// "Basic" credentials of RFC 6749: both parts form-encoded. Only what the simulator needs.
std::optional<std::pair<std::string, std::string>> BasicCredentials(const Call& call) {
  std::string header = call.Header("Authorization");
  if (header.substr(0, 6) != "Basic ") return std::nullopt;
  std::replace(header.begin(), header.end(), '+', '-');
  std::replace(header.begin(), header.end(), '/', '_');
  const std::string both = Base64UrlDecode(std::string_view(header).substr(6));
  const std::size_t colon = both.find(':');
  if (colon == std::string::npos) return std::nullopt;
  return std::pair(both.substr(0, colon), both.substr(colon + 1));
}

bool Holds(const std::vector<std::string>& secrets, const std::string& secret) {
  return std::find(secrets.begin(), secrets.end(), secret) != secrets.end();
}

Reply EntraJson(int status, const json& body) {
  Reply reply = JsonReply(status, body.dump(-1, ' ', false, json::error_handler_t::replace),
                          "application/json; charset=utf-8");
  reply.SetHeader("Cache-Control", "no-store, no-cache");
  reply.SetHeader("Pragma", "no-cache");
  reply.SetHeader("x-ms-ests-server", "2.1.1 - SIM ProdSlices");
  reply.SetHeader("Set-Cookie", "fpc=simulated; path=/; secure; HttpOnly; SameSite=None");
  return reply;
}

// {"access_token":{"nbf":{"essential":true,"value":"…"}}}, as the challenge has it.
bool MeetsChallenge(const Call& call) {
  const json claims = json::parse(call.Value("claims"), nullptr, /*allow_exceptions=*/false);
  return claims.is_object() && claims.contains(json::json_pointer("/access_token/nbf/value"));
}

}  // namespace

AadSts MakeAadSts(int number, std::string message) {
  static const std::map<int, std::pair<const char*, int>> kKnown = {
      {7000215, {"invalid_client", 401}},       {7000222, {"invalid_client", 401}},
      {7000218, {"invalid_client", 401}},       {7000229, {"invalid_client", 401}},
      {700016, {"unauthorized_client", 400}},   {7000112, {"unauthorized_client", 400}},
      {700027, {"invalid_client", 401}},        {700024, {"invalid_client", 401}},
      {50027, {"invalid_client", 401}},         {50048, {"invalid_client", 401}},
      {90002, {"invalid_request", 400}},        {9001023, {"invalid_request", 400}},
      {900144, {"invalid_request", 400}},       {70003, {"unsupported_grant_type", 400}},
      {70011, {"invalid_scope", 400}},          {28002, {"invalid_scope", 400}},
      {500011, {"invalid_resource", 400}},      {90055, {"temporarily_unavailable", 429}},
      {90033, {"temporarily_unavailable", 503}}};
  const auto found = kKnown.find(number);
  if (found == kKnown.end()) return {number, "invalid_request", 400, std::move(message)};
  return {number, found->second.first, found->second.second, std::move(message)};
}

Reply AadStsReply(const Call& call, const AadSts& error) {
  const std::string correlation = call.Header("client-request-id");
  std::string time = FormatRfc3339(call.now).substr(0, 19) + "Z";
  std::replace(time.begin(), time.end(), 'T', ' ');
  const std::string correlation_id = correlation.empty() ? call.request_id : correlation;
  Reply reply =
      EntraJson(error.status,
                {{"error", error.error},
                 {"error_description",
                  fmt::format("AADSTS{}: {} Trace ID: {} Correlation ID: {} Timestamp: {}",
                              error.number, error.message, call.request_id, correlation_id, time)},
                 {"error_codes", json::array({error.number})},
                 {"timestamp", time},
                 {"trace_id", call.request_id},
                 {"correlation_id", correlation_id},
                 {"error_uri",
                  fmt::format("https://login.microsoftonline.com/error?code={}", error.number)}});
  reply.SetHeader("x-ms-request-id", call.request_id);
  return reply;
}

std::string Entra::TenantOf(std::string_view path) {
  for (const std::string_view end : kPaths) {
    if (!EndsWith(path, end)) continue;
    const std::string_view tenant = path.substr(0, path.size() - end.size());
    if (tenant.size() > 1 && tenant.find('/', 1) == std::string_view::npos) {
      return AsciiLower(tenant.substr(1));
    }
  }
  return {};
}

std::optional<Reply> Entra::Answer(const Call& call, const std::optional<Fault>& fault) {
  if (EqualsIgnoreCase(call.path, kInstancePath)) return InstanceDiscovery(call);
  const std::string tenant = TenantOf(call.path);
  if (tenant.empty()) return std::nullopt;
  if (EndsWith(call.path, kTokenPath)) return Token(call, tenant, fault);
  if (EndsWith(call.path, kDiscoveryPath)) return OpenIdConfiguration(tenant);
  return JsonReply(200, SigningKey::Shared().JwksJson(), "application/json; charset=utf-8");
}

Reply Entra::Token(const Call& call, const std::string& tenant_id,
                   const std::optional<Fault>& fault) {
  const auto refuse = [&](int number, const char* message) {
    return AadStsReply(call, MakeAadSts(number, message));
  };
  if (call.method != "POST") return refuse(900561, "The endpoint only accepts POST requests.");
  if (IsShared(tenant_id)) {
    return refuse(9001023, "The grant type isn't supported over this endpoint. Use the tenant's.");
  }
  std::optional<TenantSpec> tenant = directory_.Tenant(tenant_id);
  if (!tenant) return refuse(90002, "Tenant not found. Check the tenant ID and the cloud.");
  const std::string grant = call.Value("grant_type");
  if (grant.empty()) return refuse(900144, "The request body must contain 'grant_type'.");
  if (grant != "client_credentials") return refuse(70003, "The grant type is not supported.");
  std::string client_id;
  if (const auto error = CheckApp(call, *tenant, client_id)) return AadStsReply(call, *error);
  Resource resource;
  if (const auto error = CheckScope(call.Value("scope"), resource)) {
    return AadStsReply(call, *error);
  }
  if (fault && fault->kind == FaultKind::kWrongTenant) {
    if (const auto other = directory_.OtherTenant(tenant_id)) tenant = other;
  }
  const std::string demanded = call.Value("claims");
  if (!demanded.empty() && !json::parse(demanded, nullptr, false).is_object()) {
    return refuse(9002313, "Invalid request. Request is malformed or invalid.");
  }
  return Issue(call, *tenant, client_id, resource);
}

std::optional<AadSts> Entra::CheckApp(const Call& call, const TenantSpec& tenant,
                                      std::string& client_id) {
  std::string secret = call.Value("client_secret");
  client_id = call.Value("client_id");
  if (const auto basic = BasicCredentials(call)) std::tie(client_id, secret) = *basic;
  if (client_id.empty()) {
    return MakeAadSts(900144, "The request body must contain 'client_id'.");
  }
  const std::optional<AppSpec> app = directory_.App(client_id);
  if (!app) {
    return MakeAadSts(700016, "Application was not found in the directory.");
  }
  if (!app->consented.empty() &&
      std::find(app->consented.begin(), app->consented.end(), tenant.id) == app->consented.end()) {
    return MakeAadSts(7000229, "The application has no service principal in this tenant.");
  }
  if (app->disabled) return MakeAadSts(7000112, "The application is disabled.");
  if (const std::string* assertion = call.Parameter("client_assertion")) {
    if (call.Value("client_assertion_type") != kAssertionType) {
      return MakeAadSts(900144, "The request body must contain 'client_assertion_type'.");
    }
    return CheckAssertion(call, *app, *assertion);
  }
  if (secret.empty()) {
    return MakeAadSts(7000218,
                      "The request body must contain 'client_assertion' or 'client_secret'.");
  }
  if (Holds(app->secrets, secret)) return std::nullopt;
  if (Holds(app->expired_secrets, secret)) {
    return MakeAadSts(7000222, "The provided client secret keys are expired.");
  }
  return MakeAadSts(7000215,
                    "Invalid client secret provided. Ensure the secret being sent in the request "
                    "is the client secret value, not the client secret ID.");
}

std::optional<AadSts> Entra::CheckScope(const std::string& scope, Resource& resource) const {
  if (scope.empty()) return MakeAadSts(900144, "The request body must contain 'scope'.");
  if (scope.find(' ') != std::string::npos) {
    return MakeAadSts(28002, "The scope names more than one resource.");
  }
  if (!EndsWith(scope, kDefaultScope)) {
    return MakeAadSts(70011, "The scope must end in /.default.");
  }
  std::string audience = scope.substr(0, scope.size() - kDefaultScope.size());
  // A resource that ends in a slash is asked for with two.
  while (audience.ends_with('/')) audience.pop_back();
  const bool graph = audience == url_ || audience == kGraph;
  if (!graph && audience != kArm && audience != "https://management.core.windows.net") {
    return MakeAadSts(500011, "The resource principal was not found in the tenant.");
  }
  resource = {audience, graph};
  return std::nullopt;
}

Reply Entra::Issue(const Call& call, const TenantSpec& tenant, const std::string& app,
                   const Resource& resource) {
  const bool by_certificate = call.Parameter("client_assertion") != nullptr;
  const std::string id = ToString(Uuid4());
  const std::string tenant_id = ToString(tenant.id);
  const Instant expires = call.now + settings_.token_lifetime;
  json claims = {{"aud", resource.audience},
                 {"iss", "https://sts.windows.net/" + tenant_id + "/"},
                 {"iat", Seconds(call.now)},
                 {"nbf", Seconds(call.now) - 300},
                 {"exp", Seconds(expires)},
                 {"appid", app},
                 {"appidacr", by_certificate ? "2" : "1"},
                 {"idtyp", "app"},
                 {"oid", ToString(Uuid5(tenant.id, app))},
                 {"sub", ToString(Uuid5(tenant.id, app))},
                 {"tid", tenant_id},
                 {"uti", id},
                 {"ver", "1.0"}};
  // Without any role the claim is absent, and the token is issued all the same.
  if (resource.graph && !tenant.roles.empty()) claims["roles"] = tenant.roles;
  {
    const std::lock_guard lock(mutex_);
    issued_.insert(id);
    const std::string place = app + " " + tenant_id;
    if (MeetsChallenge(call)) {
      challenges_.erase(place);
    } else if (challenges_.contains(place)) {
      challenged_.insert(id);
    }
  }
  const std::int64_t lifetime = settings_.token_lifetime.ticks / kSecond.ticks;
  return EntraJson(200, {{"token_type", "Bearer"},
                         {"expires_in", lifetime},
                         {"ext_expires_in", lifetime},
                         {"access_token", SigningKey::Shared().Jwt(claims.dump())}});
}

std::optional<TokenClaims> Entra::Read(std::string_view token) {
  const auto text = SigningKey::Shared().Claims(token);
  if (!text) return std::nullopt;
  const json claims = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!claims.is_object()) return std::nullopt;
  return TokenClaims{
      .tenant = claims.value("tid", ""),
      .app = claims.value("appid", ""),
      .audience = claims.value("aud", ""),
      .id = claims.value("uti", ""),
      .roles = claims.value("roles", std::vector<std::string>()),
      .not_before = Instant::FromUnixMillis(claims.value("nbf", std::int64_t{0}) * 1000),
      .expires = Instant::FromUnixMillis(claims.value("exp", std::int64_t{0}) * 1000)};
}

bool Entra::IsRevoked(const TokenClaims& token) const {
  const std::lock_guard lock(mutex_);
  // What another simulator of this process issued is signed by the same key.
  return revoked_.contains(token.id) || !issued_.contains(token.id);
}

void Entra::Challenge(const TokenClaims& token) {
  const std::lock_guard lock(mutex_);
  revoked_.insert(token.id);
  challenges_.insert(token.app + " " + token.tenant);
}

bool Entra::IsChallenged(const TokenClaims& token) const {
  const std::lock_guard lock(mutex_);
  return challenged_.contains(token.id);
}

void Entra::RevokeAll() {
  const std::lock_guard lock(mutex_);
  revoked_.insert(issued_.begin(), issued_.end());
}

Reply Entra::OpenIdConfiguration(const std::string& tenant) const {
  const std::string base = url_ + "/" + tenant;
  return EntraJson(200, {{"issuer", base + "/v2.0"},
                         {"authorization_endpoint", base + "/oauth2/v2.0/authorize"},
                         {"token_endpoint", base + std::string(kTokenPath)},
                         {"jwks_uri", base + std::string(kKeysPath)},
                         {"token_endpoint_auth_methods_supported",
                          {"client_secret_post", "private_key_jwt", "client_secret_basic"}},
                         {"response_types_supported", {"code", "id_token", "code id_token"}},
                         {"scopes_supported", {"openid", "profile", "email", "offline_access"}},
                         {"subject_types_supported", json::array({"pairwise"})},
                         {"id_token_signing_alg_values_supported", json::array({"RS256"})},
                         {"tenant_region_scope", "EU"},
                         {"cloud_instance_name", "microsoftonline.com"},
                         {"msgraph_host", "graph.microsoft.com"}});
}

Reply Entra::InstanceDiscovery(const Call& call) const {
  const std::string endpoint = call.Value("authorization_endpoint");
  if (endpoint.substr(0, url_.size()) != url_) {
    return AadStsReply(call, MakeAadSts(50049, "Unknown or invalid instance."));
  }
  const std::string host = url_.substr(url_.find("//") + 2);
  return EntraJson(200,
                   {{"tenant_discovery_endpoint", url_ + "/common" + std::string(kDiscoveryPath)},
                    {"api-version", "1.1"},
                    {"metadata", json::array({{{"preferred_network", host},
                                               {"preferred_cache", host},
                                               {"aliases", json::array({host})}}})}});
}

}  // namespace picket::simulator

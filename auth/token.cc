#include "auth/token.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "auth/aadsts.h"
#include "base/text.h"

namespace picket::auth {
namespace {

using nlohmann::json;

Error Unexpected(std::string what) {
  return {.kind = ErrorKind::kUnexpectedReply,
          .message = "the token endpoint's answer is no token: " + std::move(what),
          .hint = "Is a proxy or a captive portal in between?"};
}

bool TooDeep(std::string_view body) {
  int depth = 0;
  for (const char c : body) {
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > 32) return true;
  }
  return false;
}

json ParseObject(std::string_view body) {
  if (body.size() > kMaxTokenResponse || TooDeep(body)) return {};
  json object = json::parse(body, nullptr, /*allow_exceptions=*/false);
  return object.is_object() ? object : json();
}

std::string Text(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

constexpr std::int64_t kLongestLife = 100'000;  // seconds; Entra's longest is a day

// Entra sends numbers; older endpoints send them as texts. In (0, kLongestLife], else nullopt.
std::optional<std::int64_t> Seconds(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return std::nullopt;
  std::int64_t value = 0;
  if (found->is_number_integer()) {
    value = found->get<std::int64_t>();
  } else if (found->is_string()) {
    const auto& text = found->get_ref<const std::string&>();
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  }
  if (value <= 0 || value > kLongestLife) return std::nullopt;
  return value;
}

// "AuditLog.Read.All": what else might stand there is not for our logs and pages.
bool IsRoleName(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

void ReadClaims(std::string_view jwt, Token& token) {
  const auto parts = Split(jwt, '.');
  if (parts.size() != 3) return;
  const json claims = ParseObject(DecodeBase64(parts[1]).bytes);
  if (!claims.is_object()) return;
  token.tenant = AsciiLower(Text(claims, "tid"));
  if (const auto app = ParseGuid(Text(claims, "appid"))) token.app = ToString(*app);
  token.roles.emplace();
  const auto roles = claims.find("roles");
  if (roles == claims.end() || !roles->is_array()) return;
  for (const json& role : *roles) {
    if (token.roles->size() == 256) break;
    if (role.is_string() && IsRoleName(role.get_ref<const std::string&>())) {
      token.roles->push_back(role.get<std::string>());
    }
  }
}

}  // namespace

Result<Token> ParseTokenResponse(std::string_view body, const Guid& tenant, Instant now) {
  const json object = ParseObject(body);
  if (!object.is_object()) return Fail(Unexpected("it is no JSON object"));
  Token token;
  std::string value = Text(object, "access_token");
  const bool sendable = !value.empty() && std::all_of(value.begin(), value.end(),
                                                      [](char c) { return c > 0x20 && c < 0x7F; });
  if (!sendable) return Fail(Unexpected("it has no access_token"));
  if (!EqualsIgnoreCase(Text(object, "token_type"), "Bearer")) {
    return Fail(Unexpected("its token_type is not Bearer"));
  }
  const std::optional<std::int64_t> lifetime = Seconds(object, "expires_in");
  if (!lifetime) return Fail(Unexpected("its expires_in makes no sense"));
  token.expires = now + kSecond * *lifetime;
  // Five minutes early, or at half of a short life; earlier where the server says so.
  const std::int64_t early = std::min<std::int64_t>(300, *lifetime / 2);
  token.refresh_from = token.expires - kSecond * early;
  if (const auto refresh = Seconds(object, "refresh_in")) {
    token.refresh_from = std::min(token.refresh_from, now + kSecond * *refresh);
  }
  ReadClaims(value, token);
  token.value = SecretString(std::move(value));
  if (!token.tenant.empty() && token.tenant != ToString(tenant)) {
    const auto other = ParseGuid(token.tenant);
    return Fail({.kind = ErrorKind::kInvalidConfig,
                 .message = fmt::format("the token is for {} and not for tenant {}",
                                        other ? "tenant " + ToString(*other) : "another tenant",
                                        ToString(tenant)),
                 .hint = "Check tenant_id and [cloud] authority.",
                 .remote_code = "tid"});
  }
  return token;
}

namespace {

// No OAuth error at all: someone in between answered, or the address is wrong.
std::optional<Error> NotFromEntra(int status) {
  Error error{
      .kind = ErrorKind::kUnexpectedReply,
      .message = fmt::format("the token endpoint answered HTTP {} with no OAuth error", status),
      .hint = "Check [cloud] authority; is a proxy or a captive portal in between?",
      .remote_code = fmt::format("{}", status)};
  if (status == 407) {
    error.kind = ErrorKind::kInvalidConfig;
    error.message = "the proxy asks for a user and a password";
    error.hint = "Set them in [network] proxy.";
  }
  if (status == 408) error.kind = ErrorKind::kTransient;
  if (status == 429 || status >= 500) return std::nullopt;  // the status says enough
  return error;
}

}  // namespace

Error ParseTokenError(std::string_view body, int status) {
  const json object = ParseObject(body);
  const std::string oauth_error = object.is_object() ? Text(object, "error") : std::string();
  std::int64_t number = 0;
  if (object.is_object()) {
    if (const auto codes = object.find("error_codes"); codes != object.end() && codes->is_array() &&
                                                       !codes->empty() &&
                                                       codes->front().is_number_integer()) {
      number = codes->front().get<std::int64_t>();
    }
  }
  if (number <= 0 && oauth_error.empty()) {
    if (std::optional<Error> error = NotFromEntra(status)) return *std::move(error);
  }
  const AadstsMeaning meaning = MeaningOf(number, oauth_error, status);
  Error error{
      .kind = meaning.kind,
      .message = std::string(meaning.message),
      .hint = std::string(meaning.remedy),
      .remote_code = number > 0 ? fmt::format("AADSTS{}", number) : fmt::format("{}", status)};
  if (meaning.wait.count() > 0) error.retry_after = meaning.wait;
  error.message += fmt::format(" ({})", error.remote_code);
  return error;
}

}  // namespace picket::auth

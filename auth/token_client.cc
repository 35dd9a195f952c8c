#include "auth/token_client.h"

#include <algorithm>

#include "auth/client_assertion.h"
#include "base/log.h"

namespace picket::auth {
namespace {

// Longer waits are asked for by mistakes.
constexpr std::chrono::milliseconds kLongestWait = std::chrono::hours(1);

void AddField(std::string& form, std::string_view name, std::string_view value) {
  form += (form.empty() ? "" : "&") + std::string(name) + "=" + PercentEncode(value);
}

Result<SecretString> Required(const std::optional<SecretRef>& ref, const char* key) {
  if (ref) return ReadSecret(*ref);
  return Fail({.kind = ErrorKind::kInvalidConfig,
               .message = std::string("[app] has no ") + key,
               .hint = "Add it as a secret reference."});
}

// What Microsoft's support asks for. Only what has the shape of an id or a time is taken over.
void LogRefusal(const Error& error, const HttpResponse& response, const HttpRequest& request) {
  const auto header = [&response](std::string_view name) {
    return std::string(FindHeader(response.headers, name).value_or(""));
  };
  const auto id = ParseGuid(header("x-ms-request-id"));
  const auto date = ParseHttpDate(header("Date"));
  Log(LogLevel::kWarn, "auth.refused", "The token endpoint gave no token",
      {{"status", std::int64_t{response.status}},
       {"kind", std::string(ErrorKindName(error.kind))},
       {"code", error.remote_code},
       {"request_id", id ? ToString(*id) : std::string()},
       {"client_request_id",
        std::string(FindHeader(request.headers, "client-request-id").value_or(""))},
       {"date", date ? FormatGraph(*date) : std::string()}});
}

}  // namespace

Result<Certificate> LoadCertificate(const AppSettings& app, Instant now) {
  PK_ASSIGN_OR_RETURN(const SecretString bytes, Required(app.certificate, "certificate"));
  SecretString password;
  if (app.certificate_password) {
    PK_ASSIGN_OR_RETURN(password, ReadSecret(*app.certificate_password));
  }
  PK_ASSIGN_OR_RETURN(Certificate certificate,
                      Certificate::Load(bytes.Reveal(), password.Reveal()));
  PK_RETURN_IF_ERROR(certificate.CheckValidity(now));
  return certificate;
}

Result<Token> TokenClient::Request(const AppSettings& app, const Guid& tenant,
                                   std::string_view audience, std::string_view claims,
                                   std::stop_token stop) const {
  const std::string endpoint = authority_ + "/" + ToString(tenant) + "/oauth2/v2.0/token";
  const Instant now = clock_.Now();
  std::string form;
  AddField(form, "client_id", app.client_id);
  AddField(form, "scope", std::string(audience) + "/.default");
  AddField(form, "grant_type", "client_credentials");
  if (app.by_certificate) {
    PK_ASSIGN_OR_RETURN(const Certificate certificate, LoadCertificate(app, now));
    PK_ASSIGN_OR_RETURN(
        const std::string assertion,
        MakeClientAssertion(certificate, app.algorithm, app.client_id, endpoint, now));
    AddField(form, "client_assertion_type",
             "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    AddField(form, "client_assertion", assertion);
  } else {
    PK_ASSIGN_OR_RETURN(const SecretString secret, Required(app.client_secret, "client_secret"));
    AddField(form, "client_secret", secret.Reveal());
  }
  if (!claims.empty()) AddField(form, "claims", claims);

  HttpRequest request{.method = "POST",
                      .url = endpoint,
                      .headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                                  {"Accept", "application/json"},
                                  {"client-request-id", ToString(Uuid4())}},
                      .body = std::move(form),
                      .timeout = std::chrono::seconds(60),
                      .max_body = kMaxTokenResponse};
  Result<HttpResponse> response = transport_.Send(request, std::move(stop));
  // The form holds the secret; the transport's errors hold none of it.
  request.body.assign(request.body.size(), '\0');
  if (!response) return Fail(std::move(response).error().In("token"));
  if (response->status == 200) {
    Result<Token> token = ParseTokenResponse(response->body, tenant, now);
    if (!token) LogRefusal(token.error(), *response, request);
    return token;
  }
  Error error = ParseTokenError(response->body, response->status);
  if (const auto wait = RetryAfter(response->headers, now)) {
    if (error.kind == ErrorKind::kTransient) error.kind = ErrorKind::kThrottled;
    if (error.kind == ErrorKind::kThrottled) {
      error.retry_after = std::min<std::chrono::milliseconds>(*wait, kLongestWait);
    }
  }
  LogRefusal(error, *response, request);
  return Fail(std::move(error));
}

}  // namespace picket::auth

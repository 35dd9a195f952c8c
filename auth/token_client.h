#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "auth/certificate.h"
#include "auth/token.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/uuid.h"

namespace picket::auth {

// One app registration: who we are, and how we prove it. [app] or [app.NAME] of the config. Secrets
// are read when a token is asked for, so that a rotated one is seen.
struct AppSettings {
  std::string name;  // "" for [app]
  std::string client_id;
  bool by_certificate = true;
  std::optional<SecretRef> certificate;
  std::optional<SecretRef> certificate_password;
  SigningAlgorithm algorithm = SigningAlgorithm::kPs256;
  std::optional<SecretRef> client_secret;
};

// Loads the certificate, checks its key and its validity. For `validate`, and before use.
Result<Certificate> LoadCertificate(const AppSettings& app, Instant now);

// Asks Entra's v2.0 token endpoint by client credentials. Thread-safe.
class TokenClient {
 public:
  TokenClient(HttpTransport& transport, const Clock& clock, std::string authority)
      : transport_(transport), clock_(clock), authority_(std::move(authority)) {
    while (authority_.ends_with('/')) authority_.pop_back();
  }

  // `claims`: what a resource demanded of the next token (JSON), "" usually.
  // Errors by kind: kInvalidConfig (the local credential is unusable: no remote_code; or Entra does
  // not know tenant, application or service), kAuth, kPermission, kThrottled (always with
  // retry_after: a 429, or a 5xx that says when), kTransient, kUnexpectedReply, kCancelled. None
  // holds text of the other side. A refusal is logged with what Microsoft's support asks for.
  [[nodiscard]] Result<Token> Request(const AppSettings& app, const Guid& tenant,
                                      std::string_view audience, std::string_view claims,
                                      std::stop_token stop) const;

 private:
  HttpTransport& transport_;
  const Clock& clock_;
  std::string authority_;
};

}  // namespace picket::auth

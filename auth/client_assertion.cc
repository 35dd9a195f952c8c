#include "auth/client_assertion.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/uuid.h"

namespace picket::auth {

Result<std::string> MakeClientAssertion(const Certificate& certificate, SigningAlgorithm algorithm,
                                        std::string_view client_id, std::string_view token_endpoint,
                                        Instant now) {
  PK_RETURN_IF_ERROR(certificate.CheckValidity(now));
  nlohmann::json header = {{"typ", "JWT"}};
  if (algorithm == SigningAlgorithm::kPs256) {
    header["alg"] = "PS256";
    header["x5t#S256"] = certificate.thumbprint_sha256();
  } else {
    if (certificate.thumbprint_sha1().empty()) {
      return Fail({.kind = ErrorKind::kInvalidConfig,
                   .message = "this machine's cryptographic policy forbids SHA-1, which x5t needs",
                   .hint = "Set signing = \"PS256\"."});
    }
    header["alg"] = "RS256";
    header["x5t"] = certificate.thumbprint_sha1();
  }
  const std::int64_t seconds = now.UnixMillis() / 1000;
  const nlohmann::json claims = {{"aud", token_endpoint},    {"iss", client_id}, {"sub", client_id},
                                 {"jti", ToString(Uuid4())}, {"nbf", seconds},   {"iat", seconds},
                                 {"exp", seconds + 600}};
  const std::string text = Base64UrlEncode(header.dump()) + "." + Base64UrlEncode(claims.dump());
  PK_ASSIGN_OR_RETURN(const std::string signature, certificate.Sign(text, algorithm));
  return text + "." + Base64UrlEncode(signature);
}

}  // namespace picket::auth

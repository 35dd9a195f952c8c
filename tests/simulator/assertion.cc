// The check of client assertions (RFC 7523 with Entra's rules).

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "tests/simulator/certificates.h"
#include "tests/simulator/entra.h"

namespace picket::simulator {
namespace {

using nlohmann::json;

constexpr std::int64_t kAllowedSkewSeconds = 300;

struct Assertion {
  json header, claims;
  std::string signed_part, signature;
};

std::string TextOf(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<std::int64_t> SecondsOf(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<std::int64_t>();
}

std::optional<Assertion> Split3(const std::string& jwt) {
  const auto parts = Split(jwt, '.');
  if (parts.size() != 3) return std::nullopt;
  Assertion assertion{
      .header = json::parse(Base64UrlDecode(parts[0]), nullptr, /*allow_exceptions=*/false),
      .claims = json::parse(Base64UrlDecode(parts[1]), nullptr, /*allow_exceptions=*/false),
      .signed_part = fmt::format("{}.{}", parts[0], parts[1]),
      .signature = Base64UrlDecode(parts[2])};
  if (!assertion.header.is_object() || !assertion.claims.is_object()) return std::nullopt;
  // Padding and the other base64 are refused, as RFC 7515 has it.
  if (jwt.find_first_of("=+/") != std::string::npos) return std::nullopt;
  return assertion;
}

// The registered certificate that the header names; null for none.
CertificatePtr FindCertificate(const json& header, const AppSpec& app) {
  const std::string sha256 = TextOf(header, "x5t#S256");
  const std::string sha1 = TextOf(header, "x5t");
  for (const std::string& pem : app.certificates) {
    CertificatePtr certificate = CertificateFromPem(pem);
    if (certificate == nullptr) continue;
    if ((!sha256.empty() && sha256 == Base64UrlEncode(Sha256Of(certificate.get()))) ||
        (!sha1.empty() && sha1 == Base64UrlEncode(Sha1Of(certificate.get())))) {
      return certificate;
    }
  }
  return nullptr;
}

std::optional<AadSts> CheckSignature(const Assertion& assertion, const AppSpec& app) {
  const std::string algorithm = TextOf(assertion.header, "alg");
  if (algorithm != "PS256" && algorithm != "RS256") {
    return MakeAadSts(50027, "JWT token is invalid or malformed: unsupported 'alg'.");
  }
  const CertificatePtr certificate = FindCertificate(assertion.header, app);
  if (certificate == nullptr) {
    return MakeAadSts(700027,
                      "The certificate with identifier used to sign the client assertion is not "
                      "registered on application. [Reason - The key was not found.]");
  }
  if (X509_cmp_current_time(X509_get0_notAfter(certificate.get())) < 0) {
    return MakeAadSts(700027,
                      "Client assertion failed signature validation. "
                      "[Reason - The key used is expired.]");
  }
  if (!VerifyRsa(X509_get0_pubkey(certificate.get()),
                 algorithm == "PS256" ? JwtAlgorithm::kPs256 : JwtAlgorithm::kRs256,
                 assertion.signed_part, assertion.signature)) {
    return MakeAadSts(700027, "Client assertion failed signature validation.");
  }
  return std::nullopt;
}

}  // namespace

std::optional<AadSts> Entra::CheckAssertion(const Call& call, const AppSpec& app,
                                            const std::string& jwt) {
  const std::optional<Assertion> assertion = Split3(jwt);
  if (!assertion) return MakeAadSts(50027, "JWT token is invalid or malformed.");
  if (auto error = CheckSignature(*assertion, app)) return error;
  const json& claims = assertion->claims;
  const std::string subject = TextOf(claims, "sub");
  const std::string issuer = TextOf(claims, "iss");
  if (subject != issuer) {
    return MakeAadSts(50048, "Subject must match Issuer claim in the client assertion.");
  }
  if (!EqualsIgnoreCase(issuer, app.client_id)) {
    return MakeAadSts(50027, "JWT token is invalid or malformed: 'iss' is not the client.");
  }
  const std::string audience = TextOf(claims, "aud");
  if (audience != url_ + call.path) {
    return MakeAadSts(50027, "JWT token is invalid or malformed: 'aud' is not this endpoint.");
  }
  const auto expires = SecondsOf(claims, "exp");
  const auto not_before = SecondsOf(claims, "nbf");
  if (!expires || TextOf(claims, "jti").empty()) {
    return MakeAadSts(50027, "JWT token is invalid or malformed: 'exp' or 'jti' is missing.");
  }
  const std::int64_t now = call.now.UnixMillis() / 1000;
  if (*expires + kAllowedSkewSeconds < now ||
      (not_before && *not_before - kAllowedSkewSeconds > now)) {
    return MakeAadSts(
        700024, fmt::format("Client assertion is not within its valid time range. Current time: "
                            "{}, expiry time of assertion {}.",
                            FormatRfc3339(call.now),
                            FormatRfc3339(Instant::FromUnixMillis(*expires * 1000))));
  }
  if (!settings_.refuse_replays) return std::nullopt;
  const std::lock_guard lock(mutex_);
  std::erase_if(seen_assertions_, [&](const auto& seen) { return seen.second < call.now; });
  const Instant end = Instant::FromUnixMillis((*expires + kAllowedSkewSeconds) * 1000);
  if (!seen_assertions_.emplace(issuer + " " + TextOf(claims, "jti"), end).second) {
    return MakeAadSts(50027, "JWT token is invalid or malformed: 'jti' was used before.");
  }
  return std::nullopt;
}

}  // namespace picket::simulator

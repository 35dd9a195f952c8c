#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace picket::simulator {

struct KeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct CertificateFree {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, KeyFree>;
using CertificatePtr = std::unique_ptr<X509, CertificateFree>;

struct Identity {
  KeyPtr key;
  CertificatePtr certificate;
};

// A certification authority, and a server certificate of it for 127.0.0.1, ::1 and localhost; made
// anew for each of them, so that nothing trusts another's. Valid by the machine's clock.
class ServerIdentity {
 public:
  ServerIdentity();
  [[nodiscard]] const std::string& ca_pem() const { return ca_pem_; }
  // Key, chain and TLS 1.2 as the least.
  [[nodiscard]] bool Setup(SSL_CTX& context) const;

 private:
  Identity server_;
  CertificatePtr ca_;
  std::string ca_pem_;
};

// What an application proves itself with: a self-signed certificate of a 2048-bit RSA key.
struct AppCertificate {
  std::string certificate_pem, key_pem;
  std::string sha1_hex, sha256_base64url;  // thumbprints
};
AppCertificate MakeAppCertificate(const std::string& name);

std::string Base64UrlDecode(std::string_view text);  // up to the first character that is none
std::string Sha1Of(const X509* certificate);         // raw digests of the DER form
std::string Sha256Of(const X509* certificate);
CertificatePtr CertificateFromPem(const std::string& pem);

enum class JwtAlgorithm { kRs256, kPs256 };  // PS256: MGF1 SHA-256, salt of 32 bytes
bool VerifyRsa(EVP_PKEY* key, JwtAlgorithm algorithm, std::string_view message,
               std::string_view signature);

// A key that signs access tokens (RS256). One a process: making it is slow.
class SigningKey {
 public:
  static const SigningKey& Shared();
  [[nodiscard]] const std::string& id() const { return id_; }
  // header.payload.signature; `claims` is a JSON object.
  [[nodiscard]] std::string Jwt(std::string_view claims) const;
  // The claims (JSON) of a token that this key signed.
  [[nodiscard]] std::optional<std::string> Claims(std::string_view jwt) const;
  [[nodiscard]] std::string JwksJson() const;

 private:
  SigningKey();
  KeyPtr key_;
  std::string id_, modulus_, exponent_;
};

}  // namespace picket::simulator

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

struct evp_pkey_st;

namespace picket::auth {

// How an assertion is signed. PS256 with x5t#S256 is what Entra asks for; RS256 with x5t is for
// servers that know no better.
enum class SigningAlgorithm : std::uint8_t { kPs256, kRs256 };

// A certificate with its private key. Movable; the key leaves it only as signatures.
class Certificate {
 public:
  // PEM (certificate and key in one text, in any order, the key possibly encrypted; of a chain the
  // certificate of the key is taken) or PFX. kInvalidConfig names what is wrong: no key, no
  // certificate, a key of another certificate, no RSA key of 2048 bits or more, a wrong password.
  static Result<Certificate> Load(std::string_view bytes, std::string_view password);

  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;
  Certificate(Certificate&&) noexcept;
  Certificate& operator=(Certificate&&) noexcept;
  ~Certificate();

  // kInvalidConfig when it is not valid at the time.
  [[nodiscard]] Status CheckValidity(Instant now) const;
  [[nodiscard]] Instant not_after() const { return not_after_; }
  // base64url of the thumbprint: SHA-256 or SHA-1 of the DER certificate. SHA-1's is "" where the
  // machine's policy forbids SHA-1.
  [[nodiscard]] const std::string& thumbprint_sha256() const { return sha256_; }
  [[nodiscard]] const std::string& thumbprint_sha1() const { return sha1_; }
  // The raw signature. RSASSA-PSS with a salt of the digest's length (RFC 7518 §3.5), or PKCS #1.
  [[nodiscard]] Result<std::string> Sign(std::string_view text, SigningAlgorithm algorithm) const;

 private:
  struct KeyFree {
    void operator()(evp_pkey_st* key) const;
  };
  Certificate() = default;
  std::unique_ptr<evp_pkey_st, KeyFree> key_;
  std::string sha256_, sha1_;
  Instant not_before_, not_after_;
};

}  // namespace picket::auth

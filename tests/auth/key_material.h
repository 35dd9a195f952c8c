#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/time.h"

namespace picket::auth {

// Keys and certificates made for the tests, straight by OpenSSL.
struct KeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct X509Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Key = std::unique_ptr<EVP_PKEY, KeyFree>;
using Cert = std::unique_ptr<X509, X509Free>;

Key MakeRsaKey(unsigned bits);
Key MakeEcKey();
Cert MakeCert(EVP_PKEY* key, std::string_view name, Instant from, Instant until);

std::string PemOf(X509* certificate);
// Encrypted (PKCS #8, AES-256) when there is a password.
std::string PemOf(EVP_PKEY* key, std::string_view password = "");
std::string PfxOf(EVP_PKEY* key, X509* certificate, const std::string& password);
std::string DerOf(X509* certificate);

// One RSA key of 2048 bits and its certificate, valid from a day before the tests' time for a year;
// made once, for making keys is slow.
EVP_PKEY* SharedKey();
X509* SharedCert();
Instant TestTime();

// The bytes of base64url without padding.
std::string FromBase64Url(std::string_view text);

}  // namespace picket::auth

#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace picket {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeContext>;

// Whose certificate, and until when, in seconds from now.
struct CertificateWish {
  std::string name = "DNS:graph.test,IP:127.0.0.1";
  long not_before = -3600;
  long not_after = 3600;
};

// An authority made for one test.
class TestAuthority {
 public:
  TestAuthority();
  [[nodiscard]] std::string Pem() const;
  // The context of a server that shows such a certificate.
  [[nodiscard]] TlsContext Server(const CertificateWish& wish = {}) const;

 private:
  std::unique_ptr<EVP_PKEY, FreeKey> key_;
  std::unique_ptr<X509, FreeCertificate> certificate_;
};

}  // namespace picket

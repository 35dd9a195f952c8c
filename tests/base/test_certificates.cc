#include "tests/base/test_certificates.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/result.h"

namespace picket {
namespace {

std::unique_ptr<EVP_PKEY, FreeKey> NewKey() {
  return std::unique_ptr<EVP_PKEY, FreeKey>(EVP_EC_gen("P-256"));
}

void AddExtension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  PK_CHECK(extension != nullptr, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

std::unique_ptr<X509, FreeCertificate> NewCertificate(const char* common_name, EVP_PKEY* key,
                                                      long not_before, long not_after) {
  std::unique_ptr<X509, FreeCertificate> certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  std::uint32_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), not_before);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), not_after);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name), -1, -1, 0);
  return certificate;
}

}  // namespace

TestAuthority::TestAuthority()
    : key_(NewKey()), certificate_(NewCertificate("Test authority", key_.get(), -7200, 7200)) {
  X509* ca = certificate_.get();
  X509_set_issuer_name(ca, X509_get_subject_name(ca));
  AddExtension(ca, ca, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(ca, ca, NID_key_usage, "critical,keyCertSign");
  AddExtension(ca, ca, NID_subject_key_identifier, "hash");
  PK_CHECK(X509_sign(ca, key_.get(), EVP_sha256()) > 0, "cannot sign");
}

std::string TestAuthority::Pem() const {
  BIO* memory = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(memory, certificate_.get());
  const char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(memory);
  return pem;
}

TlsContext TestAuthority::Server(const CertificateWish& wish) const {
  const auto key = NewKey();
  const auto certificate =
      NewCertificate("Test server", key.get(), wish.not_before, wish.not_after);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate_.get()));
  AddExtension(certificate.get(), certificate_.get(), NID_subject_alt_name, wish.name.c_str());
  PK_CHECK(X509_sign(certificate.get(), key_.get(), EVP_sha256()) > 0, "cannot sign");
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_use_certificate(context.get(), certificate.get());
  SSL_CTX_use_PrivateKey(context.get(), key.get());
  return context;
}

}  // namespace picket

#include "tests/auth/key_material.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <vector>

#include "tests/auth/fakes.h"

namespace picket::auth {
namespace {

struct BioFree {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using Bio = std::unique_ptr<BIO, BioFree>;

std::string Drain(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

}  // namespace

Key MakeRsaKey(unsigned bits) { return Key(EVP_RSA_gen(bits)); }
Key MakeEcKey() { return Key(EVP_EC_gen("P-256")); }

Cert MakeCert(EVP_PKEY* key, std::string_view name, Instant from, Instant until) {
  Cert cert(X509_new());
  X509_set_version(cert.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 7);
  ASN1_TIME_set(X509_getm_notBefore(cert.get()), from.UnixMillis() / 1000);
  ASN1_TIME_set(X509_getm_notAfter(cert.get()), until.UnixMillis() / 1000);
  X509_set_pubkey(cert.get(), key);
  X509_NAME* subject = X509_get_subject_name(cert.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.data()),
                             static_cast<int>(name.size()), -1, 0);
  X509_set_issuer_name(cert.get(), subject);
  X509_sign(cert.get(), key, EVP_sha256());
  return cert;
}

std::string PemOf(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return Drain(bio.get());
}

std::string PemOf(EVP_PKEY* key, std::string_view password) {
  const Bio bio(BIO_new(BIO_s_mem()));
  const EVP_CIPHER* cipher = password.empty() ? nullptr : EVP_aes_256_cbc();
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, cipher, password.data(),
                                static_cast<int>(password.size()), nullptr, nullptr);
  return Drain(bio.get());
}

std::string PfxOf(EVP_PKEY* key, X509* certificate, const std::string& password) {
  PKCS12* pfx = PKCS12_create(password.c_str(), "picket", key, certificate, nullptr, 0, 0, 0, 0, 0);
  const Bio bio(BIO_new(BIO_s_mem()));
  i2d_PKCS12_bio(bio.get(), pfx);
  PKCS12_free(pfx);
  return Drain(bio.get());
}

std::string DerOf(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  i2d_X509_bio(bio.get(), certificate);
  return Drain(bio.get());
}

Instant TestTime() { return Instant::FromUnixMillis(kStartMillis); }

EVP_PKEY* SharedKey() {
  static const Key key = MakeRsaKey(2048);
  return key.get();
}

X509* SharedCert() {
  static const Cert cert =
      MakeCert(SharedKey(), "shared", TestTime() - kDay, TestTime() + kDay * 365);
  return cert.get();
}

std::string FromBase64Url(std::string_view text) {
  std::string padded(text);
  std::replace(padded.begin(), padded.end(), '-', '+');
  std::replace(padded.begin(), padded.end(), '_', '/');
  const std::size_t padding = (4 - padded.size() % 4) % 4;
  padded.append(padding, '=');
  std::vector<unsigned char> bytes(padded.size());
  const int size =
      EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(padded.data()),
                      static_cast<int>(padded.size()));
  if (size < 0) return {};
  return {reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(size) - padding};
}

}  // namespace picket::auth

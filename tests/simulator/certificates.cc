#include "tests/simulator/certificates.h"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <array>

#include "base/result.h"
#include "base/text.h"
#include "base/uuid.h"

namespace picket::simulator {
namespace {

constexpr long kDaySeconds = 86'400;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

template <class Write>
std::string Pem(Write write) {
  BIO* bio = BIO_new(BIO_s_mem());
  write(bio);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

std::string PemOf(X509* certificate) {
  return Pem([&](BIO* bio) { PEM_write_bio_X509(bio, certificate); });
}

void AddExtension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  PK_CHECK(extension != nullptr, "OpenSSL knows the extension");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// `issuer` null: self-signed.
CertificatePtr Certify(EVP_PKEY* key, const std::string& name, X509* issuer) {
  CertificatePtr certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  std::array<unsigned char, 16> serial{};
  RAND_bytes(serial.data(), static_cast<int>(serial.size()));
  serial[0] = (serial[0] & 0x7fU) | 0x40U;
  BIGNUM* number = BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate.get()));
  BN_free(number);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kDaySeconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kDaySeconds * 365);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, Bytes(name), -1, -1, 0);
  X509_set_issuer_name(certificate.get(),
                       issuer != nullptr ? X509_get_subject_name(issuer) : subject);
  return certificate;
}

std::string Digest(const X509* certificate, const EVP_MD* algorithm) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  X509_digest(certificate, algorithm, digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02X}", static_cast<unsigned char>(c));
  return text;
}

std::string NumberOf(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key, name, &number);
  PK_CHECK(number != nullptr, "an RSA key has the number");
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  BN_free(number);
  return bytes;
}

struct DigestContext {
  EVP_MD_CTX* md = EVP_MD_CTX_new();
  DigestContext() = default;
  ~DigestContext() { EVP_MD_CTX_free(md); }
  DigestContext(const DigestContext&) = delete;
  DigestContext& operator=(const DigestContext&) = delete;
};

}  // namespace

ServerIdentity::ServerIdentity() {
  const KeyPtr ca_key(EVP_EC_gen("P-256"));
  ca_ = Certify(ca_key.get(), "Simulator CA " + ToString(Uuid4()), nullptr);
  AddExtension(ca_.get(), ca_.get(), NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(ca_.get(), ca_.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  AddExtension(ca_.get(), ca_.get(), NID_subject_key_identifier, "hash");
  X509_sign(ca_.get(), ca_key.get(), EVP_sha256());
  ca_pem_ = PemOf(ca_.get());

  server_.key = KeyPtr(EVP_EC_gen("P-256"));
  server_.certificate = Certify(server_.key.get(), "localhost", ca_.get());
  X509* certificate = server_.certificate.get();
  AddExtension(certificate, ca_.get(), NID_basic_constraints, "critical,CA:FALSE");
  AddExtension(certificate, ca_.get(), NID_key_usage, "critical,digitalSignature");
  AddExtension(certificate, ca_.get(), NID_ext_key_usage, "serverAuth");
  AddExtension(certificate, ca_.get(), NID_subject_alt_name,
               "IP:127.0.0.1,IP:0:0:0:0:0:0:0:1,DNS:localhost");
  AddExtension(certificate, ca_.get(), NID_authority_key_identifier, "keyid");
  X509_sign(certificate, ca_key.get(), EVP_sha256());
}

bool ServerIdentity::Setup(SSL_CTX& context) const {
  return SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_use_certificate(&context, server_.certificate.get()) == 1 &&
         SSL_CTX_use_PrivateKey(&context, server_.key.get()) == 1 &&
         SSL_CTX_add1_chain_cert(&context, ca_.get()) == 1;
}

AppCertificate MakeAppCertificate(const std::string& name) {
  const KeyPtr key(EVP_RSA_gen(2048));
  const CertificatePtr certificate = Certify(key.get(), name, nullptr);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  return {.certificate_pem = PemOf(certificate.get()),
          .key_pem = Pem([&](BIO* bio) {
            PEM_write_bio_PKCS8PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          }),
          .sha1_hex = Hex(Sha1Of(certificate.get())),
          .sha256_base64url = Base64UrlEncode(Sha256Of(certificate.get()))};
}

std::string Base64UrlDecode(std::string_view text) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string bytes;
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const char c : text) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) break;
    buffer = buffer << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(buffer >> bits & 0xffU);
  }
  return bytes;
}

std::string Sha1Of(const X509* certificate) { return Digest(certificate, EVP_sha1()); }
std::string Sha256Of(const X509* certificate) { return Digest(certificate, EVP_sha256()); }

CertificatePtr CertificateFromPem(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  CertificatePtr certificate(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
  BIO_free(bio);
  return certificate;
}

bool VerifyRsa(EVP_PKEY* key, JwtAlgorithm algorithm, std::string_view message,
               std::string_view signature) {
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) return false;
  const DigestContext context;
  EVP_PKEY_CTX* settings = nullptr;
  if (EVP_DigestVerifyInit(context.md, &settings, EVP_sha256(), nullptr, key) != 1) return false;
  if (algorithm == JwtAlgorithm::kPs256 &&
      (EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_mgf1_md(settings, EVP_sha256()) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  return EVP_DigestVerify(context.md, Bytes(signature), signature.size(), Bytes(message),
                          message.size()) == 1;
}

SigningKey::SigningKey()
    : key_(EVP_RSA_gen(2048)),
      id_(Base64UrlEncode(ToString(Uuid4()).substr(0, 21))),
      modulus_(NumberOf(key_.get(), OSSL_PKEY_PARAM_RSA_N)),
      exponent_(NumberOf(key_.get(), OSSL_PKEY_PARAM_RSA_E)) {}

const SigningKey& SigningKey::Shared() {
  static const SigningKey key;
  return key;
}

std::string SigningKey::Jwt(std::string_view claims) const {
  const std::string header =
      fmt::format(R"({{"typ":"JWT","alg":"RS256","x5t":"{0}","kid":"{0}"}})", id_);
  std::string token = Base64UrlEncode(header) + "." + Base64UrlEncode(claims);
  const DigestContext context;
  EVP_DigestSignInit(context.md, nullptr, EVP_sha256(), nullptr, key_.get());
  std::size_t size = 0;
  EVP_DigestSign(context.md, nullptr, &size, Bytes(token), token.size());
  std::string signature(size, '\0');
  EVP_DigestSign(context.md, reinterpret_cast<unsigned char*>(signature.data()), &size,
                 Bytes(token), token.size());
  signature.resize(size);
  return token + "." + Base64UrlEncode(signature);
}

std::optional<std::string> SigningKey::Claims(std::string_view jwt) const {
  const std::size_t last = jwt.rfind('.');
  const std::size_t first = jwt.find('.');
  if (last == std::string_view::npos || first == last) return std::nullopt;
  const std::string signature = Base64UrlDecode(jwt.substr(last + 1));
  if (!VerifyRsa(key_.get(), JwtAlgorithm::kRs256, jwt.substr(0, last), signature)) {
    return std::nullopt;
  }
  return Base64UrlDecode(jwt.substr(first + 1, last - first - 1));
}

std::string SigningKey::JwksJson() const {
  return fmt::format(
      R"({{"keys":[{{"kty":"RSA","use":"sig","kid":"{0}","x5t":"{0}","n":"{1}","e":"{2}"}}]}})",
      id_, Base64UrlEncode(modulus_), Base64UrlEncode(exponent_));
}

}  // namespace picket::simulator

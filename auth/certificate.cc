#include "auth/certificate.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs12err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <vector>

#include "base/text.h"

namespace picket::auth {
namespace {

template <auto kFree>
struct FreeWith {
  template <class T>
  void operator()(T* handle) const {
    kFree(handle);
  }
};
using Bio = std::unique_ptr<BIO, FreeWith<&BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, FreeWith<&X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<&EVP_PKEY_free>>;
using Pkcs12Ptr = std::unique_ptr<PKCS12, FreeWith<&PKCS12_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeWith<&EVP_MD_CTX_free>>;

Error Bad(std::string message, std::string hint) {
  ERR_clear_error();  // a stale error must not confuse the next call
  return {
      .kind = ErrorKind::kInvalidConfig, .message = std::move(message), .hint = std::move(hint)};
}

int GivePassword(char* buffer, int size, int /*encrypting*/, void* password) {
  const auto& text = *static_cast<const std::string_view*>(password);
  if (text.size() > static_cast<std::size_t>(size)) return -1;
  std::copy(text.begin(), text.end(), buffer);
  return static_cast<int>(text.size());
}

// Far more than any; and within int.
constexpr std::size_t kMaxFile = std::size_t{1} << 20;
constexpr int kMaxChain = 16;

Bio MemoryBio(std::string_view bytes) {
  return Bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

std::string Thumbprint(X509* certificate, const EVP_MD* digest) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  if (X509_digest(certificate, digest, bytes.data(), &size) != 1) return {};
  return Base64UrlEncode({reinterpret_cast<const char*>(bytes.data()), size});
}

Instant TimeOf(const ASN1_TIME* time) {
  std::tm tm{};
  if (ASN1_TIME_to_tm(time, &tm) != 1) return Instant{};
  return FromCivil({.year = tm.tm_year + 1900,
                    .month = tm.tm_mon + 1,
                    .day = tm.tm_mday,
                    .hour = tm.tm_hour,
                    .minute = tm.tm_min,
                    .second = tm.tm_sec});
}

struct Parts {
  X509Ptr certificate;
  KeyPtr key;
};

Result<Parts> LoadPem(std::string_view bytes, std::string_view password) {
  Parts parts;
  parts.key.reset(
      PEM_read_bio_PrivateKey(MemoryBio(bytes).get(), nullptr, &GivePassword, &password));
  if (!parts.key) {
    const bool encrypted = bytes.find("ENCRYPTED") != std::string_view::npos;
    return Fail(encrypted ? Bad("the private key is encrypted, and the password does not open it",
                                "Set certificate_password.")
                          : Bad("the certificate file holds no private key",
                                "Put certificate and private key into one PEM file."));
  }
  const Bio bio = MemoryBio(bytes);
  for (int i = 0; i < kMaxChain; ++i) {
    X509Ptr next(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!next) break;
    const bool of_key = X509_check_private_key(next.get(), parts.key.get()) == 1;
    if (of_key || !parts.certificate) parts.certificate = std::move(next);
    if (of_key) break;
  }
  if (!parts.certificate) {
    return Fail(Bad("the certificate file holds no certificate",
                    "Put certificate and private key into one PEM file."));
  }
  return parts;
}

Result<Parts> LoadPfx(std::string_view bytes, std::string_view password) {
  const Pkcs12Ptr pfx(d2i_PKCS12_bio(MemoryBio(bytes).get(), nullptr));
  if (!pfx)
    return Fail(Bad("the certificate file is neither PEM nor PFX",
                    "Export the certificate with its private key as PEM or PFX."));
  Parts parts;
  X509* certificate = nullptr;
  EVP_PKEY* key = nullptr;
  std::string text(password);
  const int parsed = PKCS12_parse(pfx.get(), text.c_str(), &key, &certificate, nullptr);
  OPENSSL_cleanse(text.data(), text.size());
  parts.certificate.reset(certificate);
  parts.key.reset(key);
  if (parsed != 1) {
    const unsigned long code = ERR_peek_last_error();
    const bool wrong =
        ERR_GET_LIB(code) == ERR_LIB_PKCS12 && ERR_GET_REASON(code) == PKCS12_R_MAC_VERIFY_FAILURE;
    return Fail(wrong ? Bad("the password does not open the PFX file", "Set certificate_password.")
                      : Bad("the PFX file is damaged, or encrypted in a way that is out of date",
                            "Export it again with AES-256 encryption."));
  }
  if (!parts.certificate || !parts.key) {
    return Fail(
        Bad("the PFX file lacks the certificate or its private key", "Export both together."));
  }
  return parts;
}

}  // namespace

void Certificate::KeyFree::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }
Certificate::Certificate(Certificate&&) noexcept = default;
Certificate& Certificate::operator=(Certificate&&) noexcept = default;
Certificate::~Certificate() = default;

Result<Certificate> Certificate::Load(std::string_view bytes, std::string_view password) {
  if (bytes.size() > kMaxFile) return Fail(Bad("the certificate file is too large", ""));
  const bool pem = bytes.find("-----BEGIN") != std::string_view::npos;
  PK_ASSIGN_OR_RETURN(Parts parts, pem ? LoadPem(bytes, password) : LoadPfx(bytes, password));
  if (X509_check_private_key(parts.certificate.get(), parts.key.get()) != 1) {
    return Fail(Bad("the private key belongs to another certificate",
                    "Put the key and the certificate that were made together into the file."));
  }
  if (EVP_PKEY_get_base_id(parts.key.get()) != EVP_PKEY_RSA ||
      EVP_PKEY_get_bits(parts.key.get()) < 2048) {
    return Fail(Bad("the key must be RSA with 2048 bits or more",
                    "Entra takes no others for applications."));
  }
  ERR_clear_error();  // of formats that were tried in vain
  Certificate certificate;
  certificate.sha256_ = Thumbprint(parts.certificate.get(), EVP_sha256());
  certificate.sha1_ = Thumbprint(parts.certificate.get(), EVP_sha1());
  certificate.not_before_ = TimeOf(X509_get0_notBefore(parts.certificate.get()));
  certificate.not_after_ = TimeOf(X509_get0_notAfter(parts.certificate.get()));
  certificate.key_.reset(parts.key.release());
  return certificate;
}

Status Certificate::CheckValidity(Instant now) const {
  if (now > not_after_) {
    return Fail(Bad("the certificate expired on " + FormatRfc3339(not_after_),
                    "Make a new one and add it to the application in Entra ID."));
  }
  if (now < not_before_) {
    return Fail(Bad("the certificate is valid only from " + FormatRfc3339(not_before_),
                    "Is the clock right?"));
  }
  return {};
}

Result<std::string> Certificate::Sign(std::string_view text, SigningAlgorithm algorithm) const {
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;  // owned by `context`
  bool good = context && EVP_DigestSignInit(context.get(), &key_context, EVP_sha256(), nullptr,
                                            key_.get()) == 1;
  if (good && algorithm == SigningAlgorithm::kPs256) {
    good = EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST) == 1;
  }
  std::size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  good = good && EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) == 1;
  std::string signature(size, '\0');
  good = good && EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()),
                                &size, bytes, text.size()) == 1;
  if (!good) {
    ERR_clear_error();
    return Fail({.kind = ErrorKind::kInternal, .message = "the assertion could not be signed"});
  }
  signature.resize(size);
  return signature;
}

}  // namespace picket::auth

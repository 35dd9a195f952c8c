#include "auth/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <string>

#include "base/text.h"
#include "tests/auth/key_material.h"

namespace picket::auth {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kPassword = "pass phrase-7f3a";

std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return hex;
}

void ExpectOpens(const std::string& bytes, std::string_view password = "") {
  const auto certificate = Certificate::Load(bytes, password);
  ASSERT_TRUE(certificate) << certificate.error().message;
  EXPECT_EQ(Hex(FromBase64Url(certificate->thumbprint_sha256())), Sha256Hex(DerOf(SharedCert())));
  EXPECT_EQ(ERR_peek_error(), 0UL) << "something was left in OpenSSL's error queue";
}

void ExpectRefused(const std::string& bytes, std::string_view password, const char* why) {
  const auto certificate = Certificate::Load(bytes, password);
  ASSERT_FALSE(certificate);
  EXPECT_EQ(certificate.error().kind, ErrorKind::kInvalidConfig);
  EXPECT_THAT(certificate.error().message, HasSubstr(why));
  if (!password.empty()) {
    EXPECT_THAT(certificate.error().message + certificate.error().hint,
                Not(HasSubstr(std::string(password))));
  }
  EXPECT_EQ(ERR_peek_error(), 0UL) << "something was left in OpenSSL's error queue";
}

TEST(CertificateFile, OpensPemWithKeyAndCertificateInAnyOrder) {
  const std::string cert = PemOf(SharedCert());
  const std::string key = PemOf(SharedKey());
  ExpectOpens(cert + key);
  ExpectOpens(key + cert);
}

TEST(CertificateFile, TakesTheCertificateOfTheKeyOutOfAChain) {
  const Key issuer = MakeRsaKey(2048);
  const Cert ca = MakeCert(issuer.get(), "issuer", TestTime() - kDay, TestTime() + kDay);
  ExpectOpens(PemOf(ca.get()) + PemOf(SharedCert()) + PemOf(SharedKey()));
}

TEST(CertificateFile, OpensAnEncryptedPemKeyByItsPasswordOnly) {
  const std::string pem = PemOf(SharedCert()) + PemOf(SharedKey(), kPassword);
  ExpectOpens(pem, kPassword);
  ExpectRefused(pem, "wrong-password", "encrypted, and the password does not open it");
  ExpectRefused(pem, "", "encrypted, and the password does not open it");
  ExpectRefused(pem, std::string(5000, 'x'), "encrypted, and the password does not open it");
}

TEST(CertificateFile, OpensPfxByItsPasswordOnly) {
  const std::string pfx = PfxOf(SharedKey(), SharedCert(), std::string(kPassword));
  ExpectOpens(pfx, kPassword);
  ExpectRefused(pfx, "wrong-password", "password does not open the PFX");
  ExpectRefused(pfx, "", "password does not open the PFX");
}

TEST(CertificateFile, OpensPfxWithoutPassword) {
  ExpectOpens(PfxOf(SharedKey(), SharedCert(), ""));
}

TEST(CertificateFile, NamesAPfxThatLacksTheKey) {
  ExpectRefused(PfxOf(nullptr, SharedCert(), std::string(kPassword)), kPassword,
                "lacks the certificate or its private key");
}

TEST(CertificateFile, NamesWhatIsMissing) {
  ExpectRefused(PemOf(SharedCert()), "", "no private key");
  ExpectRefused(PemOf(SharedKey()), "", "no certificate");
  ExpectRefused("", "", "neither PEM nor PFX");
  ExpectRefused("hello", "", "neither PEM nor PFX");
  ExpectRefused(std::string(2 << 20, 'x'), "", "too large");
}

TEST(CertificateFile, RefusesTheKeyOfAnotherCertificate) {
  const Key other = MakeRsaKey(2048);
  ExpectRefused(PemOf(SharedCert()) + PemOf(other.get()), "", "belongs to another certificate");
}

TEST(CertificateFile, RefusesShortAndEllipticKeys) {
  const Key small = MakeRsaKey(1024);
  const Cert small_cert = MakeCert(small.get(), "small", TestTime(), TestTime() + kDay);
  ExpectRefused(PemOf(small_cert.get()) + PemOf(small.get()), "", "RSA with 2048 bits");
  const Key ec = MakeEcKey();
  const Cert ec_cert = MakeCert(ec.get(), "ec", TestTime(), TestTime() + kDay);
  ExpectRefused(PemOf(ec_cert.get()) + PemOf(ec.get()), "", "RSA with 2048 bits");
}

TEST(CertificateFile, SurvivesEveryTruncation) {
  const std::string pfx = PfxOf(SharedKey(), SharedCert(), std::string(kPassword));
  for (std::size_t size = 0; size < pfx.size(); size += 97) {
    EXPECT_FALSE(Certificate::Load(std::string_view(pfx).substr(0, size), kPassword)) << size;
  }
  const std::string pem = PemOf(SharedCert()) + PemOf(SharedKey());
  for (std::size_t size = 0; size + 30 < pem.size(); size += 97) {
    EXPECT_FALSE(Certificate::Load(std::string_view(pem).substr(0, size), "")) << size;
  }
}

TEST(CertificateValidity, NamesTheDateBeforeAndAfter) {
  const Instant from = *ParseRfc3339("2026-01-02T03:04:05Z");
  const Instant until = *ParseRfc3339("2026-06-07T08:09:10Z");
  const Cert cert = MakeCert(SharedKey(), "dated", from, until);
  const auto certificate = Certificate::Load(PemOf(cert.get()) + PemOf(SharedKey()), "");
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->not_after(), until);
  EXPECT_TRUE(certificate->CheckValidity(from));
  EXPECT_TRUE(certificate->CheckValidity(until));

  const Status late = certificate->CheckValidity(until + kSecond);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::kInvalidConfig);
  EXPECT_THAT(late.error().message, HasSubstr("expired on 2026-06-07T08:09:10Z"));
  EXPECT_FALSE(late.error().hint.empty());

  const Status early = certificate->CheckValidity(from - kSecond);
  ASSERT_FALSE(early);
  EXPECT_THAT(early.error().message, HasSubstr("valid only from 2026-01-02T03:04:05Z"));
}

}  // namespace
}  // namespace picket::auth

#include "auth/client_assertion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/rsa.h>

#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "base/text.h"
#include "base/uuid.h"
#include "tests/auth/key_material.h"

namespace picket::auth {
namespace {

using nlohmann::json;

constexpr std::string_view kClient = "11111111-2222-3333-4444-555555555555";
constexpr std::string_view kEndpoint =
    "https://login.microsoftonline.com/99999999-8888-7777-6666-555555555555/oauth2/v2.0/token";

struct Jwt {
  json header, claims;
  std::string signed_text, signature;
};

Jwt Take(const std::string& text) {
  const auto parts = Split(text, '.');
  EXPECT_EQ(parts.size(), 3U);
  if (parts.size() != 3) return {};
  EXPECT_EQ(text.find('='), std::string::npos) << "base64url in a JWT has no padding";
  return {.header = json::parse(FromBase64Url(parts[0])),
          .claims = json::parse(FromBase64Url(parts[1])),
          .signed_text = std::string(parts[0]) + "." + std::string(parts[1]),
          .signature = FromBase64Url(parts[2])};
}

Certificate SharedCertificate() {
  auto certificate = Certificate::Load(PemOf(SharedCert()) + PemOf(SharedKey()), "");
  EXPECT_TRUE(certificate);
  return *std::move(certificate);
}

Jwt Make(SigningAlgorithm algorithm) {
  const auto text =
      MakeClientAssertion(SharedCertificate(), algorithm, kClient, kEndpoint, TestTime());
  EXPECT_TRUE(text);
  return Take(text.value_or(""));
}

// By the public key in the certificate. A salt length is checked exactly.
bool Verifies(const Jwt& jwt, int padding, int salt) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* key_context = nullptr;
  EVP_DigestVerifyInit(context, &key_context, EVP_sha256(), nullptr,
                       X509_get0_pubkey(SharedCert()));
  EVP_PKEY_CTX_set_rsa_padding(key_context, padding);
  if (padding == RSA_PKCS1_PSS_PADDING) {
    EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, salt);
    EVP_PKEY_CTX_set_rsa_mgf1_md(key_context, EVP_sha256());
  }
  const int verified = EVP_DigestVerify(
      context, reinterpret_cast<const unsigned char*>(jwt.signature.data()), jwt.signature.size(),
      reinterpret_cast<const unsigned char*>(jwt.signed_text.data()), jwt.signed_text.size());
  EVP_MD_CTX_free(context);
  return verified == 1;
}

std::string Digest(const EVP_MD* kind, const std::string& bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, kind, nullptr);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

TEST(ClientAssertion, IsSignedByPssWithASaltOfTheDigestsLength) {
  const Jwt jwt = Make(SigningAlgorithm::kPs256);
  EXPECT_TRUE(Verifies(jwt, RSA_PKCS1_PSS_PADDING, 32));
  EXPECT_FALSE(Verifies(jwt, RSA_PKCS1_PSS_PADDING, 20));
  EXPECT_FALSE(Verifies(jwt, RSA_PKCS1_PADDING, 0));
  Jwt changed = jwt;
  changed.signed_text.back() ^= 1;
  EXPECT_FALSE(Verifies(changed, RSA_PKCS1_PSS_PADDING, 32));
}

TEST(ClientAssertion, NamesTheCertificateByTheSha256OfItsDer) {
  const Jwt jwt = Make(SigningAlgorithm::kPs256);
  EXPECT_EQ(jwt.header.size(), 3U);
  EXPECT_EQ(jwt.header["alg"], "PS256");
  EXPECT_EQ(jwt.header["typ"], "JWT");
  EXPECT_EQ(FromBase64Url(jwt.header["x5t#S256"].get<std::string>()),
            Digest(EVP_sha256(), DerOf(SharedCert())));
}

TEST(ClientAssertion, CanBeTheOlderKindWithSha1Thumbprint) {
  const Jwt jwt = Make(SigningAlgorithm::kRs256);
  EXPECT_TRUE(Verifies(jwt, RSA_PKCS1_PADDING, 0));
  EXPECT_EQ(jwt.header.size(), 3U);
  EXPECT_EQ(jwt.header["alg"], "RS256");
  EXPECT_EQ(FromBase64Url(jwt.header["x5t"].get<std::string>()),
            Digest(EVP_sha1(), DerOf(SharedCert())));
}

TEST(ClientAssertion, SaysWhoAsksWhomAndForHowLong) {
  const json claims = Make(SigningAlgorithm::kPs256).claims;
  const std::int64_t now = TestTime().UnixMillis() / 1000;
  EXPECT_EQ(claims["iss"], kClient);
  EXPECT_EQ(claims["sub"], kClient);
  EXPECT_EQ(claims["aud"], kEndpoint);
  EXPECT_EQ(claims["nbf"], now);
  EXPECT_EQ(claims["iat"], now);
  EXPECT_EQ(claims["exp"], now + 600);
  EXPECT_TRUE(ParseGuid(claims["jti"].get<std::string>()));
}

TEST(ClientAssertion, IsNeverTheSameTwice) {
  std::set<std::string> ids;
  for (int i = 0; i < 20; ++i) {
    ids.insert(Make(SigningAlgorithm::kPs256).claims["jti"].get<std::string>());
  }
  EXPECT_EQ(ids.size(), 20U);
}

TEST(ClientAssertion, IsNotMadeByAnExpiredCertificate) {
  const auto text = MakeClientAssertion(SharedCertificate(), SigningAlgorithm::kPs256, kClient,
                                        kEndpoint, TestTime() + kDay * 366);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().kind, ErrorKind::kInvalidConfig);
  EXPECT_THAT(text.error().message, ::testing::HasSubstr("expired"));
}

}  // namespace
}  // namespace picket::auth

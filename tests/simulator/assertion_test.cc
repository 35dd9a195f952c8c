// Client assertions as an application might get them wrong, made here by OpenSSL alone.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "tests/simulator/certificates.h"
#include "tests/simulator/simulator.h"

namespace picket::simulator {
namespace {

using nlohmann::json;

constexpr const char* kApp = "11111111-2222-4333-8444-555555555555";

KeyPtr KeyFromPem(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  KeyPtr key(PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr));
  BIO_free(bio);
  return key;
}

// `salt`: of PSS; nullopt for PKCS #1 v1.5.
std::string Sign(const std::string& key_pem, const std::string& text, std::optional<int> salt) {
  const KeyPtr key = KeyFromPem(key_pem);
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                  &EVP_MD_CTX_free);
  EVP_PKEY_CTX* options = nullptr;
  EXPECT_EQ(EVP_DigestSignInit(context.get(), &options, EVP_sha256(), nullptr, key.get()), 1);
  if (salt) {
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING), 1);
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, *salt), 1);
  }
  std::size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  EXPECT_EQ(EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()), 1);
  std::string signature(size, '\0');
  EXPECT_EQ(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                           bytes, text.size()),
            1);
  return signature;
}

class AssertionTest : public testing::Test {
 protected:
  void SetUp() override {
    simulator_.AddTenant({.id = tenant_});
    simulator_.RegisterApp({.client_id = kApp, .certificates = {own().certificate_pem}});
    ASSERT_TRUE(simulator_.Start());
    client_ = std::make_unique<httplib::Client>(simulator_.Url());
    const std::int64_t now = simulator_.Now().UnixMillis() / 1000;
    header = {{"alg", "PS256"}, {"typ", "JWT"}, {"x5t#S256", own().sha256_base64url}};
    claims = {{"aud", simulator_.Url() + path_},
              {"iss", kApp},
              {"sub", kApp},
              {"jti", "one"},
              {"nbf", now},
              {"iat", now},
              {"exp", now + 600}};
  }

  // Making keys is slow: two for all tests.
  static const AppCertificate& own() {
    static const AppCertificate certificate = MakeAppCertificate("own");
    return certificate;
  }
  static const AppCertificate& other() {
    static const AppCertificate certificate = MakeAppCertificate("other");
    return certificate;
  }

  [[nodiscard]] std::string Assertion(const AppCertificate& key = own(),
                                      std::optional<int> salt = 32) const {
    const std::string text = Base64UrlEncode(header.dump()) + "." + Base64UrlEncode(claims.dump());
    return text + "." + Base64UrlEncode(Sign(key.key_pem, text, salt));
  }

  // 0 for a token; else the AADSTS number. The answer's form is checked on the way.
  std::int64_t Ask(const std::string& assertion) {
    const auto answer = client_->Post(
        path_, httplib::Params{{"client_id", kApp},
                               {"grant_type", "client_credentials"},
                               {"client_assertion_type",
                                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
                               {"client_assertion", assertion},
                               {"scope", simulator_.Url() + "/.default"}});
    if (!answer) return -1;
    const json body = json::parse(answer->body, nullptr, /*allow_exceptions=*/false);
    if (answer->status == 200) return body.contains("access_token") ? 0 : -2;
    EXPECT_EQ(answer->status, 401);
    EXPECT_EQ(body.value("error", ""), "invalid_client");
    const std::int64_t number = body["error_codes"][0].get<std::int64_t>();
    EXPECT_EQ(body.value("error_description", "").find(fmt::format("AADSTS{}: ", number)), 0U);
    return number;
  }

  json header, claims;

 private:
  const Guid tenant_ = *ParseGuid("aaaaaaaa-0000-4000-8000-000000000001");
  const std::string path_ = "/" + ToString(tenant_) + "/oauth2/v2.0/token";
  Simulator simulator_{{.tls = false}};
  std::unique_ptr<httplib::Client> client_;
};

TEST_F(AssertionTest, Ps256WithTheSha256ThumbprintIsTaken) { EXPECT_EQ(Ask(Assertion()), 0); }

TEST_F(AssertionTest, Rs256WithTheSha1ThumbprintIsTaken) {
  header = {{"alg", "RS256"}, {"typ", "JWT"}};
  std::string raw;
  for (std::size_t i = 0; i < own().sha1_hex.size(); i += 2) {
    raw += static_cast<char>(std::stoi(own().sha1_hex.substr(i, 2), nullptr, 16));
  }
  header["x5t"] = Base64UrlEncode(raw);
  EXPECT_EQ(Ask(Assertion(own(), std::nullopt)), 0);
  // The text of the thumbprint instead of its bytes is a common mistake.
  header["x5t"] = own().sha1_hex;
  claims["jti"] = "two";
  EXPECT_EQ(Ask(Assertion(own(), std::nullopt)), 700027);
}

TEST_F(AssertionTest, AnAssertionIsTakenOnce) {
  const std::string assertion = Assertion();
  EXPECT_EQ(Ask(assertion), 0);
  EXPECT_EQ(Ask(assertion), 50027);
  claims["jti"] = "two";
  EXPECT_EQ(Ask(Assertion()), 0);
}

TEST_F(AssertionTest, AnotherKeysSignatureIsNone) { EXPECT_EQ(Ask(Assertion(other())), 700027); }

TEST_F(AssertionTest, AnUnknownThumbprintIsAKeyThatIsNotFound) {
  header["x5t#S256"] = other().sha256_base64url;
  EXPECT_EQ(Ask(Assertion(other())), 700027);
  header.erase("x5t#S256");
  EXPECT_EQ(Ask(Assertion()), 700027);
}

TEST_F(AssertionTest, ASignatureOfTheOtherAlgorithmIsNone) {
  EXPECT_EQ(Ask(Assertion(own(), std::nullopt)), 700027);
  header["alg"] = "RS256";
  EXPECT_EQ(Ask(Assertion()), 700027);
}

TEST_F(AssertionTest, ThePssSaltHas32Bytes) { EXPECT_EQ(Ask(Assertion(own(), 20)), 700027); }

TEST_F(AssertionTest, AlgorithmsThatProveNothingAreRefused) {
  for (const char* algorithm : {"none", "HS256", "ps256", ""}) {
    header["alg"] = algorithm;
    EXPECT_EQ(Ask(Assertion()), 50027) << algorithm;
  }
}

TEST_F(AssertionTest, AnotherAudienceIsRefused) {
  for (const char* audience : {"https://login.microsoftonline.com/common/oauth2/v2.0/token", ""}) {
    claims["aud"] = audience;
    EXPECT_EQ(Ask(Assertion()), 50027) << audience;
  }
}

TEST_F(AssertionTest, TheTimesMustHoldNow) {
  const auto now = claims["nbf"].get<std::int64_t>();
  claims["nbf"] = now - 7200;
  claims["exp"] = now - 3600;
  EXPECT_EQ(Ask(Assertion()), 700024);
  claims["nbf"] = now + 3600;
  claims["exp"] = now + 7200;
  EXPECT_EQ(Ask(Assertion()), 700024);
  claims["nbf"] = now + 60;  // clocks differ a little
  EXPECT_EQ(Ask(Assertion()), 0);
  claims.erase("exp");
  EXPECT_EQ(Ask(Assertion()), 50027);
}

TEST_F(AssertionTest, SubjectAndIssuerAreTheApplication) {
  claims["sub"] = "99999999-2222-4333-8444-555555555555";
  EXPECT_EQ(Ask(Assertion()), 50048);
  claims["iss"] = claims["sub"];
  EXPECT_EQ(Ask(Assertion()), 50027);
}

TEST_F(AssertionTest, WhatIsNoJwtIsMalformed) {
  for (const std::string& text : {std::string("x"), std::string("a.b.c"), std::string(".."),
                                  Assertion() + "=", Assertion() + ".x", std::string(5000, 'a')}) {
    EXPECT_EQ(Ask(text), 50027) << text.substr(0, 20);
  }
}

}  // namespace
}  // namespace picket::simulator

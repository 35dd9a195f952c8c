// Tokens from a strict authorization server that others wrote: node's oidc-provider.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "auth/token_cache.h"
#include "auth/token_client.h"
#include "base/files.h"
#include "tests/auth/key_material.h"
#include "tests/process/child_process.h"
#include "tests/process/node_project.h"

namespace picket::auth {
namespace {

using ::testing::ElementsAre;

const Guid kTenant = *ParseGuid("99999999-8888-7777-6666-55555555abcd");
constexpr const char* kSecretClient = "11111111-2222-3333-4444-555555555555";
constexpr const char* kCertificateClient = "aaaaaaaa-2222-3333-4444-555555555555";
constexpr const char* kAudience = "https://graph.example";
constexpr const char* kSecret = "q~8Q+/=&%20 \"zz";

class StrictServer : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string why_not =
        InstallNodeProject(PICKET_SOURCE_DIR "/tests/auth/oidc", PICKET_OIDC_DIR);
    if (!why_not.empty()) GTEST_SKIP() << why_not << ": no proof against oidc-provider";
    std::string pattern = (std::filesystem::temp_directory_path() / "picket-oidc-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    key_ = MakeRsaKey(2048);
    certificate_ = MakeCert(key_.get(), "picket", clock.Now() - kDay, clock.Now() + kDay);
    const SecretRef public_part = Put("public.pem", PemOf(certificate_.get()));
    server_ = ChildProcess::Start({"node", PICKET_OIDC_DIR "/server.js", ToString(kTenant),
                                   kSecretClient, kSecret, kCertificateClient, public_part.key});
    ASSERT_TRUE(server_) << "node does not start";
    const std::string port = server_->FirstLine();
    ASSERT_FALSE(port.empty()) << "oidc-provider does not start";

    auto transport = MakeHttpTransport({});
    ASSERT_TRUE(transport) << transport.error().message;
    transport_ = *std::move(transport);
    client = std::make_unique<TokenClient>(*transport_, clock, "http://127.0.0.1:" + port);

    by_secret.client_id = kSecretClient;
    by_secret.by_certificate = false;
    by_secret.client_secret = Put("secret", kSecret);
    by_certificate.client_id = kCertificateClient;
    by_certificate.certificate = Put("app.pfx", PfxOf(key_.get(), certificate_.get(), "pass"));
    by_certificate.certificate_password = Put("password", "pass");
  }
  void TearDown() override {
    server_.reset();
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }

  SecretRef Put(const std::string& name, const std::string& content) {
    EXPECT_TRUE(WriteFileAtomically(directory_ / name, content));
    return {.store = "file", .key = (directory_ / name).string()};
  }
  Result<Token> Request(const AppSettings& app, std::string_view audience = kAudience) {
    return client->Request(app, kTenant, audience, "", {});
  }
  void ExpectGoodToken(const AppSettings& app) {
    const auto token = Request(app);
    ASSERT_TRUE(token) << token.error().message;
    EXPECT_EQ(token->tenant, ToString(kTenant));
    EXPECT_EQ(token->app, app.client_id);
    EXPECT_THAT(token->roles, testing::Optional(ElementsAre("AuditLog.Read.All")));
    EXPECT_GT(token->expires, clock.Now() + kMinute * 58);
  }
  void ExpectRefused(const AppSettings& app, ErrorKind kind) {
    const auto token = Request(app);
    ASSERT_FALSE(token);
    EXPECT_EQ(token.error().kind, kind) << token.error().message;
  }

  SystemClock clock;
  std::unique_ptr<TokenClient> client;
  AppSettings by_secret, by_certificate;

 private:
  std::filesystem::path directory_;
  Key key_;
  Cert certificate_;
  std::unique_ptr<ChildProcess> server_;
  std::unique_ptr<HttpTransport> transport_;
};

TEST_F(StrictServer, GivesATokenForTheSecret) { ExpectGoodToken(by_secret); }

TEST_F(StrictServer, GivesTokensForAPs256AssertionOfThePfxEachTime) {
  ExpectGoodToken(by_certificate);
  ExpectGoodToken(by_certificate);  // it refuses a jti that it has seen
}

TEST_F(StrictServer, RefusesAWrongSecret) {
  by_secret.client_secret = Put("secret", "wrong");
  ExpectRefused(by_secret, ErrorKind::kAuth);
}

TEST_F(StrictServer, RefusesAnotherCertificate) {
  const Key other = MakeRsaKey(2048);
  const Cert cert = MakeCert(other.get(), "other", clock.Now() - kDay, clock.Now() + kDay);
  by_certificate.certificate = Put("other.pem", PemOf(cert.get()) + PemOf(other.get()));
  ExpectRefused(by_certificate, ErrorKind::kAuth);
}

TEST_F(StrictServer, RefusesRs256WherePs256IsAgreed) {
  by_certificate.algorithm = SigningAlgorithm::kRs256;
  ExpectRefused(by_certificate, ErrorKind::kAuth);
}

TEST_F(StrictServer, RefusesAnUnknownClientAndAServiceThatIsNotAllowed) {
  by_certificate.client_id = "00000000-0000-0000-0000-000000000009";
  ExpectRefused(by_certificate, ErrorKind::kAuth);
  const auto token = Request(by_secret, "https://another.example");
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().kind, ErrorKind::kInvalidConfig);
}

TEST_F(StrictServer, IsAskedOnceThroughTheCache) {
  TokenCache cache(*client, clock);
  const auto first = cache.Get(by_certificate, kTenant, kAudience, {});
  ASSERT_TRUE(first) << first.error().message;
  const auto second = cache.Get(by_certificate, kTenant, kAudience, {});
  ASSERT_TRUE(second);
  EXPECT_EQ(first->Reveal(), second->Reveal());
}

}  // namespace
}  // namespace picket::auth

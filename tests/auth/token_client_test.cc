#include "auth/token_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

#include "auth/cloud.h"
#include "base/files.h"
#include "base/text.h"
#include "tests/auth/fakes.h"
#include "tests/auth/key_material.h"

namespace picket::auth {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kTenant = "99999999-8888-7777-6666-55555555abcd";
const Guid kTenantId = *ParseGuid(kTenant);
constexpr std::string_view kAudience = "https://graph.microsoft.com";
// Every kind of character that a form must escape.
constexpr const char* kSecret = "q~8Q+/=&%20 \"ü";
constexpr const char* kGood =
    R"({"token_type":"Bearer","expires_in":3599,"access_token":"opaque"})";

// Undoes a form by hand, apart from the code that makes it.
std::map<std::string, std::string> Fields(const std::string& form) {
  const auto decode = [](std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%') {
        bytes += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
      } else {
        bytes += text[i] == '+' ? ' ' : text[i];
      }
    }
    return bytes;
  };
  std::map<std::string, std::string> fields;
  for (const std::string_view pair : Split(form, '&')) {
    const std::size_t equals = pair.find('=');
    fields[decode(pair.substr(0, equals))] = decode(pair.substr(equals + 1));
  }
  return fields;
}

class TokenRequest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "picket-auth-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    setenv("PICKET_TEST_SECRET", kSecret, 1);
    by_secret.client_id = "11111111-2222-3333-4444-555555555555";
    by_secret.by_certificate = false;
    by_secret.client_secret = SecretRef{.store = "env", .key = "PICKET_TEST_SECRET"};
    by_certificate.client_id = by_secret.client_id;
    by_certificate.certificate = Put("app.pfx", PfxOf(SharedKey(), SharedCert(), "pfx-pass"));
    by_certificate.certificate_password = Put("password", "pfx-pass\n");
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  SecretRef Put(const std::string& name, const std::string& content) {
    EXPECT_TRUE(WriteFileAtomically(directory_ / name, content));
    return {.store = "file", .key = (directory_ / name).string()};
  }
  Result<Token> Request(const AppSettings& app, std::string_view claims = "") {
    return TokenClient(endpoint, clock, "https://login.example")
        .Request(app, kTenantId, kAudience, claims, {});
  }

  std::filesystem::path directory_;
  HandClock clock;
  ScriptedEndpoint endpoint{Always(200, kGood)};
  AppSettings by_secret, by_certificate;
};

TEST_F(TokenRequest, SendsTheSecretEscapedInTheForm) {
  ASSERT_TRUE(Request(by_secret));
  const HttpRequest sent = endpoint.requests().at(0);
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.url, "https://login.example/" + std::string(kTenant) + "/oauth2/v2.0/token");
  EXPECT_EQ(FindHeader(sent.headers, "content-type"), "application/x-www-form-urlencoded");
  EXPECT_THAT(sent.body, HasSubstr("client_secret=q~8Q%2B%2F%3D%26%2520%20%22%C3%BC"));
  const std::map<std::string, std::string> expected = {
      {"client_id", by_secret.client_id},
      {"scope", "https://graph.microsoft.com/.default"},
      {"grant_type", "client_credentials"},
      {"client_secret", kSecret}};
  EXPECT_EQ(Fields(sent.body), expected);
  EXPECT_LE(sent.max_body, kMaxTokenResponse);
}

TEST_F(TokenRequest, SendsAnAssertionAndNoSecretForACertificate) {
  ASSERT_TRUE(Request(by_certificate));
  auto fields = Fields(endpoint.requests().at(0).body);
  EXPECT_EQ(fields.size(), 5U);
  EXPECT_EQ(fields["client_assertion_type"],
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
  const auto parts = Split(fields["client_assertion"], '.');
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_THAT(FromBase64Url(parts[1]), HasSubstr(endpoint.requests().at(0).url))
      << "the assertion must be for the very endpoint that is asked";
}

TEST_F(TokenRequest, PassesOnTheClaimsThatAResourceDemands) {
  const std::string claims = R"({"access_token":{"nbf":{"essential":true,"value":"1"}}})";
  ASSERT_TRUE(Request(by_secret, claims));
  EXPECT_EQ(Fields(endpoint.requests().at(0).body)["claims"], claims);
}

TEST_F(TokenRequest, TakesAnAuthorityWithATrailingSlash) {
  const TokenClient client(endpoint, clock, "https://login.example/");
  ASSERT_TRUE(client.Request(by_secret, kTenantId, kAudience, "", {}));
  EXPECT_THAT(endpoint.requests().at(0).url, StartsWith("https://login.example/9999"));
}

TEST_F(TokenRequest, ReadsARotatedSecretAnew) {
  by_secret.client_secret = Put("secret", "old");
  ASSERT_TRUE(Request(by_secret));
  (void)Put("secret", "new");
  ASSERT_TRUE(Request(by_secret));
  EXPECT_EQ(Fields(endpoint.requests().at(0).body)["client_secret"], "old");
  EXPECT_EQ(Fields(endpoint.requests().at(1).body)["client_secret"], "new");
}

TEST_F(TokenRequest, AsksNobodyWhenTheCredentialIsUnusable) {
  by_secret.client_secret = SecretRef{.store = "env", .key = "PICKET_TEST_UNSET"};
  by_certificate.certificate_password = std::nullopt;
  AppSettings none = by_secret;
  none.client_secret.reset();
  for (const AppSettings& app : {by_secret, by_certificate, none}) {
    const auto token = Request(app);
    ASSERT_FALSE(token);
    EXPECT_EQ(token.error().kind, ErrorKind::kInvalidConfig);
    EXPECT_EQ(token.error().remote_code, "");
  }
  EXPECT_EQ(endpoint.count(), 0U);
}

TEST_F(TokenRequest, AsksNobodyWithAnExpiredCertificate) {
  clock.StepWall(kDay * 400);
  const auto token = Request(by_certificate);
  ASSERT_FALSE(token);
  EXPECT_THAT(token.error().message, HasSubstr("expired"));
  EXPECT_EQ(endpoint.count(), 0U);
}

TEST_F(TokenRequest, WaitsAsLongAsItIsTold) {
  using std::chrono::seconds;
  endpoint.Now(Always(429, "", {{"Retry-After", "17"}}));
  EXPECT_EQ(Request(by_secret).error().kind, ErrorKind::kThrottled);
  EXPECT_EQ(Request(by_secret).error().retry_after, seconds(17));
  endpoint.Now(Always(429, ""));
  EXPECT_EQ(Request(by_secret).error().retry_after, seconds(5));
  endpoint.Now(Always(429, "", {{"Retry-After", "80000"}}));
  EXPECT_EQ(Request(by_secret).error().retry_after, seconds(3600));
  endpoint.Now(Always(503, "", {{"Retry-After", "30"}}));
  EXPECT_EQ(Request(by_secret).error().kind, ErrorKind::kThrottled);
  EXPECT_EQ(Request(by_secret).error().retry_after, seconds(30));
  endpoint.Now(Always(503, ""));
  EXPECT_EQ(Request(by_secret).error().kind, ErrorKind::kTransient);
  EXPECT_FALSE(Request(by_secret).error().retry_after);
}

TEST_F(TokenRequest, PassesOnWhatTheNetworkSays) {
  endpoint.Now([](const HttpRequest&, std::stop_token) -> Result<HttpResponse> {
    return Fail({.kind = ErrorKind::kTransient, .message = "connection refused"});
  });
  const auto token = Request(by_secret);
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().kind, ErrorKind::kTransient);
  EXPECT_EQ(token.error().message, "token: connection refused");
}

// The worst endpoint: it sends back all it got, as JSON and not, with any status.
TEST_F(TokenRequest, LogsARefusalWithWhatSupportAsksFor) {
  endpoint.Now(Always(400, R"({"error":"invalid_client","error_codes":[7000215]})",
                      {{"x-ms-request-id", "e6ea1bde-9f04-46a8-9705-824047cfd611"},
                       {"Date", "Tue, 24 Nov 2026 09:00:00 GMT"}}));
  testing::internal::CaptureStderr();
  EXPECT_FALSE(Request(by_secret));
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("code=AADSTS7000215"), HasSubstr("date=2026-11-24T09:00:00"),
                    HasSubstr(" request_id=e6ea1bde-9f04-46a8-9705-824047cfd611"),
                    HasSubstr("client_request_id="), Not(HasSubstr("redacted"))));
}

TEST_F(TokenRequest, KeepsSecretsOutOfErrorsEvenWhenTheyAreEchoed) {
  testing::internal::CaptureStderr();
  for (const AppSettings& app : {by_secret, by_certificate}) {
    for (const int status : {200, 302, 400, 401, 403, 429, 500}) {
      for (const bool as_json : {true, false}) {
        endpoint.Now([&](const HttpRequest& request, std::stop_token) {
          const std::string assertion = Fields(request.body)["client_assertion"];
          std::string echo = assertion.empty() ? "q~8Q+/=&%20" : assertion;
          if (as_json) {
            echo = R"({"error":")" + echo + R"(","error_description":")" + echo +
                   R"(","error_codes":[")" + echo + R"("],"token_type":")" + echo + "\"}";
          }
          return HttpResponse{.status = status,
                              .headers = {{"WWW-Authenticate", echo}, {"Location", echo}},
                              .body = echo + request.body};
        });
        const auto token = Request(app);
        ASSERT_FALSE(token);
        const std::string all =
            token.error().message + token.error().hint + token.error().remote_code;
        EXPECT_THAT(
            all, AllOf(Not(HasSubstr("q~8Q")), Not(HasSubstr("eyJ")), Not(HasSubstr("pfx-pass"))));
        EXPECT_LT(all.size(), 400U);
      }
    }
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("auth.refused"), Not(HasSubstr("q~8Q")), Not(HasSubstr("eyJ"))));
}

TEST(CloudPresets, NameTheEndpointsOfEachCloud) {
  EXPECT_EQ(CloudPreset("global")->authority, "https://login.microsoftonline.com");
  EXPECT_EQ(CloudPreset("global")->GraphAudience(), "https://graph.microsoft.com");
  EXPECT_EQ(CloudPreset("usgov")->authority, "https://login.microsoftonline.us");
  EXPECT_EQ(CloudPreset("usgov")->graph, "https://graph.microsoft.us");
  EXPECT_EQ(CloudPreset("usgov-dod")->graph, "https://dod-graph.microsoft.us");
  EXPECT_EQ(CloudPreset("usgov-dod")->arm, "https://management.usgovcloudapi.net");
  EXPECT_EQ(CloudPreset("china")->authority, "https://login.partner.microsoftonline.cn");
  EXPECT_EQ(CloudPreset("china")->graph, "https://microsoftgraph.chinacloudapi.cn");
  EXPECT_FALSE(CloudPreset("mars"));
}

}  // namespace
}  // namespace picket::auth

#include "auth/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "auth/aadsts.h"
#include "base/text.h"
#include "tests/auth/key_material.h"

namespace picket::auth {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::string_view kTenant = "99999999-8888-7777-6666-55555555abcd";
const Guid kTenantId = *ParseGuid(kTenant);

std::string JwtOf(const json& claims) {
  return Base64UrlEncode(R"({"alg":"RS256"})") + "." + Base64UrlEncode(claims.dump()) + ".c2ln";
}

json Answer(const std::string& token) {
  return {{"token_type", "Bearer"}, {"expires_in", 3599}, {"access_token", token}};
}

json Claims() {
  return {{"tid", kTenant},
          {"appid", "11111111-2222-3333-4444-555555555555"},
          {"roles", {"AuditLog.Read.All", "IdentityRiskEvent.Read.All"}}};
}

Result<Token> Parse(const json& answer) {
  return ParseTokenResponse(answer.dump(), kTenantId, TestTime());
}

void ExpectNoToken(const std::string& body, const char* why) {
  const auto token = ParseTokenResponse(body, kTenantId, TestTime());
  ASSERT_FALSE(token) << body.substr(0, 200);
  EXPECT_EQ(token.error().kind, ErrorKind::kUnexpectedReply);
  EXPECT_THAT(token.error().message, HasSubstr(why));
}

TEST(TokenResponse, IsReadWithWhatTheTokenSaysOfItself) {
  const std::string jwt = JwtOf(Claims());
  const auto token = Parse(Answer(jwt));
  ASSERT_TRUE(token) << token.error().message;
  EXPECT_EQ(token->value.Reveal(), jwt);
  EXPECT_EQ(token->tenant, kTenant);
  EXPECT_EQ(token->app, "11111111-2222-3333-4444-555555555555");
  EXPECT_THAT(token->roles,
              testing::Optional(ElementsAre("AuditLog.Read.All", "IdentityRiskEvent.Read.All")));
  EXPECT_EQ(token->expires, TestTime() + kSecond * 3599);
  EXPECT_EQ(token->refresh_from, TestTime() + kSecond * 3299);
}

TEST(TokenResponse, MayWriteItsNumbersAsTexts) {
  json answer = Answer(JwtOf(Claims()));
  answer["expires_in"] = "3599";
  answer["token_type"] = "bearer";
  const auto token = Parse(answer);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->expires, TestTime() + kSecond * 3599);
}

TEST(TokenResponse, MayAskForAnEarlierRenewal) {
  json answer = Answer(JwtOf(Claims()));
  answer["expires_in"] = 86399;
  answer["refresh_in"] = 43199;
  EXPECT_EQ(Parse(answer)->refresh_from, TestTime() + kSecond * 43199);
  answer["refresh_in"] = 90000;  // after its end: not to be believed
  EXPECT_EQ(Parse(answer)->refresh_from, TestTime() + kSecond * (86399 - 300));
  answer["refresh_in"] = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(Parse(answer)->refresh_from, TestTime() + kSecond * (86399 - 300));
}

TEST(TokenResponse, OfShortLifeIsRenewedAtHalfOfIt) {
  json answer = Answer(JwtOf(Claims()));
  answer["expires_in"] = 60;
  EXPECT_EQ(Parse(answer)->refresh_from, TestTime() + kSecond * 30);
}

TEST(TokenResponse, MayHoldATokenWithoutRoles) {
  const auto token = Parse(Answer(JwtOf({{"tid", kTenant}})));
  ASSERT_TRUE(token);
  EXPECT_THAT(token->roles, testing::Optional(IsEmpty()));
}

TEST(TokenResponse, MayHoldATokenThatIsNoJwt) {
  for (const std::string value : {"opaque", "a.b.c", "a.b.c.d.e", "..", "e30.bm9uZQ.e30"}) {
    const auto token = Parse(Answer(value));
    ASSERT_TRUE(token) << value;
    EXPECT_EQ(token->value.Reveal(), value);
    EXPECT_EQ(token->tenant, "");
  }
}

TEST(TokenResponse, ForAnotherTenantIsRefusedAndBothAreNamed) {
  json claims = Claims();
  claims["tid"] = "00000000-0000-0000-0000-000000000001";
  const auto token = Parse(Answer(JwtOf(claims)));
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().kind, ErrorKind::kInvalidConfig);
  EXPECT_THAT(token.error().message, HasSubstr("00000000-0000-0000-0000-000000000001"));
  EXPECT_THAT(token.error().message, HasSubstr(std::string(kTenant)));

  claims["tid"] = "<script>\x1b[31m";
  const auto odd = Parse(Answer(JwtOf(claims)));
  ASSERT_FALSE(odd);
  EXPECT_THAT(odd.error().message, Not(HasSubstr("script")));
}

TEST(TokenResponse, MaySpellTheTenantInCapitals) {
  json claims = Claims();
  claims["tid"] = "99999999-8888-7777-6666-55555555ABCD";
  EXPECT_TRUE(Parse(Answer(JwtOf(claims))));
}

TEST(TokenResponse, GivesNoStrangeTextAsRoleOrApplication) {
  json claims = Claims();
  claims["appid"] = "\x1b]0;x";
  claims["roles"] = {"Good.Role", "bad role\n", 7, "", std::string(500, 'x')};
  const auto token = Parse(Answer(JwtOf(claims)));
  ASSERT_TRUE(token);
  EXPECT_EQ(token->app, "");
  EXPECT_THAT(token->roles, testing::Optional(ElementsAre("Good.Role")));
  claims["roles"] = json::array();
  for (int i = 0; i < 1000; ++i) claims["roles"].push_back("Role" + std::to_string(i));
  EXPECT_EQ(Parse(Answer(JwtOf(claims)))->roles->size(), 256U);
}

TEST(TokenResponse, IsRefusedWhenItIsNone) {
  ExpectNoToken("", "no JSON object");
  ExpectNoToken("<html>Sign in to the Wi-Fi</html>", "no JSON object");
  ExpectNoToken("[]", "no JSON object");
  ExpectNoToken("\"text\"", "no JSON object");
  ExpectNoToken(R"({"access_token":)", "no JSON object");
  ExpectNoToken("{\"access_token\":\"\xff\"}", "no JSON object");
  ExpectNoToken(std::string(100'000, '['), "no JSON object");
  ExpectNoToken("{\"x\":\"" + std::string(kMaxTokenResponse, 'x') + "\"}", "no JSON object");
  ExpectNoToken("{}", "no access_token");
  ExpectNoToken(R"({"access_token":5,"token_type":"Bearer","expires_in":60})", "no access_token");
  ExpectNoToken(R"({"access_token":"","token_type":"Bearer","expires_in":60})", "no access_token");
  ExpectNoToken(R"({"access_token":"a","expires_in":60})", "token_type");
  ExpectNoToken(R"({"access_token":"a","token_type":"pop","expires_in":60})", "token_type");
}

TEST(TokenResponse, IsRefusedWhenTheTokenCouldBreakAHeader) {
  for (const char* bad : {"a\r\nX-Evil: 1", "a b", "a\tb", "t\u00f6ken"}) {
    ExpectNoToken(Answer(bad).dump(), "no access_token");
  }
}

TEST(TokenResponse, IsRefusedWhenItsLifetimeMakesNoSense) {
  for (const json& bad : {json(0), json(-1), json(3599.5), json("soon"), json("3599s"), json(""),
                          json(nullptr), json(1'000'000'000), json(18446744073709551615ULL),
                          json("99999999999999999999"), json::array({3599})}) {
    json answer = Answer("opaque");
    answer["expires_in"] = bad;
    ExpectNoToken(answer.dump(), "expires_in");
  }
}

std::string Refusal(std::int64_t number, const char* oauth_error,
                    const char* text = "AADSTS7000222: words that change") {
  return json({{"error", oauth_error},
               {"error_description", text},
               {"error_codes", {number, 1}},
               {"trace_id", "1ac2a64a-16aa-433e-be83-c43c36ac1a01"}})
      .dump();
}

// Numbers, OAuth errors and statuses as Microsoft documents them; the kind is what Picket must do.
TEST(TokenError, IsOfTheKindThatItsNumberTells) {
  struct Row {
    std::int64_t number;
    int status;
    const char* oauth_error;
    ErrorKind kind;
    const char* remedy;
  };
  const Row rows[] = {
      {7000215, 401, "invalid_client", ErrorKind::kAuth, "value, not its id"},
      {7000222, 401, "invalid_client", ErrorKind::kAuth, "new one"},
      {700027, 401, "invalid_client", ErrorKind::kAuth, "Upload this certificate"},
      {700024, 401, "invalid_client", ErrorKind::kAuth, "clock"},
      {50012, 401, "invalid_client", ErrorKind::kAuth, "certificate"},
      {7000229, 401, "invalid_client", ErrorKind::kPermission, "consent"},
      {7000112, 400, "unauthorized_client", ErrorKind::kPermission, "Enable"},
      {53003, 400, "invalid_grant", ErrorKind::kPermission, "policies"},
      {500021, 400, "invalid_request", ErrorKind::kPermission, "proxy"},
      {700016, 400, "unauthorized_client", ErrorKind::kInvalidConfig, "client_id"},
      {90002, 400, "invalid_request", ErrorKind::kInvalidConfig, "tenant_id"},
      {900382, 400, "invalid_request", ErrorKind::kInvalidConfig, "preset"},
      {9001023, 400, "invalid_request", ErrorKind::kInvalidConfig, "tenant_id"},
      {500011, 400, "invalid_resource", ErrorKind::kInvalidConfig, "graph_audience"},
      {70011, 400, "invalid_scope", ErrorKind::kInvalidConfig, "graph_audience"},
      {50194, 400, "unauthorized_client", ErrorKind::kInvalidConfig, "multi-tenant"},
      {50196, 400, "invalid_grant", ErrorKind::kThrottled, ""},
      {90055, 400, "invalid_request", ErrorKind::kThrottled, ""},
      {90033, 503, "temporarily_unavailable", ErrorKind::kTransient, ""},
      {90006, 400, "temporarily_unavailable", ErrorKind::kTransient, ""},
      {7000218, 401, "invalid_client", ErrorKind::kInternal, "report"},
  };
  for (const Row& row : rows) {
    const Error error = ParseTokenError(Refusal(row.number, row.oauth_error), row.status);
    const std::string name = "AADSTS" + std::to_string(row.number);
    EXPECT_EQ(error.kind, row.kind) << name;
    EXPECT_EQ(error.remote_code, name);
    EXPECT_THAT(error.message, HasSubstr(name));
    EXPECT_THAT(error.hint, HasSubstr(row.remedy)) << name;
  }
}

TEST(TokenError, FallsBackToTheOAuthErrorForUnknownNumbers) {
  EXPECT_EQ(ParseTokenError(Refusal(424242, "invalid_client"), 401).kind, ErrorKind::kAuth);
  EXPECT_EQ(ParseTokenError(Refusal(424242, "unauthorized_client"), 400).kind,
            ErrorKind::kPermission);
  EXPECT_EQ(ParseTokenError(Refusal(424242, "invalid_scope"), 400).kind, ErrorKind::kInvalidConfig);
  EXPECT_EQ(ParseTokenError(Refusal(424242, "temporarily_unavailable"), 400).kind,
            ErrorKind::kTransient);
  EXPECT_EQ(ParseTokenError(Refusal(424242, "server_error"), 500).kind, ErrorKind::kTransient);
  EXPECT_EQ(ParseTokenError(R"({"error":"invalid_client"})", 401).remote_code, "401");
}

TEST(TokenError, IsAThrottlingAt429WhateverTheBodySays) {
  for (const std::string& body : {Refusal(7000215, "invalid_client"), std::string("<html>")}) {
    const Error error = ParseTokenError(body, 429);
    EXPECT_EQ(error.kind, ErrorKind::kThrottled);
    EXPECT_TRUE(error.retry_after);
  }
}

TEST(TokenError, IsNotTheCredentialsFaultWhenSomeoneInBetweenAnswers) {
  const char* html = "<html><h1>Access denied</h1></html>";
  for (const int status : {301, 302, 400, 401, 403, 404}) {
    const Error error = ParseTokenError(html, status);
    EXPECT_EQ(error.kind, ErrorKind::kUnexpectedReply) << status;
    EXPECT_THAT(error.message, HasSubstr(std::to_string(status)));
    EXPECT_THAT(error.message, Not(HasSubstr("denied")));
  }
  EXPECT_EQ(ParseTokenError(html, 407).kind, ErrorKind::kInvalidConfig);
  EXPECT_EQ(ParseTokenError(html, 408).kind, ErrorKind::kTransient);
  EXPECT_EQ(ParseTokenError(html, 502).kind, ErrorKind::kTransient);
}

TEST(TokenError, RepeatsNothingOfTheText) {
  const Error error =
      ParseTokenError(Refusal(7000215, "invalid_client", "secret s3cr3t \x1b[31m"), 401);
  EXPECT_THAT(error.message + error.hint + error.remote_code, Not(HasSubstr("s3cr3t")));
  const Error odd = ParseTokenError(
      R"({"error":"s3cr3t","error_codes":["s3cr3t"],"error_description":"s3cr3t"})", 400);
  EXPECT_THAT(odd.message + odd.hint + odd.remote_code, Not(HasSubstr("s3cr3t")));
}

}  // namespace
}  // namespace picket::auth

#include "agent/graph/failure.h"

#include <gtest/gtest.h>

namespace picket::graph {
namespace {

const Instant kNow = ParseRfc3339("2026-11-24T10:00:00Z").value();

Error Of(int status, std::string body, HttpHeaders headers = {},
         std::string_view stream = "signIns.interactive") {
  return Classify({.status = status, .headers = std::move(headers), .body = std::move(body)},
                  *FindCollection(stream), kNow);
}

std::string BodyOf(const std::string& code, const std::string& message) {
  return R"({"error":{"code":")" + code + R"(","message":")" + message +
         R"(","innerError":{"date":"2026-11-24T10:00:00","request-id":"r"}}})";
}

TEST(Failure, ExpiredSkiptokensAreToldFromOtherBadRequests) {
  for (const char* message :
       {"Token not found: token is either invalid or expired", "Skip token is null or expired",
        "Skip token is null", "Invalid SkipToken"}) {
    EXPECT_EQ(Of(400, BodyOf("", message)).kind, ErrorKind::kExpiredPage) << message;
  }
  EXPECT_EQ(Of(400, BodyOf("BadRequest", "Invalid filter clause")).kind, ErrorKind::kRefused);
}

TEST(Failure, ThrottlingIsToldByStatusNotByCode) {
  const Error whole = Of(429, BodyOf("UnknownError", "Too Many Requests"), {{"Retry-After", "10"}});
  EXPECT_EQ(whole.kind, ErrorKind::kThrottled);
  EXPECT_EQ(whole.retry_after, std::chrono::milliseconds(10'000));
  EXPECT_EQ(Of(429, "", {{"retry-after", "2.128"}}).retry_after, std::chrono::milliseconds(2128));
  EXPECT_EQ(Of(429, BodyOf("TooManyRequests", "x")).retry_after, std::nullopt);
  EXPECT_EQ(Of(408, "").kind, ErrorKind::kThrottled);
  EXPECT_EQ(Of(509, "").kind, ErrorKind::kThrottled);
}

TEST(Failure, AMissingLicenceIsToldFromAMissingPermission) {
  const Error licence =
      Of(403, BodyOf("Authentication_RequestFromNonPremiumTenantOrB2CTenant",
                     "Neither tenant is B2C or tenant doesn't have premium license"));
  EXPECT_EQ(licence.kind, ErrorKind::kPermission);
  EXPECT_EQ(licence.remote_code, kNoLicence);
  EXPECT_NE(licence.hint.find("P1"), std::string::npos);

  const Error permission = Of(403, BodyOf("Authentication_MSGraphPermissionMissing", "x"));
  EXPECT_NE(permission.hint.find("AuditLog.Read.All"), std::string::npos);
  EXPECT_NE(permission.remote_code, kNoLicence);
}

TEST(Failure, IdentityProtectionsTwoForbiddensDifferOnlyInTheirText) {
  const Error scopes = Of(403,
                          BodyOf("Forbidden",
                                 "You cannot perform the requested operation, "
                                 "required scopes are missing in the token."),
                          {}, "riskyUsers");
  EXPECT_NE(scopes.hint.find("IdentityRiskyUser.Read.All"), std::string::npos);
  const Error licence = Of(
      403, BodyOf("Forbidden", "Your tenant is not licensed for this feature."), {}, "riskyUsers");
  EXPECT_EQ(licence.remote_code, kNoLicence);
  EXPECT_NE(licence.hint.find("P2"), std::string::npos);
}

TEST(Failure, StatusesDecideWhateverTheBodyIs) {
  const std::vector<std::string> bodies = {"",
                                           "<html>504</html>",
                                           "{",
                                           "[]",
                                           "null",
                                           R"({"error":null})",
                                           R"({"error":"x"})",
                                           R"({"error":{"code":5,"message":[]}})",
                                           std::string(10'000, '['),
                                           std::string("\xff\x00\x01", 3),
                                           std::string(200'000, 'x')};
  for (const std::string& body : bodies) {
    EXPECT_EQ(Of(504, body).kind, ErrorKind::kShrink);
    EXPECT_EQ(Of(503, body).kind, ErrorKind::kTransient);
    EXPECT_EQ(Of(500, body).kind, ErrorKind::kTransient);
    EXPECT_EQ(Of(401, body).kind, ErrorKind::kAuth);
    EXPECT_EQ(Of(403, body).kind, ErrorKind::kPermission);
    EXPECT_EQ(Of(404, body).kind, ErrorKind::kNotFound);
    EXPECT_EQ(Of(407, body).kind, ErrorKind::kInvalidConfig);
    EXPECT_EQ(Of(429, body).kind, ErrorKind::kThrottled);
    EXPECT_EQ(Of(302, body).kind, ErrorKind::kUnexpectedReply);
    EXPECT_EQ(Of(204, body).kind, ErrorKind::kUnexpectedReply);
  }
}

TEST(Failure, NothingOfTheBodyButACleanedCodeIsShown) {
  const Error error = Of(500, BodyOf("Bad\\u001b[31mCode<script>", "victim@contoso.com"));
  EXPECT_EQ(error.message.find("victim"), std::string::npos);
  EXPECT_EQ(error.message.find('\x1b'), std::string::npos);
  EXPECT_EQ(error.message.find('<'), std::string::npos);
}

TEST(Failure, TheCodeIsFoundWhereItIsNested) {
  const Error error = Of(
      500, R"({"error":{"code":"","message":"","innererror":{"innerError":{"code":"deepCode"}}}})");
  EXPECT_NE(error.message.find("deepCode"), std::string::npos);
}

TEST(Failure, AClaimsChallengeIsDecodedOnlyWhenItIsJson) {
  const HttpResponse challenge{.status = 401,
                               .headers = {{"WWW-Authenticate",
                                            "Bearer realm=\"\", error=\"insufficient_claims\", "
                                            "claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ==\""}},
                               .body = ""};
  EXPECT_EQ(ClaimsChallenge(challenge), R"({"access_token":{}})");
  EXPECT_EQ(
      ClaimsChallenge(
          {.status = 401, .headers = {{"WWW-Authenticate", "Bearer claims=\"AAAA\""}}, .body = ""}),
      "");
  EXPECT_EQ(ClaimsChallenge({.status = 401, .headers = {}, .body = ""}), "");
}

}  // namespace
}  // namespace picket::graph

#include "agent/graph/client.h"

#include <gtest/gtest.h>

#include <deque>

namespace picket::graph {
namespace {

class HandClock final : public Clock {
 public:
  [[nodiscard]] Instant Now() const override { return now; }
  [[nodiscard]] Ticks Steady() const override { return steady; }
  bool SleepUntil(Ticks, std::stop_token) override { return true; }
  Instant now = ParseRfc3339("2026-11-24T10:00:00Z").value();
  Ticks steady{};
};

class Script final : public HttpTransport {
 public:
  Result<HttpResponse> Send(const HttpRequest& request, std::stop_token) override {
    sent.push_back(request);
    auto answer = std::move(answers.front());
    answers.pop_front();
    return answer;
  }
  void Answer(int status, std::string body, HttpHeaders headers = {}) {
    answers.push_back(
        HttpResponse{.status = status, .headers = std::move(headers), .body = std::move(body)});
  }
  std::deque<Result<HttpResponse>> answers;
  std::vector<HttpRequest> sent;
};

class Tokens final : public TokenSource {
 public:
  Result<SecretString> Token(std::stop_token) override {
    return SecretString("t" + std::to_string(rejected.size()));
  }
  void Reject(std::string_view token, std::string_view claims) override {
    rejected.emplace_back(token, claims);
  }
  std::vector<std::pair<std::string, std::string>> rejected;
};

class ClientTest : public testing::Test {
 protected:
  HandClock clock;
  Script script;
  Tokens tokens;
  Client client{script, tokens, clock, {}};
  const Collection& signins = *FindCollection("signIns.interactive");
  const std::string url = "https://graph.microsoft.com/beta/auditLogs/signIns?$top=1000";
  Refusals refusals;
};

std::string CodeOf(const Result<Page>& page) { return page ? "a page" : page.error().remote_code; }

TEST_F(ClientTest, SendsTheTokenAndAsksForUnknownEnumMembersOnEveryPage) {
  script.Answer(200, R"({"value":[]})");
  script.Answer(200, R"({"value":[]})");
  ASSERT_TRUE(client.Get(signins, url, refusals, {}));
  ASSERT_TRUE(client.Follow(signins, signins.variants[0],
                            "https://graph.microsoft.com/beta/auditLogs/signins?$skiptoken=a%2fb",
                            refusals, {}));
  ASSERT_EQ(script.sent.size(), 2U);
  EXPECT_EQ(script.sent[1].url,
            "https://graph.microsoft.com/beta/auditLogs/signins?$skiptoken=a%2fb");
  for (const HttpRequest& request : script.sent) {
    EXPECT_EQ(FindHeader(request.headers, "Authorization"), "Bearer t0");
    EXPECT_EQ(FindHeader(request.headers, "Prefer"), "include-unknown-enum-members");
    EXPECT_TRUE(FindHeader(request.headers, "client-request-id"));
  }
}

TEST_F(ClientTest, AShortPageStaysReadableWhenItIsMoved) {
  script.Answer(200, R"({"value":[]})");
  auto page = client.Get(signins, url, refusals, {});
  ASSERT_TRUE(page);
  const Page moved = *std::move(page);
  EXPECT_EQ(moved.envelope.records, "[]");
  EXPECT_GE(moved.envelope.records.data(), moved.body->data());
}

// Each sending is a request of its own in Graph's limits: it is the caller's to send it again.
TEST_F(ClientTest, ARefusedTokenIsGivenUpWithTheClaimsThatGraphDemands) {
  script.Answer(
      401, "{}",
      {{"WWW-Authenticate", "Bearer error=\"insufficient_claims\", claims=\"eyJhIjp7fX0=\""}});
  script.Answer(200, R"({"value":[]})");
  const auto refused = client.Get(signins, url, refusals, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kTransient);
  EXPECT_EQ(refused.error().remote_code, kTokenRefused);
  EXPECT_EQ(script.sent.size(), 1U);
  ASSERT_TRUE(client.Get(signins, url, refusals, {}));
  ASSERT_EQ(tokens.rejected.size(), 1U);
  EXPECT_EQ(tokens.rejected[0].first, "t0");
  EXPECT_EQ(tokens.rejected[0].second, R"({"a":{}})");
  EXPECT_EQ(FindHeader(script.sent[1].headers, "Authorization"), "Bearer t1");
}

TEST_F(ClientTest, AChallengeThatComesOnlyWithTheSecondTokenIsMetByAThird) {
  const HttpHeaders challenge = {{"WWW-Authenticate", "Bearer claims=\"eyJhIjp7fX0=\""}};
  script.Answer(401, "");  // revoked; another request met the challenge
  script.Answer(401, "", challenge);
  script.Answer(200, R"({"value":[]})");
  EXPECT_EQ(CodeOf(client.Get(signins, url, refusals, {})), kTokenRefused);
  EXPECT_EQ(CodeOf(client.Get(signins, url, refusals, {})), kTokenRefused);
  ASSERT_TRUE(client.Get(signins, url, refusals, {}));
  EXPECT_EQ(tokens.rejected.back().second, R"({"a":{}})");
  // But no request is challenged without end.
  for (int i = 0; i < 2; ++i) script.Answer(401, "", challenge);
  EXPECT_EQ(CodeOf(client.Get(signins, url, refusals, {})), kTokenRefused);
  EXPECT_EQ(client.Get(signins, url, refusals, {}).error().kind, ErrorKind::kAuth);
}

TEST_F(ClientTest, ASecondRefusalIsAnErrorAndTheNextRequestBeginsAnew) {
  for (int i = 0; i < 3; ++i) script.Answer(401, "");
  EXPECT_EQ(CodeOf(client.Get(signins, url, refusals, {})), kTokenRefused);
  EXPECT_EQ(client.Get(signins, url, refusals, {}).error().kind, ErrorKind::kAuth);
  EXPECT_EQ(CodeOf(client.Get(signins, url, refusals, {})), kTokenRefused);
}

TEST_F(ClientTest, NothingIsSentToAForeignHost) {
  const auto page =
      client.Follow(signins, signins.variants[0],
                    "https://evil.example/beta/auditLogs/signIns?$skiptoken=x", refusals, {});
  ASSERT_FALSE(page);
  EXPECT_TRUE(script.sent.empty());
}

TEST_F(ClientTest, ATimeOutMeansThatTheWindowWasTooWide) {
  script.answers.push_back(Fail({.kind = ErrorKind::kTransient, .remote_code = "timeout"}));
  EXPECT_EQ(client.Get(signins, url, refusals, {}).error().kind, ErrorKind::kShrink);
}

// Opaque, as tokens are.
constexpr const char* kToken = "eyJ0eXAiOiJKV1QifQ.eyJ0aWQiOiJ4In0.c2lnbmF0dXJlIG9mIHRoZSB0b2tlbg";

class OneToken final : public TokenSource {
 public:
  Result<SecretString> Token(std::stop_token) override { return SecretString(kToken); }
  void Reject(std::string_view, std::string_view) override {}
};

TEST_F(ClientTest, NothingIsKeptOfAReplyThatGivesTheTokenBack) {
  OneToken token;
  Client shown{script, token, clock, {}};
  const std::string bearer = std::string("Bearer ") + kToken;
  script.Answer(200, R"({"value":[{"id":"1","userAgent":")" + bearer + "\"}]}");
  script.Answer(200, R"({"value":[]})", {{"X-Seen", bearer}});
  script.Answer(500, R"({"error":{"code":")" + std::string(kToken) + "\"}}",
                {{"request-id", kToken}, {"x-ms-ags-diagnostic", bearer}});
  script.Answer(429, bearer, {{"Retry-After", "3"}});
  testing::internal::CaptureStderr();
  EXPECT_EQ(shown.Get(signins, url, refusals, {}).error().kind, ErrorKind::kUnexpectedReply);
  EXPECT_EQ(shown.Get(signins, url, refusals, {}).error().kind, ErrorKind::kUnexpectedReply);
  const auto failed = shown.Get(signins, url, refusals, {});
  EXPECT_EQ(failed.error().kind, ErrorKind::kTransient);
  EXPECT_EQ(failed.error().message, "Graph answered 500");
  EXPECT_EQ(shown.Get(signins, url, refusals, {}).error().retry_after,
            std::chrono::milliseconds(3000));
  const std::string logged = testing::internal::GetCapturedStderr();
  EXPECT_NE(logged.find("graph.failed"), std::string::npos);
  EXPECT_EQ(logged.find("eyJ0"), std::string::npos) << logged;
}

TEST_F(ClientTest, AFailureIsLoggedWithWhatSupportAsksFor) {
  script.Answer(503, "",
                {{"Date", "Tue, 24 Nov 2026 09:00:00 GMT"},
                 {"request-id", "e6ea1bde-9f04-46a8-9705-824047cfd611"},
                 {"x-ms-ags-diagnostic", R"({"ServerInfo":{"DataCenter":"West Europe"}})"}});
  testing::internal::CaptureStderr();
  ASSERT_FALSE(client.Get(signins, url, refusals, {}));
  const std::string logged = testing::internal::GetCapturedStderr();
  for (const char* part :
       {"request_id=e6ea1bde-9f04-46a8-9705-824047cfd611", "date=2026-11-24T09:00:00",
        "diagnostic=\"West Europe\"", "client_request_id="}) {
    EXPECT_NE(logged.find(part), std::string::npos) << part << " in " << logged;
  }
}

TEST_F(ClientTest, GraphsTimeGoesOnFromItsNewestDate) {
  EXPECT_FALSE(client.GraphNow());
  script.Answer(503, "",
                {{"Date", "Tue, 24 Nov 2026 09:00:00 GMT"},
                 {"request-id", "420b32d9-fc06-4b81-b524-0ccc046896e2"}});
  ASSERT_FALSE(client.Get(signins, url, refusals, {}));
  clock.steady += std::chrono::seconds(90);
  EXPECT_EQ(client.GraphNow(), ParseRfc3339("2026-11-24T09:01:30Z").value());
  clock.steady += std::chrono::hours(1);
  EXPECT_FALSE(client.GraphNow()) << "a machine that slept does not know what passed";
}

TEST_F(ClientTest, ADateOfWhatStandsBetweenIsNotGraphs) {
  script.Answer(503, "<html>pay</html>", {{"Date", "Tue, 24 Nov 2020 09:00:00 GMT"}});
  ASSERT_FALSE(client.Get(signins, url, refusals, {}));
  EXPECT_FALSE(client.GraphNow());
}

}  // namespace
}  // namespace picket::graph

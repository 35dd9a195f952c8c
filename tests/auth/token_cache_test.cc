#include "auth/token_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "base/text.h"
#include "tests/auth/fakes.h"

namespace picket::auth {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const Guid kTenant = *ParseGuid("99999999-8888-7777-6666-55555555abcd");
const Guid kOther = *ParseGuid("99999999-8888-7777-6666-55555555abce");
constexpr std::string_view kGraph = "https://graph.microsoft.com";
constexpr std::string_view kArm = "https://management.azure.com";

class TokenCacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("PICKET_TEST_SECRET", "s3cr3t", 1);
    app.client_id = "11111111-2222-3333-4444-555555555555";
    app.by_certificate = false;
    app.client_secret = SecretRef{.store = "env", .key = "PICKET_TEST_SECRET"};
    endpoint.Now(GivesTokens());
  }
  // "token-1", "token-2", … of an hour each.
  ScriptedEndpoint::Answer GivesTokens() {
    return [this](const HttpRequest&, std::stop_token) {
      return HttpResponse{.status = 200,
                          .body = R"({"token_type":"Bearer","expires_in":3600,)"
                                  R"("access_token":"token-)" +
                                  std::to_string(++given) + "\"}"};
    };
  }
  static ScriptedEndpoint::Answer Refuses(int number, int status = 401, HttpHeaders headers = {}) {
    return Always(status,
                  R"({"error":"invalid_client","error_codes":[)" + std::to_string(number) + "]}",
                  std::move(headers));
  }
  // The token's text, or the kind of error.
  std::string Get(const Guid& tenant = kTenant, std::string_view audience = kGraph) {
    const auto token = cache.Get(app, tenant, audience, {});
    return token ? std::string(token->Reveal()) : std::string(ErrorKindName(token.error().kind));
  }

  HandClock clock;
  std::atomic<int> given{0};
  ScriptedEndpoint endpoint{Always(500, "")};
  TokenClient client{endpoint, clock, "https://login.example"};
  TokenCache cache{client, clock};
  AppSettings app;
};

TEST_F(TokenCacheTest, KeepsATokenUntilFiveMinutesBeforeItsEnd) {
  EXPECT_EQ(Get(), "token-1");
  clock.Pass(kMinute * 55 - kSecond);
  EXPECT_EQ(Get(), "token-1");
  clock.Pass(kSecond);
  EXPECT_EQ(Get(), "token-2");
  EXPECT_EQ(endpoint.count(), 2U);
}

TEST_F(TokenCacheTest, KeepsTokensOfTenantsAudiencesAndApplicationsApart) {
  EXPECT_EQ(Get(kTenant, kGraph), "token-1");
  EXPECT_EQ(Get(kOther, kGraph), "token-2");
  EXPECT_EQ(Get(kTenant, kArm), "token-3");
  app.name = "second";
  EXPECT_EQ(Get(kTenant, kGraph), "token-4");
  app.name = "";
  EXPECT_EQ(Get(kTenant, kGraph), "token-1");
  EXPECT_EQ(Get(kOther, kGraph), "token-2");
  EXPECT_EQ(Get(kTenant, kArm), "token-3");
}

TEST_F(TokenCacheTest, AsksOnceForManyThreads) {
  constexpr int kThreads = 16;
  std::latch all(kThreads + 1);
  endpoint.Now([this, &all](const HttpRequest& request, std::stop_token stop) {
    all.arrive_and_wait();  // answered only when all threads want the token
    return GivesTokens()(request, std::move(stop));
  });
  std::atomic<int> got{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        all.count_down();
        if (Get() == "token-1") ++got;
      });
    }
  }
  EXPECT_EQ(got, kThreads);
  EXPECT_EQ(endpoint.count(), 1U);
}

TEST_F(TokenCacheTest, SharesOneRefusalAmongManyThreads) {
  constexpr int kThreads = 8;
  std::latch all(kThreads + 1);
  endpoint.Now([&](const HttpRequest& request, std::stop_token stop) {
    all.arrive_and_wait();
    return Refuses(7000222)(request, std::move(stop));
  });
  std::atomic<int> refused{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        all.count_down();
        if (Get() == "auth") ++refused;
      });
    }
  }
  EXPECT_EQ(refused, kThreads);
  EXPECT_EQ(endpoint.count(), 1U);
}

TEST_F(TokenCacheTest, DoesNotHoldUpOneTenantForAnother) {
  std::latch other_done(1);
  endpoint.Now([&](const HttpRequest& request, std::stop_token stop) {
    if (request.url.find(ToString(kTenant)) != std::string::npos) other_done.wait();
    return GivesTokens()(request, std::move(stop));
  });
  std::jthread slow([&] { EXPECT_EQ(Get(kTenant), "token-2"); });
  EXPECT_EQ(Get(kOther), "token-1");
  other_done.count_down();
}

TEST_F(TokenCacheTest, LetsOthersUseTheGoodTokenWhileOneRenewsIt) {
  ASSERT_EQ(Get(), "token-1");
  clock.Pass(kMinute * 56);
  std::latch asked(1);
  std::latch answer(1);
  endpoint.Now([&](const HttpRequest& request, std::stop_token stop) {
    asked.count_down();
    answer.wait();
    return GivesTokens()(request, std::move(stop));
  });
  std::jthread renewing([&] { EXPECT_EQ(Get(), "token-2"); });
  asked.wait();
  EXPECT_EQ(Get(), "token-1");
  answer.count_down();
}

TEST_F(TokenCacheTest, LetsAWaitingThreadStop) {
  std::latch asked(1);
  std::latch answer(1);
  endpoint.Now([&](const HttpRequest& request, std::stop_token stop) {
    asked.count_down();
    answer.wait();
    return GivesTokens()(request, std::move(stop));
  });
  std::jthread first([&] { EXPECT_EQ(Get(), "token-1"); });
  asked.wait();
  std::stop_source source;
  source.request_stop();
  const auto token = cache.Get(app, kTenant, kGraph, source.get_token());
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().kind, ErrorKind::kCancelled);
  answer.count_down();
}

TEST_F(TokenCacheTest, DoesNotRememberAStopAsAFailure) {
  endpoint.Now([](const HttpRequest&, std::stop_token) -> Result<HttpResponse> {
    return Fail({.kind = ErrorKind::kCancelled, .message = "stopped"});
  });
  EXPECT_EQ(Get(), "cancelled");
  endpoint.Now(GivesTokens());
  EXPECT_EQ(Get(), "token-1");
}

TEST_F(TokenCacheTest, AnswersARefusedCredentialFromMemoryForAMinute) {
  endpoint.Now(Refuses(7000215));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Get(), "auth");
  EXPECT_EQ(endpoint.count(), 1U);
  EXPECT_EQ(Get(kOther), "auth");  // another tenant may say otherwise: asked
  EXPECT_EQ(endpoint.count(), 2U);
  clock.Pass(kMinute - kSecond);
  EXPECT_EQ(Get(), "auth");
  EXPECT_EQ(endpoint.count(), 2U);
  clock.Pass(kSecond);
  endpoint.Now(GivesTokens());
  EXPECT_EQ(Get(), "token-1");
}

TEST_F(TokenCacheTest, AsksAgainAfterFiveMinutesWhatOnlyAnAdministratorRepairs) {
  for (const int number : {90002, 7000229}) {
    endpoint.Now(Refuses(number, 400));
    const std::string kind = Get();
    const std::size_t asked = endpoint.count();
    clock.Pass(kMinute * 4);
    EXPECT_EQ(Get(), kind);
    EXPECT_EQ(endpoint.count(), asked);
    clock.Pass(kMinute);
    EXPECT_EQ(Get(), kind);
    EXPECT_EQ(endpoint.count(), asked + 1);
    clock.Pass(kHour);
  }
}

TEST_F(TokenCacheTest, SeesAMendedFileAtOnce) {
  unsetenv("PICKET_TEST_SECRET");
  EXPECT_EQ(Get(), "invalid_config");
  setenv("PICKET_TEST_SECRET", "s3cr3t", 1);
  clock.Pass(kSecond);
  EXPECT_EQ(Get(), "token-1");
}

TEST_F(TokenCacheTest, ObeysAThrottlingAndCountsItDown) {
  endpoint.Now(Always(429, "", {{"Retry-After", "40"}}));
  auto token = cache.Get(app, kTenant, kGraph, {});
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().retry_after, seconds(40));
  clock.Pass(kSecond * 15);
  token = cache.Get(app, kTenant, kGraph, {});
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().kind, ErrorKind::kThrottled);
  EXPECT_EQ(token.error().retry_after, seconds(25));
  EXPECT_EQ(endpoint.count(), 1U);
  endpoint.Now(GivesTokens());
  clock.Pass(kSecond * 25);
  EXPECT_EQ(Get(), "token-1");
}

TEST_F(TokenCacheTest, UsesTheOldTokenWhileItsRenewalFailsButDoesNotHammer) {
  ASSERT_EQ(Get(), "token-1");
  clock.Pass(kMinute * 56);
  endpoint.Now(Refuses(7000222));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Get(), "token-1");
  EXPECT_EQ(endpoint.count(), 2U);
  clock.Pass(kMinute * 3 + kSecond * 45);  // 15 s before its end
  EXPECT_EQ(Get(), "auth");
  EXPECT_EQ(endpoint.count(), 3U);
}

TEST_F(TokenCacheTest, IsNotShutOutByAStepOfTheWallClock) {
  clock.StepWall(kDay * 300);
  endpoint.Now(Refuses(7000215));
  EXPECT_EQ(Get(), "auth");
  clock.StepWall(kDay * -300);
  clock.Pass(kMinute);
  endpoint.Now(GivesTokens());
  EXPECT_EQ(Get(), "token-1");
}

TEST_F(TokenCacheTest, GetsAnotherTokenAfterAResourceRefusedOne) {
  ASSERT_EQ(Get(), "token-1");
  cache.Reject(app, kTenant, kGraph, "token-1", R"({"access_token":{}})");
  EXPECT_EQ(Get(), "token-2");
  EXPECT_THAT(endpoint.requests().at(1).body, HasSubstr("&claims=%7B%22access_token%22%3A"));
  // The challenge was for that one request.
  cache.Reject(app, kTenant, kGraph, "token-2", "");
  EXPECT_EQ(Get(), "token-3");
  EXPECT_THAT(endpoint.requests().at(2).body, Not(HasSubstr("claims")));
}

constexpr const char* kClaims = R"({"access_token":{"nbf":{"value":"1604106651"}}})";

TEST_F(TokenCacheTest, KeepsAChallengeThatComesAfterTheTokenWasDropped) {
  ASSERT_EQ(Get(), "token-1");
  cache.Reject(app, kTenant, kGraph, "token-1", "");  // one request was refused without a word,
  cache.Reject(app, kTenant, kGraph, "token-1", kClaims);  // another with the reason
  EXPECT_EQ(Get(), "token-2");
  EXPECT_THAT(endpoint.requests().at(1).body, HasSubstr("&claims=%7B%22access_token%22%3A"));
}

TEST_F(TokenCacheTest, RenewsATokenThatWasGivenWithoutTheClaimsOfALateChallenge) {
  ASSERT_EQ(Get(), "token-1");
  cache.Reject(app, kTenant, kGraph, "token-1", "");
  ASSERT_EQ(Get(), "token-2");
  cache.Reject(app, kTenant, kGraph, "token-1", kClaims);
  EXPECT_EQ(Get(), "token-3");
  EXPECT_THAT(endpoint.requests().at(2).body, HasSubstr("&claims="));
  cache.Reject(app, kTenant, kGraph, "token-1", kClaims);  // the same, later still: it is met
  EXPECT_EQ(Get(), "token-3");
  cache.Reject(app, kTenant, kGraph, "token-3", kClaims);  // not met after all
  EXPECT_EQ(Get(), "token-4");
}

TEST_F(TokenCacheTest, AsksAgainWhenAChallengeComesWhileItAsks) {
  ASSERT_EQ(Get(), "token-1");
  cache.Reject(app, kTenant, kGraph, "token-1", "");
  const auto give = GivesTokens();
  endpoint.Now([&, give](const HttpRequest& request, std::stop_token stop) {
    cache.Reject(app, kTenant, kGraph, "token-1", kClaims);
    return give(request, std::move(stop));
  });
  Get();
  ASSERT_EQ(endpoint.count(), 3U);
  EXPECT_THAT(endpoint.requests().at(1).body, Not(HasSubstr("claims")));
  EXPECT_THAT(endpoint.requests().at(2).body, HasSubstr("&claims="));
}

TEST_F(TokenCacheTest, ThrowsAwayOnlyTheTokenThatWasRefused) {
  ASSERT_EQ(Get(), "token-1");
  cache.Reject(app, kTenant, kGraph, "token-1", "");
  ASSERT_EQ(Get(), "token-2");
  cache.Reject(app, kTenant, kGraph, "token-1", "");  // a slow thread's late news
  cache.Reject(app, kOther, kGraph, "token-2", "");
  EXPECT_EQ(Get(), "token-2");
  EXPECT_EQ(endpoint.count(), 2U);
}

TEST_F(TokenCacheTest, TellsTheRolesOfTheTokenLastGiven) {
  EXPECT_EQ(cache.Roles(app, kTenant, kGraph), std::nullopt);
  const std::string jwt =
      "e30." +
      Base64UrlEncode(R"({"roles":["AuditLog.Read.All"],"tid":")" + ToString(kTenant) + "\"}") +
      ".e30";
  endpoint.Now(
      Always(200, R"({"token_type":"Bearer","expires_in":3600,"access_token":")" + jwt + "\"}"));
  ASSERT_EQ(Get(), jwt);
  EXPECT_THAT(cache.Roles(app, kTenant, kGraph),
              testing::Optional(ElementsAre("AuditLog.Read.All")));
}

}  // namespace
}  // namespace picket::auth

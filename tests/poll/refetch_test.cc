// A new or changed detection has its sign-in fetched again by its id: what may come instead of the
// sign-in, and what then becomes of it.

#include <gtest/gtest.h>

#include <algorithm>

#include "agent/poll/poller.h"
#include "tests/poll/poll_fixture.h"

namespace picket::poll {
namespace {

const Instant kStart = ParseRfc3339("2026-11-24T10:00:00Z").value();
constexpr const char* kInteractive = "signIns.interactive";
constexpr const char* kDetections = "riskDetections";

class RefetchTest : public testing::Test {
 protected:
  RefetchTest() : bench(clock, dir.path(), "contoso", 1, {kInteractive, kDetections}) {
    bench.settings.backfill = {};
    bench.settings.reconcile_after = {};  // nothing else reads a sign-in again
  }

  // One that was read, and has changed since.
  void ReadSignIn(const char* id) {
    bench.graph.Emit(kInteractive,
                     {.id = id, .time = kStart - kMinute * 20, .visible = kStart - kMinute * 19});
    bench.Round();
    ASSERT_EQ(VersionOf(id), 0);
    clock.Pass(kHour);
    bench.graph.Change(kInteractive, id);
  }
  void Detect(const std::string& sign_in, Timespan ago = kMinute * 5) {
    bench.graph.Emit(kDetections, {.id = "d" + sign_in,
                                   .time = clock.True() - ago,
                                   .visible = clock.True(),
                                   .version = 0,
                                   .request_id = sign_in});
  }
  // Rounds every five minutes until the time has passed.
  void Play(Timespan span) {
    for (const Instant end = clock.True() + span; clock.True() < end;) {
      clock.Pass(kMinute * 5);
      bench.Round({.all_streams = true});
    }
  }
  // -1: it is not there.
  int VersionOf(const std::string& id) {
    const std::string json = bench.JsonOf(kInteractive, id);
    return json.find("version-1") != std::string::npos   ? 1
           : json.find("version-0") != std::string::npos ? 0
                                                         : -1;
  }
  // How often a sign-in was asked for by its id.
  std::ptrdiff_t Asked(const std::string& id) {
    const std::vector<std::string> urls = bench.graph.urls();
    return std::count_if(urls.begin(), urls.end(), [&](const std::string& url) {
      return url.ends_with("auditLogs/signIns/" + id);
    });
  }

  ScratchDirectory dir{ScratchDirectory::Where::kMemory};
  PlayClock clock{kStart};
  Bench bench;
};

// What stands for the sign-in for some time, and leaves the streams alone.
class NotNow : public RefetchTest, public testing::WithParamInterface<HttpResponse> {};

TEST_P(NotNow, TheSignInIsFetchedInALaterRoundAlsoOfAnotherProcess) {
  ReadSignIn("s");
  Detect("s");
  bench.graph.AnswerItems(GetParam());
  Play(kMinute * 10);
  bench.Restart();
  Play(kMinute * 10);
  EXPECT_EQ(VersionOf("s"), 0);
  EXPECT_EQ(bench.Stored(kInteractive), std::set<std::string>{"s"});
  EXPECT_EQ(bench.StatusOf(kInteractive).state, "ok");
  EXPECT_EQ(bench.StatusOf(kDetections).state, "ok");
  const std::ptrdiff_t before = Asked("s");
  EXPECT_GE(before, 2);
  bench.graph.AnswerItems(std::nullopt);
  Play(kMinute * 10);
  EXPECT_EQ(VersionOf("s"), 1);
  Play(kHour);
  EXPECT_EQ(Asked("s"), before + 1) << "once it is fetched, that is all";
}

TEST_P(NotNow, IsBelievedAfterADozenRounds) {
  bench.Round();
  Detect("never", kMinute * -1);
  bench.graph.AnswerItems(GetParam());
  Play(kHour * 3);
  const std::ptrdiff_t asked = Asked("never");
  EXPECT_GE(asked, 12);
  Play(kHour);
  EXPECT_EQ(Asked("never"), asked);
  bench.graph.AnswerItems(std::nullopt);
  EXPECT_EQ(bench.StatusOf(kInteractive).state, "ok");
}

HttpResponse Body(int status, std::string body) {
  return {.status = status, .headers = {}, .body = std::move(body)};
}

INSTANTIATE_TEST_SUITE_P(
    Answers, NotNow,
    testing::Values(
        Body(503, ""),
        // Licensed tenants are told this now and then.
        Body(403, R"({"error":{"code":"Authentication_RequestFromNonPremiumTenantOrB2CTenant"}})"),
        Body(403, R"({"error":{"code":"Authorization_RequestDenied","message":"no"}})"),
        // A list stands where the record should.
        Body(200, R"({"value":[]})"),
        Body(200, R"({"value":[{"id":"x","createdDateTime":"2026-11-24T10:30:00Z"}]})"),
        Body(200, "<html>sign in to the hotel's network</html>"), Body(200, R"({"id":7)")),
    [](const auto& test) {
      return std::to_string(test.param.status) + "_" + std::to_string(test.index);
    });

// Graph keeps sign-ins for less long than detections.
TEST_F(RefetchTest, ASignInThatIsGoneIsAskedForOnce) {
  ReadSignIn("s");
  Detect("gone");
  Detect("s");
  Play(kHour * 2);
  EXPECT_EQ(Asked("gone"), 1);
  EXPECT_EQ(VersionOf("s"), 1) << "another's fate is not its own";
  EXPECT_EQ(bench.StatusOf(kInteractive).state, "ok");
}

TEST_F(RefetchTest, ASignInWhoseFetchingALongWaitBrokeOffIsFetchedInALaterRound) {
  ReadSignIn("s");
  Detect("s", kMinute * 6);
  Detect("gone");
  bench.graph.AnswerItems(
      HttpResponse{.status = 429, .headers = {{"Retry-After", "600"}}, .body = ""});
  Play(kMinute * 5);
  bench.graph.AnswerItems(std::nullopt);
  Play(kMinute * 30);
  EXPECT_EQ(VersionOf("s"), 1);
}

// The token was refused: the request is sent again with a new one, and counts as it would have.
TEST_F(RefetchTest, ARefusedTokenIsRenewedForTheSignInToo) {
  ReadSignIn("s");
  Detect("s");
  bench.graph.SetFaults({.unauthorized = 400});
  Play(kHour);
  EXPECT_EQ(VersionOf("s"), 1);
}

}  // namespace
}  // namespace picket::poll

// From a risky sign-in to a webhook, by the real program: `once` delivers, a receiver that is away
// is told of, kills in between repeat with the same id, and `outputs` shows and tries.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "tests/base/loopback_server.h"
#include "tests/cli/program.h"

namespace picket {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kRisky =
    R"({"riskLevelDuringSignIn":"high","riskLevelAggregated":"high","riskState":"atRisk"})";
constexpr const char* kKey = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

class OutputsTest : public TenantTest {
 protected:
  void SetUp() override {
    TenantTest::SetUp();
    Write("key", kKey);
    Configure("url = \"" + receiver_.Url("/hook") + "\"\nsecret = \"@{file:key}\"\n");
  }
  void Configure(const std::string& output, const std::string& more = "") {
    WriteConfig({.more = "[[output]]\nname = \"soc\"\ntype = \"webhook\"\n" + output + more});
  }
  std::vector<json> Bodies() {
    const std::lock_guard lock(mutex_);
    std::vector<json> bodies;
    for (const std::string& request : requests_) {
      bodies.push_back(json::parse(request.substr(request.find("\r\n\r\n") + 4)));
    }
    return bodies;
  }
  static json Counts(const Outcome& once) {
    const std::size_t at = once.out.find("{\"tenants\"");
    return json::parse(once.out.substr(at, once.out.find('\n', at) - at));
  }
  static json Soc(const Outcome& outcome) {
    return json::parse(outcome.out.substr(0, outcome.out.find('\n')))["outputs"][0];
  }

  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::atomic<int> status_ = 204;
  LoopbackServer receiver_{[this](Peer& peer, int) {
    for (std::string request; !(request = peer.ReadRequest()).empty();) {
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      if (!peer.Write(fmt::format("HTTP/1.1 {} X\r\nContent-Length: 0\r\n\r\n", status_.load()))) {
        return;
      }
    }
  }};
};

TEST_F(OutputsTest, OnceDeliversAnIncidentThenWhatChangesIt) {
  ASSERT_EQ(Counts(Once())["delivered"], 0);
  Emit(kRisky);
  const Outcome once = Once();
  ASSERT_EQ(once.code, 0) << once.out;
  EXPECT_EQ(Counts(once)["incidents"], 1);
  EXPECT_EQ(Counts(once)["delivered"], 1);
  ASSERT_EQ(Bodies().size(), 1U);
  const json body = Bodies()[0];
  EXPECT_EQ(body["type"], "incident.opened");
  EXPECT_EQ(body["data"]["entity"]["name"], "clara.huber@contoso.example");
  const Outcome shown = Picket("incidents list --format json");
  const json incident = json::parse(shown.out)["incidents"][0];
  EXPECT_EQ(body["data"]["id"], incident["id"]);
  EXPECT_EQ(body["data"]["priority"], incident["priority"]);
  EXPECT_EQ(Counts(Once())["delivered"], 0) << "told once";
  const Outcome status = Picket("status --format json");
  EXPECT_EQ(Soc(status)["state"], "ok");
  EXPECT_EQ(Soc(status)["pending"], 0);
}

TEST_F(OutputsTest, AReceiverThatIsAwayGetsItLaterAndStatusSaysWhatIsWrong) {
  ASSERT_EQ(Once().code, 0);
  status_ = 404;
  Emit(kRisky);
  const Outcome failed = Once();
  EXPECT_EQ(failed.code, 3);
  EXPECT_THAT(failed.out, HasSubstr("output soc: 127.0.0.1 answered 404"));
  EXPECT_THAT(failed.out, HasSubstr("The webhook is gone"));
  EXPECT_EQ(Counts(failed)["delivered"], 0);
  for (const char* command : {"status --format json", "outputs list --format json"}) {
    const json soc = Soc(Picket(command));
    EXPECT_EQ(soc["state"], "failing") << command;
    EXPECT_EQ(soc["pending"], 1);
    EXPECT_THAT(soc["last_error"].get<std::string>(), HasSubstr("404"));
    EXPECT_THAT(soc["hint"].get<std::string>(), HasSubstr("make a new one"));
  }
  EXPECT_THAT(Picket("status").out, HasSubstr("answered 404"));
  EXPECT_THAT(Picket("status --format prometheus").out,
              HasSubstr("picket_output_pending{output=\"soc\"} 1"));
  status_ = 200;
  Pass(kMinute * 20);
  const Outcome mended = Once();
  EXPECT_EQ(mended.code, 0) << mended.out;
  EXPECT_EQ(Counts(mended)["delivered"], 1);
}

TEST_F(OutputsTest, AnAlertOfWhatIsWrongComesByTheOtherOutput) {
  Configure("url = \"" + receiver_.Url("/hook") + "\"\n",
            "[[output]]\nname = \"other\"\ntype = \"webhook\"\nmin_priority = \"P1\"\nurl = \"" +
                receiver_.Url("/other") + "\"\n");
  ASSERT_EQ(Once().code, 0);
  status_ = 410;
  Emit(kRisky);
  EXPECT_EQ(Once().code, 3);
  status_ = 200;
  Pass(kMinute * 20);
  EXPECT_EQ(Once().code, 0);
  int told = 0;
  for (const json& body : Bodies()) told += body["type"] == "agent.alert" ? 1 : 0;
  EXPECT_GE(told, 1);
}

TEST_F(OutputsTest, TestSendsAMarkedIncidentAndSaysWhatIsWrong) {
  const Outcome good = Picket("outputs test soc");
  EXPECT_EQ(good.code, 0) << good.out;
  EXPECT_THAT(good.out, HasSubstr("took the test incident"));
  ASSERT_EQ(Bodies().size(), 1U);
  EXPECT_EQ(Bodies()[0]["type"], "incident.test");
  status_ = 400;
  EXPECT_EQ(Picket("outputs test soc").code, 1);
  const Outcome unknown = Picket("outputs test sco");
  EXPECT_EQ(unknown.code, 1);
  EXPECT_THAT(unknown.out, HasSubstr("Did you mean 'soc'?"));
  Write("key", "whsec_short");
  const Outcome bad = Picket("outputs test soc");
  EXPECT_EQ(bad.code, 78);
  EXPECT_THAT(bad.out, HasSubstr("openssl rand"));
  const Outcome validate = Picket("validate --offline");
  EXPECT_EQ(validate.code, 1);
  EXPECT_THAT(validate.out, HasSubstr("output soc"));
  for (const Outcome* outcome : {&good, &bad, &validate}) {
    EXPECT_THAT(outcome->out, Not(HasSubstr("MfKQ9r8")));
  }
  const Outcome config = Picket("config show");
  EXPECT_THAT(config.out, HasSubstr("@{file:"));
}

TEST_F(OutputsTest, AKillBetweenSendAndAcknowledgementRepeatsWithTheSameId) {
  ASSERT_EQ(Once().code, 0);
  Emit(kRisky);
  std::map<std::string, int> ids;
  // The program dies at one write after the other, until one run has none left.
  for (int at = 1;; ++at) {
    ASSERT_LT(at, 400);
    const Outcome once =
        Shell(fmt::format("PICKET_CRASH_AT={} \"$PICKET\" {}", at * 7, OnceArguments()));
    if (once.code == 0) break;
  }
  for (const json& body : Bodies()) {
    EXPECT_EQ(body["type"], "incident.opened");
  }
  const std::lock_guard lock(mutex_);
  for (const std::string& request : requests_) {
    const std::size_t from = request.find("webhook-id:") + 11;
    ++ids[request.substr(from, request.find('\r', from) - from)];
  }
  ASSERT_EQ(ids.size(), 1U) << "one state, one id";
}

}  // namespace
}  // namespace picket

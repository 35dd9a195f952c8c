// A run right after one that failed asks for nothing: it says what is held back, until when and by
// which error, and ends as the run before it did.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program.h"

namespace picket {
namespace {

using nlohmann::json;
using simulator::FaultKind;
using testing::HasSubstr;

class HeldTest : public TenantTest {
 protected:
  void SetUp() override {
    TenantTest::SetUp();
    good_.streams = "[\"signIns.interactive\", \"riskyUsers\"]";
  }
  // Some seconds after the last run.
  Outcome OnceMore() {
    Pass(kSecond * 5);
    return Picket("once --all-streams --now " + FormatRfc3339(graph_->Now()));
  }
  static json CountsOf(const Outcome& once) {
    const std::size_t begin = once.out.find("{\"tenants\"");
    return json::parse(once.out.substr(begin, once.out.find('\n', begin) - begin), nullptr, false);
  }
  // Both runs end so, and say so; the second one without a request.
  void ExpectTheSameTwice(int code, const std::string& says, const std::string& streams) {
    const Outcome first = Once();
    EXPECT_EQ(first.code, code) << first.out;
    EXPECT_THAT(first.out, HasSubstr(says));
    EXPECT_EQ(CountsOf(first)["held"], 0) << first.out;
    const Outcome second = OnceMore();
    EXPECT_EQ(second.code, code) << second.out;
    EXPECT_THAT(second.out, HasSubstr("contoso: " + streams + ": held back until 20"));
    EXPECT_THAT(second.out, HasSubstr("because of the last error: "));
    EXPECT_THAT(second.out, HasSubstr(says));
    const json counts = CountsOf(second);
    EXPECT_EQ(counts["tenants"], 1) << second.out;
    EXPECT_EQ(counts["failed"], 1) << second.out;
    EXPECT_EQ(counts["held"], 1) << second.out;
  }
};

TEST_F(HeldTest, AfterARefusedCredentialItIsStillRefused) {
  ReadAll();
  Write("wrong", "hunter2");
  WriteConfig({.credential = "credential = \"secret\"\nclient_secret = \"@{file:wrong}\"\n",
               .streams = good_.streams});
  ExpectTheSameTwice(77, "AADSTS7000215", "signIns.interactive, riskyUsers");
  Pass(kHour * 2);
  ExpectNothingLost();
}

TEST_F(HeldTest, AfterGraphCouldNotBeHadItIsStillUnreachable) {
  good_.streams = "[\"signIns.interactive\"]";
  ReadAll();
  WriteConfig(good_);
  graph_->faults().Add({.path = "signIns",
                        .count = 1000,
                        .fault = {.kind = FaultKind::kStatus, .retry_after = "300"}});
  ExpectTheSameTwice(69, "503", "signIns.interactive");
  graph_->faults().Clear();
  Pass(kHour * 2);
  ExpectNothingLost();
}

TEST_F(HeldTest, AfterOneStreamFailedTheRestGoesOn) {
  graph_->AddTenant({.id = tenant_, .licence = simulator::Licence::kP1});
  WriteConfig(good_);
  ExpectTheSameTwice(3, "has no licence for identityProtection/riskyUsers", "riskyUsers");
}

}  // namespace
}  // namespace picket

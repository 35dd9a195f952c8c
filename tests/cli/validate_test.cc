// `validate --offline` finds all that needs no network, and asks nobody.

#include <gmock/gmock.h>

#include "tests/cli/program.h"

namespace picket {
namespace {

using testing::HasSubstr;
using testing::Not;

class OfflineTest : public TenantTest {
 protected:
  Outcome Validate(const ConfigSpec& spec = {}) {
    WriteConfig(spec);
    return Picket("validate --offline");
  }
  static ConfigSpec WithNetwork(const std::string& lines) {
    return {.more = "[network]\n" + lines + "\n"};
  }
};

TEST_F(OfflineTest, AsksNobody) {
  const std::int64_t before = graph_->RequestCount();
  const Outcome outcome = Validate();
  EXPECT_EQ(outcome.code, 0) << outcome.out;
  EXPECT_EQ(graph_->RequestCount(), before);
}

TEST_F(OfflineTest, AnEmptySecretIsFound) {
  for (const char* nothing : {"", "\n"}) {
    Write("secret", nothing);
    const Outcome outcome = Validate();
    EXPECT_EQ(outcome.code, 1) << outcome.out;
    EXPECT_THAT(outcome.out,
                HasSubstr("wrong [app] client_secret: the secret file secret is empty"));
    EXPECT_THAT(outcome.out, HasSubstr("Put the secret into that file"));
  }
}

TEST_F(OfflineTest, ACaFileThatIsNoneIsFound) {
  Write("ca.pem", "no certificate\n");
  for (const char* file : {"ca.pem", "missing.pem"}) {
    const Outcome outcome = Validate(WithNetwork(std::string("ca_file = \"") + file + "\""));
    EXPECT_EQ(outcome.code, 1) << outcome.out;
    EXPECT_THAT(outcome.out, HasSubstr(std::string("wrong [network]: no certificates can be read "
                                                   "from ") +
                                       file));
    EXPECT_THAT(outcome.out, HasSubstr("[network] ca_file must be a PEM file"));
  }
}

TEST_F(OfflineTest, AProxysPasswordThatIsNotThereIsFound) {
  const std::string proxy =
      "proxy = \"http://proxy.example:8080\"\nproxy_user = \"user\"\n"
      "proxy_password = \"@{file:proxy-password}\"";
  const Outcome missing = Validate(WithNetwork(proxy));
  EXPECT_EQ(missing.code, 1) << missing.out;
  EXPECT_THAT(missing.out, HasSubstr("wrong [network]: [network] proxy_password: "));
  Write("proxy-password", "hunter2\n");
  const Outcome there = Validate(WithNetwork(proxy));
  EXPECT_EQ(there.code, 0) << there.out;
  EXPECT_THAT(there.out, HasSubstr("ok    [network], proxy http://proxy.example:8080"));
  EXPECT_THAT(there.out, Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace picket

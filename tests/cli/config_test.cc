// A wrong config: file, line, column and the remedy; exit 78; nothing is touched.

#include <gmock/gmock.h>

#include "tests/cli/program.h"

namespace picket {
namespace {

using testing::HasSubstr;
using testing::Not;

struct BadConfig {
  const char* name;
  const char* replace;  // in the good config …
  const char* with;     // … by this
  std::vector<std::string> says;
};

class BadConfigTest : public TenantTest, public testing::WithParamInterface<BadConfig> {};

TEST_P(BadConfigTest, IsNamedByPlaceAndRemedyAndTouchesNothing) {
  ReadAll();
  std::string text = Read("picket.toml");
  const std::size_t at = text.find(GetParam().replace);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, std::string(GetParam().replace).size(), GetParam().with);
  Write("picket.toml", text);
  Emit();
  for (const char* command :
       {"validate", "once", "run", "status", "query SigninLogs --tenant contoso", "rules list",
        "incidents list", "report", "config show", "import x.json --tenant contoso"}) {
    const Outcome outcome = Picket(command);
    EXPECT_EQ(outcome.code, 78) << command << ": " << outcome.out;
    for (const std::string& words : GetParam().says) {
      EXPECT_THAT(outcome.out, HasSubstr(words)) << command;
    }
    EXPECT_THAT(outcome.out, Not(HasSubstr("hunter2")));
  }
  ExpectNothingLost();
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BadConfigTest,
    testing::Values(
        BadConfig{"UnknownKey",
                  "poll_interval",
                  "pol_interval",
                  {"picket.toml:3:1: unknown key 'pol_interval' in [agent]",
                   "Did you mean 'poll_interval'?"}},
        BadConfig{"UnknownTable",
                  "[retention]",
                  "[retension]",
                  {"unknown key 'retension'", "Did you mean 'retention'?"}},
        BadConfig{"UnknownKeyOfATenant",
                  "streams =",
                  "steams =",
                  {"unknown key 'steams' in [tenant]", "Did you mean 'streams'?"}},
        BadConfig{"KeyTwice",
                  "poll_interval = \"1s\"",
                  "poll_interval = \"1s\"\npoll_interval = \"2s\"",
                  {"picket.toml:4:1: 'poll_interval' stands twice", "Remove one of the two"}},
        BadConfig{"TableTwice",
                  "[retention]",
                  "[poll]",
                  {"picket.toml:13:", "'poll' stands twice", "Remove one of the two"}},
        BadConfig{"LiteralSecret",
                  "@{file:secret}",
                  "hunter2",
                  {"picket.toml:10:17: 'client_secret' of [app]",
                   "a secret must be a reference, not the secret itself", "@{env:NAME}"}},
        BadConfig{"SecretInALineThatIsNoToml",
                  "\"@{file:secret}\"",
                  "hunter2",
                  {"picket.toml:10:", "this is not TOML", "quotes"}},
        BadConfig{"UnknownSecretStore",
                  "@{file:secret}",
                  "@{vault:secret}",
                  {"picket.toml:10:17", "unknown secret store 'vault'", "@{file:"}},
        BadConfig{"SampleZeros",
                  "7b2c7e2e-9f0a-4d5b-8a43-0d3c1c1f5a01",
                  "00000000-0000-0000-0000-000000000000",
                  {"'tenant_id' still holds the sample's zeros", "Overview"}},
        BadConfig{"NoGuid",
                  "7b2c7e2e-9f0a-4d5b-8a43-0d3c1c1f5a01",
                  "contoso.example",
                  {"'tenant_id' must be the tenant's GUID", "Overview"}},
        BadConfig{"WrongType",
                  "backfill = \"0\"",
                  "backfill = 0",
                  {"picket.toml:12:12: 'backfill' of [poll] must be a span of time", "5m"}},
        BadConfig{"OutOfRange",
                  "[retention]\n",
                  "[retention]\nevents = \"3d\"\n",
                  {"picket.toml:14:10: 'events' of [retention]", "from 31d"}},
        BadConfig{
            "UnknownStream",
            "signIns.interactive",
            "signIns.interactiv",
            {"there is no stream 'signIns.interactiv'", "Did you mean 'signIns.interactive'?"}},
        BadConfig{"StreamThatIsOnlyImported",
                  "signIns.interactive",
                  "imported.StorageBlobLogs",
                  {"there is no stream 'imported.StorageBlobLogs'"}},
        BadConfig{"PlainHttp",
                  "authority = \"http://127.0.0.1",
                  "authority = \"http://login.example",
                  {"'authority' of [cloud] must be https", "loopback"}},
        BadConfig{"NoTenant", "[[tenant]]", "[[tenants]]", {"unknown key 'tenants'", "'tenant'?"}},
        BadConfig{"UnknownCredential",
                  "credential = \"secret\"",
                  "credential = \"certifcate\"",
                  {"picket.toml:9:14", "'credential' of [app] may be certificate, secret",
                   "Did you mean 'certificate'?"}}),
    [](const auto& one) { return std::string(one.param.name); });

using ConfigFileTest = ProgramTest;

TEST_F(ConfigFileTest, AMissingConfigSaysHowToMakeOne) {
  const Outcome outcome = Picket("status");
  EXPECT_EQ(outcome.code, 78);
  EXPECT_THAT(outcome.out, HasSubstr("picket.toml: there is no such file"));
  EXPECT_THAT(outcome.out, HasSubstr("picket config sample"));
}

TEST_F(ConfigFileTest, AFolderInItsPlaceIsToldApart) {
  const Outcome outcome = Picket("validate --config .");
  EXPECT_EQ(outcome.code, 78);
  EXPECT_THAT(outcome.out, HasSubstr("this is a folder"));
  EXPECT_THAT(outcome.out, HasSubstr("--config"));
}

TEST_F(ConfigFileTest, BytesThatAreNoTextAreNoConfig) {
  for (const std::string& bytes : {std::string("\0\1\2\3", 4), std::string("\xFF\xFE[\0a\0", 6),
                                   std::string("a = \"\xC3\x28\"")}) {
    Write("picket.toml", bytes);
    const Outcome outcome = Picket("validate");
    EXPECT_EQ(outcome.code, 78) << outcome.out;
    EXPECT_THAT(outcome.out, HasSubstr("picket.toml"));
  }
}

TEST_F(ConfigFileTest, AFileThatIsTooLargeIsRefused) {
  Write("picket.toml", std::string(std::size_t{5} << 20, '#'));
  const Outcome outcome = Picket("validate");
  EXPECT_EQ(outcome.code, 78);
  EXPECT_THAT(outcome.out, HasSubstr("is larger than"));
}

TEST_F(ConfigFileTest, TheSampleIsRefusedWhileItsPlaceholdersStand) {
  ASSERT_EQ(Shell("\"$PICKET\" config sample > picket.toml").code, 0);
  const Outcome outcome = Picket("validate");
  EXPECT_EQ(outcome.code, 78);
  EXPECT_THAT(outcome.out, HasSubstr("'client_id' still holds the sample's zeros"));
  EXPECT_THAT(outcome.out, HasSubstr("'tenant_id' still holds the sample's zeros"));
}

// Who may write it chooses whom Picket asks, and with which secret.
TEST_F(ConfigFileTest, AConfigThatEveryUserMayWriteIsRefused) {
  namespace fs = std::filesystem;
  fs::create_directory(dir_ / "tenants.d");
  Write("picket.toml",
        "[app]\nclient_id = \"7b2c7e2e-9f0a-4d5b-8a43-0d3c1c1f5a02\"\n"
        "client_secret = \"@{env:X}\"\n");
  Write("tenants.d/fabrikam.toml",
        "name = \"fabrikam\"\ntenant_id = \"7b2c7e2e-9f0a-4d5b-8a43-0d3c1c1f5a01\"\n");
  EXPECT_EQ(Picket("config show").code, 0);
  for (const char* open : {"picket.toml", "tenants.d", "tenants.d/fabrikam.toml"}) {
    const fs::perms before = fs::status(dir_ / open).permissions();
    fs::permissions(dir_ / open, before | fs::perms::others_write);
    const Outcome outcome = Picket("config show");
    EXPECT_EQ(outcome.code, 78) << outcome.out;
    EXPECT_THAT(outcome.out, HasSubstr(std::string(open) +
                                       ": every user of this machine may write it. See who did, "
                                       "then: chmod o-w " +
                                       open));
    fs::permissions(dir_ / open, before);
  }
  fs::permissions(dir_ / "picket.toml", fs::perms(0664));  // a group is the owner's choice
  EXPECT_EQ(Picket("config show").code, 0);
}

TEST_F(ConfigFileTest, AProblemOfATenantsOwnFileNamesThatFile) {
  std::filesystem::create_directory(dir_ / "tenants.d");
  Write("picket.toml",
        "[app]\nclient_id = \"7b2c7e2e-9f0a-4d5b-8a43-0d3c1c1f5a02\"\n"
        "client_secret = \"@{env:X}\"\n");
  Write("tenants.d/fabrikam.toml", "name = \"fabrikam\"\ntenat_id = \"x\"\n");
  const Outcome outcome = Picket("validate --config picket.toml");
  EXPECT_EQ(outcome.code, 78);
  EXPECT_THAT(outcome.out, HasSubstr("tenants.d/fabrikam.toml:2:1: unknown key 'tenat_id'"));
  EXPECT_THAT(outcome.out, HasSubstr("Did you mean 'tenant_id'?"));
}

}  // namespace
}  // namespace picket

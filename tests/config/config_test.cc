#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "agent/config/load.h"
#include "base/uuid.h"

namespace picket::config {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kGood = R"([app]
client_id = "0f5a1c7e-9a5b-4a0e-8a53-6b6f0c2a7d11"
credential = "secret"
client_secret = "@{env:PICKET_SECRET}"

[[tenant]]
name = "contoso"
tenant_id = "2ad3fc79-1859-42fa-9011-6f8df2251b22"
)";

std::string With(const std::string& base, std::string_view from, std::string_view to) {
  std::string text = base;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::vector<std::string> ProblemsOf(const std::string& text) {
  std::vector<std::string> problems;
  for (const Problem& problem : Parse(text, "picket.toml").problems) {
    problems.push_back(ToString(problem));
  }
  return problems;
}

TEST(ConfigTest, AShortConfigIsEnough) {
  const LoadedConfig loaded = Parse(kGood, "picket.toml");
  EXPECT_THAT(ProblemsOf(kGood), testing::IsEmpty());
  ASSERT_EQ(loaded.settings.tenants.size(), 1U);
  EXPECT_EQ(loaded.settings.tenants[0].name, "contoso");
  EXPECT_FALSE(loaded.settings.apps.at("").by_certificate);
  EXPECT_EQ(loaded.settings.poll.retention, kDay * 90);
}

TEST(ConfigTest, TheSampleIsGoodOnceItsPlaceholdersAreFilled) {
  constexpr const char* kZeros = "00000000-0000-0000-0000-000000000000";
  const std::string sample(SampleConfig());
  EXPECT_THAT(ProblemsOf(sample), ElementsAre(HasSubstr("'client_id' still holds the sample's"),
                                              HasSubstr("'tenant_id' still holds the sample's")));
  const std::string app = With(sample, kZeros, "0f5a1c7e-9a5b-4a0e-8a53-6b6f0c2a7d11");
  EXPECT_THAT(ProblemsOf(With(app, kZeros, "2ad3fc79-1859-42fa-9011-6f8df2251b22")),
              testing::IsEmpty());
}

// Every "# key = value" of the sample is a key that is known, with a value that is allowed.
TEST(ConfigTest, EveryKeyThatTheSampleCommentsOutIsKnown) {
  std::string text;
  const std::string sample(SampleConfig());
  for (std::size_t at = 0; at < sample.size();) {
    const std::size_t end = sample.find('\n', at);
    std::string line = sample.substr(at, end - at);
    at = end + 1;
    const bool key = line.rfind("# ", 0) == 0 && line.find(" = ") != std::string::npos &&
                     line.find(' ', 2) == line.find(" = ");
    text += (key ? line.substr(2) : line) + "\n";
  }
  EXPECT_NE(text, sample);
  EXPECT_THAT(ProblemsOf(text), Not(Contains(HasSubstr("unknown key"))));
  EXPECT_THAT(ProblemsOf(text), Not(Contains(HasSubstr("TOML"))));
}

TEST(ConfigTest, AnUnknownKeyIsNamedWithItsPlaceAndTheNearest) {
  EXPECT_THAT(ProblemsOf(With(kGood, "credential =", "credentail =")),
              Contains("picket.toml:3:1: unknown key 'credentail' in [app]. Did you mean "
                       "'credential'?"));
}

TEST(ConfigTest, AKeyThatStandsTwiceIsNamedWithItsPlace) {
  EXPECT_THAT(ProblemsOf(With(kGood, "credential =", "client_id = \"x\"\ncredential =")),
              ElementsAre(HasSubstr("picket.toml:3:1: 'client_id' stands twice")));
}

TEST(ConfigTest, ALiteralSecretIsRefusedAndNotPrinted) {
  const std::string text = With(kGood, "@{env:PICKET_SECRET}", "Hunter2~very.secret");
  const std::vector<std::string> problems = ProblemsOf(text);
  ASSERT_FALSE(problems.empty());
  EXPECT_THAT(problems, Contains(HasSubstr("picket.toml:4:")));
  for (const std::string& problem : problems) EXPECT_THAT(problem, Not(HasSubstr("Hunter2")));
}

TEST(ConfigTest, ASecretInALineThatIsNoTomlIsNotPrinted) {
  for (const char* broken : {"client_secret = Hunter2~very", "client_secret = \"Hunter2",
                             "client_secret \"Hunter2\"", "client_secret = '''Hunter2"}) {
    const std::vector<std::string> problems =
        ProblemsOf(With(kGood, "client_secret = \"@{env:PICKET_SECRET}\"", broken));
    EXPECT_EQ(problems.size(), 1U) << broken;
    for (const std::string& problem : problems) {
      EXPECT_THAT(problem, Not(HasSubstr("Hunter2")));
      EXPECT_THAT(problem, HasSubstr("picket.toml:"));
    }
  }
}

constexpr const char* kHook =
    "[[output]]\nname = \"soc\"\ntype = \"webhook\"\nurl = \"https://soc.example.com/x\"\n";

TEST(ConfigTest, TheOutputsThatTheSampleShowsAreGood) {
  std::string text;
  const std::string sample(SampleConfig());
  for (std::size_t at = sample.find("\n#   [[output]]"); at < sample.size();) {
    const std::size_t end = sample.find('\n', at + 1);
    const std::string line = sample.substr(at + 1, end - at - 1);
    text += (line.size() > 4 ? line.substr(4) : "") + "\n";
    at = end;
  }
  EXPECT_THAT(ProblemsOf(kGood + text), testing::IsEmpty());
  EXPECT_EQ(Parse(kGood + text, "picket.toml").settings.outputs.size(), 2U);
}

TEST(ConfigTest, OutputsAreRead) {
  const std::string text = std::string(kGood) + kHook +
                           "min_priority = \"P2\"\nsecret = \"@{env:KEY}\"\n"
                           "[[output]]\nname = \"siem\"\ntype = \"syslog\"\n"
                           "address = \"tcp://[::1]:6514\"\nformat = \"cef\"\n"
                           "tenants = [\"contoso\"]\n";
  EXPECT_THAT(ProblemsOf(text), testing::IsEmpty());
  const auto outputs = Parse(text, "picket.toml").settings.outputs;
  ASSERT_EQ(outputs.size(), 2U);
  EXPECT_EQ(outputs[0].min_priority, alerts::Priority::kP2);
  EXPECT_EQ(std::get<outputs::WebhookSettings>(outputs[0].way).secret->key, "KEY");
  const auto& syslog = std::get<outputs::SyslogSettings>(outputs[1].way);
  EXPECT_EQ(ToString(syslog.to), "tcp://[::1]:6514");
  EXPECT_EQ(syslog.format, outputs::SyslogFormat::kCef);
  EXPECT_EQ(outputs[1].tenants, std::vector<std::string>{"contoso"});
}

TEST(ConfigTest, AnOutputThatCannotWorkIsRefusedWithPlaceAndRemedy) {
  struct Case {
    const char* from;
    const char* to;
    std::vector<const char*> says;
  };
  for (const Case& one : std::vector<Case>{
           {"name = \"soc\"", "name = \"S O C\"", {"picket.toml:10:8:", "a-z, 0-9 and -"}},
           {"type = \"webhook\"", "type = \"webhok\"", {":11:8:", "Did you mean 'webhook'?"}},
           {"type = \"webhook\"\n", "", {"'type' of [output] is missing"}},
           {"url =", "ulr =", {"Did you mean 'url'?"}},
           {"https://soc", "http://soc", {":12:7:", "must be https"}},
           {"type =", "format = \"slack\"\ntype =", {"is a secret", "@{file:"}},
           {"type =", "secret = \"whsec_literal\"\ntype =", {"must be a reference"}},
           {"type =", "tenants = [\"contso\"]\ntype =", {":11:11:", "Did you mean 'contoso'?"}},
           {"type =", "tenants = []\ntype =", {"names none"}},
           {"type =", "address = \"/dev/log\"\ntype =", {"unknown key 'address'"}},
           {"type = \"webhook\"\nurl = \"https://soc.example.com/x\"",
            "type = \"syslog\"\naddress = \"soc:514\"",
            {":12:11:", "udp://HOST:514"}},
           {"[[output]]\nname", "[output.soc]\nname", {"must be written as [[output]]"}}}) {
    const std::string hook = With(kHook, one.from, one.to);
    const std::vector<std::string> problems = ProblemsOf(std::string(kGood) + hook);
    for (const char* words : one.says) {
      EXPECT_THAT(problems, Contains(HasSubstr(words))) << hook;
    }
    EXPECT_THAT(problems, Not(Contains(HasSubstr("whsec_literal"))));
  }
  EXPECT_THAT(ProblemsOf(std::string(kGood) + kHook + kHook),
              ElementsAre(HasSubstr("an output at picket.toml:10:8 is named 'soc' too")));
}

TEST(ConfigTest, ATenantIdThatIsNoGuidIsRefused) {
  EXPECT_THAT(ProblemsOf(With(kGood, "2ad3fc79-", "2ad3-")),
              ElementsAre(testing::StartsWith("picket.toml:8:13: 'tenant_id' must be the")));
}

TEST(ConfigTest, PlainHttpIsForLoopbackOnly) {
  const std::string cloud = "[cloud]\ngraph = \"http://graph.example\"\n";
  EXPECT_THAT(ProblemsOf(cloud + kGood), ElementsAre(HasSubstr("must be https")));
  EXPECT_THAT(ProblemsOf(With(cloud, "graph.example", "127.0.0.1:8080") + kGood),
              testing::IsEmpty());
  EXPECT_THAT(
      ProblemsOf(With(cloud, "http://graph.example", "https://127.0.0.1@evil.example") + kGood),
      testing::SizeIs(1));
}

TEST(ConfigTest, AnEndpointHasNeitherPathNorQueryAndThePlaceIsNamed) {
  const std::string good = kGood;
  const auto problems = [&](const std::string& line) {
    return ProblemsOf("[cloud]\n" + line + "\n" + good);
  };
  for (const char* bad :
       {"https://graph.example/v1.0", "https://graph.example/?x=1", "https://graph.example?x"}) {
    EXPECT_THAT(problems(std::string("graph = \"") + bad + "\""),
                ElementsAre("picket.toml:2:9: 'graph' of [cloud] may have no path and no query: "
                            "Picket appends its own. Write graph = \"https://graph.example\"."));
  }
  EXPECT_THAT(problems("authority = \"https://login.example/common/oauth2/v2.0/token\""),
              ElementsAre(testing::AllOf(
                  testing::StartsWith("picket.toml:2:13: 'authority' of [cloud] may have no path"),
                  HasSubstr("Write authority = \"https://login.example\"."))));
  EXPECT_THAT(problems("arm = \"https://arm.example/subscriptions\""),
              ElementsAre(HasSubstr("picket.toml:2:7: 'arm' of [cloud] may have no path")));
  EXPECT_THAT(problems("graph = \"https://graph.example#x\""),
              ElementsAre(HasSubstr("picket.toml:2:9: 'graph' of [cloud] may have no fragment")));
  const LoadedConfig slash =
      Parse("[cloud]\ngraph = \"https://graph.example/\"\n" + good, "picket.toml");
  EXPECT_THAT(slash.problems, testing::IsEmpty());
  EXPECT_EQ(slash.settings.cloud.graph, "https://graph.example");
}

// What monitors give out has both.
TEST(ConfigTest, TheHeartbeatMayHavePathAndQuery) {
  const std::string url = "https://beat.example/api/push/x?status=up&msg=OK";
  const LoadedConfig loaded =
      Parse("[agent]\nheartbeat_url = \"" + url + "\"\n" + std::string(kGood), "picket.toml");
  EXPECT_THAT(loaded.problems, testing::IsEmpty());
  EXPECT_EQ(loaded.settings.heartbeat_url, url);
}

TEST(ConfigTest, AProxysPasswordIsAReferenceLikeAnyOther) {
  const std::string good = kGood;
  const auto problems = [&](const std::string& lines) {
    return ProblemsOf("[network]\n" + lines + good);
  };
  for (const std::string& problem :
       problems("proxy = \"http://user:hunter2@proxy.example:8080\"\n")) {
    EXPECT_EQ(problem,
              "picket.toml:2:9: 'proxy' of [network] may hold no user and no password. Write proxy "
              "= \"http://host:port\", proxy_user = \"NAME\" and proxy_password = "
              "\"@{file:/path}\".");
  }
  const std::string proxy = "proxy = \"http://proxy.example:8080\"\n";
  for (const std::string& problem :
       problems(proxy + "proxy_user = \"user\"\nproxy_password = \"hunter2\"\n")) {
    EXPECT_THAT(problem, HasSubstr("picket.toml:4:18: 'proxy_password' of [network]: a secret must "
                                   "be a reference"));
    EXPECT_THAT(problem, Not(HasSubstr("hunter2")));
  }
  EXPECT_THAT(
      problems(proxy + "proxy_user = \"user:hunter2\"\nproxy_password = \"@{env:X}\"\n"),
      ElementsAre(HasSubstr("picket.toml:3:14: 'proxy_user' of [network] may hold no colon")));
  EXPECT_THAT(problems(proxy + "proxy_user = \"user\"\n"),
              ElementsAre(HasSubstr("picket.toml:3:14: a proxy's user needs both")));
  EXPECT_THAT(problems(proxy + "proxy_password = \"@{env:X}\"\n"),
              ElementsAre(HasSubstr("picket.toml:3:18: a proxy's user needs both")));
  EXPECT_THAT(problems("proxy_user = \"user\"\nproxy_password = \"@{env:X}\"\n"),
              ElementsAre(HasSubstr("picket.toml:3:18: [network] has a password and no 'proxy'")));
  EXPECT_THAT(
      problems("proxy = \"proxy.example\"\n"),
      ElementsAre(HasSubstr("picket.toml:2:9: 'proxy' of [network] must be http://host:port")));
  const LoadedConfig loaded = Parse("[network]\n" + proxy +
                                        "proxy_user = \"user\"\n"
                                        "proxy_password = \"@{credential:proxy}\"\n" +
                                        good,
                                    "picket.toml");
  EXPECT_THAT(loaded.problems, testing::IsEmpty());
  EXPECT_EQ(loaded.settings.network.proxy_user, "user");
  EXPECT_EQ(loaded.settings.network.proxy_password->key, "proxy");
}

TEST(ConfigTest, AListOfNoStreamsIsRefused) {
  EXPECT_THAT(ProblemsOf(std::string(kGood) + "streams = []\n"),
              ElementsAre("picket.toml:9:11: 'streams' names none, so that nothing of the tenant "
                          "would be read. Name some, write \"all\", or remove the tenant."));
}

TEST(ConfigTest, AllProblemsAreReportedAtOnce) {
  const std::string text = R"([agent]
workers = 0
poll_intervall = "5m"
[cloud]
preset = "globl"
[app]
client_id = "no"
client_secret = "@{env:X}"
[retention]
events = "1d"
min_free = "lots"
[priority]
high = { low = "P9" }
[[tenant]]
name = "Con toso"
tenant_id = "2ad3fc79-1859-42fa-9011-6f8df2251b22"
streams = ["signIns.interactiv"]
)";
  const std::vector<std::string> problems = ProblemsOf(text);
  for (const char* expected :
       {":2:", ":3:", ":5:", ":7:", ":10:", ":11:", ":13:", ":15:", ":17:"}) {
    EXPECT_THAT(problems, Contains(HasSubstr(std::string("picket.toml") + expected)));
  }
  EXPECT_THAT(problems, Contains(HasSubstr("Did you mean 'signIns.interactive'?")));
  EXPECT_EQ(problems.size(), 9U);
}

TEST(ConfigTest, NamesThatMustBeThereOrBeUniqueAreChecked) {
  const std::string good = kGood;
  const std::string tenant = good.substr(good.find("[[tenant]]"));
  EXPECT_THAT(ProblemsOf(With(kGood, "name = \"contoso\"", "name = \"contoso\"\napp = \"other\"")),
              ElementsAre("picket.toml:8:7: the tenant 'contoso' names [app.other], which is not "
                          "there. Add [app.other], the application's registration."));
  EXPECT_THAT(
      ProblemsOf(With(With(kGood, "[app]", "[app.soc-eu]"), "name =", "app = \"soc-us\"\nname =")),
      ElementsAre(testing::AllOf(testing::StartsWith("picket.toml:7:7: "),
                                 HasSubstr("Did you mean 'soc-eu'?"))));
  EXPECT_THAT(ProblemsOf(tenant), ElementsAre("picket.toml:1:1: the tenant 'contoso' needs an "
                                              "[app]. Add one, or name an [app.NAME] by app = "
                                              "\"NAME\"."));
  EXPECT_THAT(
      ProblemsOf(good + tenant),
      ElementsAre(
          "picket.toml:10:8: a tenant at picket.toml:7:8 is named 'contoso' too. Give one of them "
          "another name, or remove it.",
          "picket.toml:11:13: the tenant at picket.toml:8:13 has this tenant_id too. Correct one "
          "of them, or remove it."));
  EXPECT_THAT(ProblemsOf(good.substr(0, good.find("[[tenant]]"))),
              ElementsAre(HasSubstr("no tenant is configured")));
}

TEST(ConfigTest, Utf16AndWrongTypesAreToldApart) {
  EXPECT_THAT(ProblemsOf("\xFF\xFE["), ElementsAre(HasSubstr("UTF-16")));
  EXPECT_THAT(ProblemsOf("\xEF\xBB\xBF" + std::string(kGood)), testing::IsEmpty());
  EXPECT_THAT(ProblemsOf("app = 3\n"), Contains(HasSubstr("'app' must be a table")));
  EXPECT_THAT(ProblemsOf("tenant = 3\n"), Contains(HasSubstr("[[tenant]]")));
}

TEST(ConfigTest, PrioritiesOfTheConfigReplaceTheDefaults) {
  const LoadedConfig loaded =
      Parse("[priority]\nlow = { high = \"P1\" }\n" + std::string(kGood), "picket.toml");
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.settings.alerts.priorities.Of(alerts::Impact::kLow, rules::Confidence::kHigh),
            alerts::Priority::kP1);
}

class ConfigFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::path(testing::TempDir()) / ("picket-config-" + ToString(Uuid4()));
    std::filesystem::create_directories(directory_ / "tenants.d");
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ / name, std::ios::binary) << text;
  }
  std::filesystem::path directory_;
};

TEST_F(ConfigFolderTest, TenantsMayStandInFilesOfTheirOwn) {
  Write("picket.toml", kGood);
  Write("tenants.d/b.toml",
        "name = \"fabrikam\"\ntenant_id = \"11111111-2222-3333-4444-555555555555\"\n");
  Write("tenants.d/c.toml",
        "[[tenant]]\nname = \"tailspin\"\ntenant_id = \"21111111-2222-3333-4444-555555555555\"\n");
  Write("tenants.d/notes.txt", "not read");
  const LoadedConfig loaded = Load(directory_ / "picket.toml");
  for (const Problem& problem : loaded.problems) ADD_FAILURE() << ToString(problem);
  ASSERT_EQ(loaded.settings.tenants.size(), 3U);
  EXPECT_EQ(loaded.settings.tenants[1].name, "fabrikam");
  EXPECT_EQ(loaded.settings.tenants[2].name, "tailspin");
}

// Wherever Picket is started.
TEST_F(ConfigFolderTest, RelativePathsAreRelativeToTheFolderOfTheConfig) {
  Write("picket.toml", R"([agent]
data_dir = "data/here"
[network]
ca_file = "../ca.pem"
[rules]
paths = ["rules.d", "/etc/picket/rules.d"]
shipped_path = "./shipped"
[app]
client_id = "0f5a1c7e-9a5b-4a0e-8a53-6b6f0c2a7d11"
certificate = "@{file:keys/app.pem}"
certificate_password = "@{env:PASSWORD}"
[app.other]
client_id = "0f5a1c7e-9a5b-4a0e-8a53-6b6f0c2a7d12"
client_secret = "@{file:/etc/picket/secret}"
[[tenant]]
name = "contoso"
tenant_id = "2ad3fc79-1859-42fa-9011-6f8df2251b22"
)");
  const LoadedConfig loaded = Load(directory_ / "picket.toml");
  for (const Problem& problem : loaded.problems) ADD_FAILURE() << ToString(problem);
  const run::Settings& settings = loaded.settings;
  EXPECT_EQ(settings.data_dir, directory_ / "data/here");
  EXPECT_EQ(settings.network.ca_file, (directory_.parent_path() / "ca.pem").string());
  EXPECT_THAT(settings.rule_paths,
              ElementsAre(directory_ / "rules.d", std::filesystem::path("/etc/picket/rules.d")));
  EXPECT_EQ(settings.shipped_path, directory_ / "shipped");
  const auth::AppSettings& app = settings.apps.at("");
  EXPECT_EQ(app.certificate->key, (directory_ / "keys/app.pem").string());
  EXPECT_EQ(app.certificate_password->key, "PASSWORD");
  EXPECT_EQ(settings.apps.at("other").client_secret->key, "/etc/picket/secret");
}

TEST(ConfigTest, OfAConfigInTheWorkingDirectoryRelativePathsStayAsTheyAre) {
  const LoadedConfig loaded =
      Parse("[agent]\ndata_dir = \"data\"\n" + std::string(kGood), "picket.toml");
  EXPECT_EQ(loaded.settings.data_dir, "data");
  EXPECT_EQ(loaded.settings.shipped_path, "") << "what is not set stays so";
  EXPECT_EQ(loaded.settings.network.ca_file, "");
}

TEST_F(ConfigFolderTest, AProblemOfATenantsFileNamesThatFile) {
  Write("picket.toml", kGood);
  Write("tenants.d/b.toml", "name = \"fabrikam\"\ntenant_id = \"x\"\n");
  const LoadedConfig loaded = Load(directory_ / "picket.toml");
  ASSERT_EQ(loaded.problems.size(), 1U);
  EXPECT_THAT(loaded.problems[0].file, HasSubstr("b.toml"));
  EXPECT_EQ(loaded.problems[0].line, 2U);
}

TEST_F(ConfigFolderTest, TenantsThatClashAcrossFilesAreBothNamed) {
  Write("picket.toml", kGood);
  Write("tenants.d/b.toml",
        "name = \"contoso\"\ntenant_id = \"11111111-2222-3333-4444-555555555555\"\n");
  Write("tenants.d/c.toml",
        "name = \"tailspin\"\ntenant_id = \"11111111-2222-3333-4444-555555555555\"\napp = \"b\"\n");
  const std::string here = (directory_ / "picket.toml").string();
  const std::string folder = (directory_ / "tenants.d").string();
  std::vector<std::string> problems;
  for (const Problem& problem : Load(here).problems) problems.push_back(ToString(problem));
  EXPECT_THAT(
      problems,
      ElementsAre(HasSubstr(folder + "/b.toml:1:8: a tenant at " + here + ":7:8 is named"),
                  HasSubstr(folder + "/c.toml:2:13: the tenant at " + folder + "/b.toml:2:13 has"),
                  HasSubstr(folder + "/c.toml:3:7: the tenant 'tailspin' names [app.b]")));
}

TEST_F(ConfigFolderTest, AMissingFileSaysHowToMakeOne) {
  const LoadedConfig loaded = Load(directory_ / "none.toml");
  ASSERT_EQ(loaded.problems.size(), 1U);
  EXPECT_THAT(loaded.problems[0].hint, HasSubstr("config sample"));
}

TEST(LocalFilesTest, AreNamedByAddressAndAlias) {
  const LoadedConfig loaded = Parse(std::string(kGood) + R"(
[externaldata]
"https://example.com/a.csv" = { file = "feeds/a.csv", sha256 = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", max_size = "1MiB" }
[watchlist]
Vips = { file = "/lists/vips.csv", key = "Upn" }
)",
                                    "/etc/picket/picket.toml");
  EXPECT_THAT(loaded.problems, testing::IsEmpty());
  const tables::FileSettings& feed = loaded.settings.files.external.at("https://example.com/a.csv");
  EXPECT_EQ(feed.path, "/etc/picket/feeds/a.csv");
  EXPECT_EQ(feed.sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(feed.max_bytes, std::size_t{1} << 20);
  const tables::FileSettings& list = loaded.settings.files.watchlists.at("Vips");
  EXPECT_EQ(list.path, "/lists/vips.csv");
  EXPECT_EQ(list.key, "Upn");
  EXPECT_EQ(list.sha256, "");
}

TEST(LocalFilesTest, WhatIsWrongWithThemIsNamedWithItsPlace) {
  const auto problems = [](const std::string& text) {
    return ProblemsOf(std::string(kGood) + text);
  };
  EXPECT_THAT(problems("[externaldata]\n\"https://x/a.csv\" = { file = \"a.csv\" }\n"),
              ElementsAre(HasSubstr("picket.toml:10:21: 'sha256' is missing: a file is pinned. "
                                    "'sha256sum FILE' prints it")));
  EXPECT_THAT(problems("[watchlist.Vips]\nfile = \"a.csv\"\nsha256 = \"12\"\n"),
              ElementsAre(HasSubstr("picket.toml:11:10: 'sha256' must be 64 hexadecimal digits")));
  EXPECT_THAT(problems("[watchlist.Vips]\nkey = \"Upn\"\n"),
              ElementsAre(HasSubstr("'file' of [watchlist.Vips] is missing")));
  EXPECT_THAT(problems("[watchlist.Vips]\nfile = \"a.csv\"\nmax_size = \"1GiB\"\n"),
              ElementsAre(HasSubstr("picket.toml:11:12: 'max_size' must be from 1B to 64MiB")));
  EXPECT_THAT(
      problems("[watchlist.Vips]\nfile = \"a.csv\"\nkeys = \"Upn\"\n"),
      ElementsAre(HasSubstr("unknown key 'keys' in [watchlist.Vips]. Did you mean 'key'?")));
  EXPECT_THAT(problems("[watchlist]\nVips = \"a.csv\"\n"),
              ElementsAre(HasSubstr("picket.toml:10:8: 'Vips' of [watchlist] must be a table")));
}

}  // namespace
}  // namespace picket::config

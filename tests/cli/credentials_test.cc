// The program's keys to the tenants: where they go, and where they never do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "base/files.h"
#include "base/text.h"
#include "base/uuid.h"
#include "storage/frame.h"
#include "storage/sqlite/database.h"
#include "tests/base/loopback_server.h"
#include "tests/cli/leak_check.h"
#include "tests/process/child_process.h"
#include "tests/scenarios/scenario.h"
#include "tests/scratch_directory.h"
#include "tests/simulator/certificates.h"
#include "tests/simulator/generator.h"
#include "tests/simulator/simulator.h"

namespace picket {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using simulator::Fault;
using simulator::FaultKind;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Outcome {
  std::string out;  // stdout and stderr
  int code = -1;
};

// The program over TLS against the simulator with two tenants.
class Credentials : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(cloud.Start());
    scenario = simulator::LoadScenario(cloud, "demo", cloud.Now(), 5).value();
    cloud.RegisterApp({.client_id = scenario.client_id,
                       .secrets = {scenario.secret},
                       .certificates = {certificate().certificate_pem}});
    Write("secret", scenario.secret);
    Write("app.pem", certificate().key_pem + certificate().certificate_pem);
    Write("ca.pem", cloud.CaPem());
  }

  // Making a key is slow: one for all tests.
  static const simulator::AppCertificate& certificate() {
    static const simulator::AppCertificate made = simulator::MakeAppCertificate("picket");
    return made;
  }

  void Write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(WriteFileAtomically(dir_ / name, text));
  }

  // The config's parts that tests change.
  struct Config {
    std::string authority, graph, secret, more_cloud, network, log = "text";
    bool by_certificate = false;
    std::string streams = R"(["signIns.interactive"])";
    std::size_t tenants = 1;
    std::string backfill = "0";  // so that no run waits for its budget
  };
  [[nodiscard]] Config Usual() const {
    return {.authority = cloud.Url(),
            .graph = cloud.Url(),
            .secret = "@{file:" + (dir_ / "secret").string() + "}",
            .network = "ca_file = \"" + (dir_ / "ca.pem").string() + "\"\n"};
  }
  void WriteConfig(const Config& config) const {
    std::string text = "[agent]\ndata_dir = \"" + data().string() +
                       "\"\nlog_level = \"debug\"\nlog_format = \"" + config.log +
                       "\"\n[cloud]\nauthority = \"" + config.authority + "\"\ngraph = \"" +
                       config.graph + "\"\n" + config.more_cloud + "[network]\n" + config.network +
                       "[app]\nclient_id = \"" + scenario.client_id + "\"\n";
    text += config.by_certificate
                ? "credential = \"certificate\"\ncertificate = \"@{file:" +
                      (dir_ / "app.pem").string() + "}\"\n"
                : "credential = \"secret\"\nclient_secret = \"" + config.secret + "\"\n";
    text += "[poll]\nbackfill = \"" + config.backfill + "\"\n[retention]\nmin_free = \"0\"\n";
    for (std::size_t i = 0; i < config.tenants; ++i) {
      text += "[[tenant]]\nname = \"" + scenario.tenants[i].name + "\"\ntenant_id = \"" +
              ToString(scenario.tenants[i].id) + "\"\nstreams = " + config.streams + "\n";
    }
    Write("picket.toml", text);
  }

  [[nodiscard]] std::unique_ptr<ChildProcess> Start(
      std::vector<std::string> arguments, std::vector<std::string> environment = {}) const {
    arguments.insert(arguments.begin(), PICKET_PROGRAM);
    arguments.insert(arguments.end(), {"--config", (dir_ / "picket.toml").string()});
    return ChildProcess::Start(arguments,
                               {.environment = std::move(environment), .with_errors = true});
  }
  Outcome Run(std::vector<std::string> arguments) {
    const auto program = Start(std::move(arguments));
    Outcome outcome;
    outcome.out = program->Output();
    outcome.code = program->ExitStatus();
    all_output_ += outcome.out;
    return outcome;
  }
  // Of a verb that must do well: its stdout.
  std::string OutputOf(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), PICKET_PROGRAM);
    arguments.insert(arguments.end(), {"--config", (dir_ / "picket.toml").string()});
    const auto program = ChildProcess::Start(arguments);
    std::string output = program->Output();
    EXPECT_EQ(program->ExitStatus(), 0) << output;
    return output;
  }
  Outcome Once() { return Run({"once", "-vv", "--all-streams"}); }
  void ForgetData() const { fs::remove_all(data()); }
  [[nodiscard]] fs::path data() const { return dir_ / "data"; }
  [[nodiscard]] const fs::path& dir() const { return dir_; }
  [[nodiscard]] const std::string& all_output() const { return all_output_; }

  void Meet(const char* path, Fault fault, std::int64_t count = 1) {
    cloud.faults().Add({.path = path, .count = count, .fault = std::move(fault)});
  }

  // A sign-in of the last hour, which the scenario has in the daytime only.
  void EmitSignIn() {
    const Guid tenant = scenario.tenants[0].id;
    cloud.Emit(tenant, simulator::List::kSignIns,
               simulator::SignInJson(tenant, ToString(Uuid5(tenant, "one more")),
                                     cloud.Now() - kMinute * 5,
                                     {.id = ToString(Uuid5(tenant, "who"))}, "interactiveUser", ""),
               cloud.Now());
  }

  // Everything that must stay between the program and Entra or Graph.
  [[nodiscard]] LeakCheck Secrets() const {
    LeakCheck check;
    check.Add("the client secret", scenario.secret);
    for (const std::string_view line : Split(certificate().key_pem, '\n')) {
      if (!line.starts_with("-----")) check.Add("the private key", std::string(line));
    }
    for (const std::string& shown : cloud.Credentials()) check.Add("a token", shown);
    return check;
  }
  void ExpectNothingLeaked() const {
    EXPECT_EQ(Secrets().FoundIn(all_output_), "");
    if (fs::exists(data())) {
      EXPECT_THAT(Secrets().FoundBelow(data()), IsEmpty());
    }
  }

  simulator::Simulator cloud{{.seed = 11, .limits = false}};
  simulator::Scenario scenario;

 private:
  const ScratchDirectory scratch_;
  const fs::path dir_ = scratch_.path();
  std::string all_output_;
};

TEST_F(Credentials, AreFoundByTheCheckWhereverTheyHide) {
  const std::string token = "eyJ0eXAiOiJKV1QifQ.eyJ0aWQiOiI4OGYzIiwiYXBwaWQiOiI0NzExIn0." +
                            Base64UrlEncode(std::string(96, 's'));
  LeakCheck check;
  check.Add("a token", token);
  check.Add("a secret", "q~8Q+/=&%20 \"zz and more");
  EXPECT_EQ(check.FoundIn("Authorization: Bearer " + token), "a token");
  EXPECT_EQ(check.FoundIn("… " + token.substr(40, 50)), "a token");
  EXPECT_EQ(check.FoundIn("x=q~8Q%2B%2F%3D%26%2520%20%22zz%20and%20more"), "a secret");
  EXPECT_EQ(check.FoundIn("eyJ0eXAiOiJKV1QifQ, and nothing else"), "");

  const std::string record = R"({"id":"1","userAgent":")" + token + "\"}";
  fs::create_directory(data());
  {
    auto database = storage::Database::Open(data() / "planted.db", {});
    ASSERT_TRUE(database) << database.error().message;
    ASSERT_TRUE((*database)->Execute("CREATE TABLE frame(bytes BLOB)"));
    auto insert = (*database)->PrepareOnce("INSERT INTO frame VALUES (?)");
    ASSERT_TRUE(insert->BindBlobCopy(1, storage::PackFrame({record, record})).Run());
    EXPECT_THAT(check.FoundBelow(data()), Not(IsEmpty()));
  }
}

// A gateway that shows requests, or worse: credentials in every place of every kind of answer.
TEST_F(Credentials, ThatEntraGivesBackAreNeitherShownNorStored) {
  for (const bool by_certificate : {false, true}) {
    for (const int status : {200, 400, 401, 403, 500}) {
      Config config = Usual();
      config.by_certificate = by_certificate;
      config.log = by_certificate ? "json" : "text";
      WriteConfig(config);
      cloud.faults().Clear();
      Meet("/oauth2/v2.0/token", {.kind = FaultKind::kEcho, .status = status}, 100);
      EXPECT_NE(Once().code, 0) << status;
      Run({"status", "--format", "json"});
      ExpectNothingLeaked();
      ForgetData();
    }
  }
}

TEST_F(Credentials, ThatGraphGivesBackAreNeitherShownNorStored) {
  for (const int status : {200, 302, 400, 401, 403, 404, 429, 500}) {
    WriteConfig(Usual());
    cloud.faults().Clear();
    // What passes is tried again.
    const bool passes = status == 429 || status == 500;
    Meet("/auditLogs/signIns", {.kind = FaultKind::kEcho, .status = status}, passes ? 1 : 100);
    const Outcome once = Once();
    EXPECT_THAT(cloud.Credentials(), Not(IsEmpty()));
    EXPECT_EQ(once.code == 0, passes) << status << ": " << once.out;
    EXPECT_THAT(once.out, HasSubstr("graph.failed"));
    Run({"status", "--format", "json"});
    ExpectNothingLeaked();
    ForgetData();
  }
  EXPECT_EQ(all_output().find("[redacted]"), std::string::npos)
      << "a field is logged that is not allowed, and hides from this test";
}

// The whole life of a tenant, and every verb that shows something of it.
TEST_F(Credentials, StandNowhereInLogsReportsAndFiles) {
  for (const bool by_certificate : {false, true}) {
    Config config = Usual();
    config.by_certificate = by_certificate;
    config.tenants = 2;
    config.backfill = "1d";
    config.streams = R"(["signIns.interactive", "riskDetections"])";
    WriteConfig(config);
    ForgetData();
    cloud.faults().Clear();
    Meet("/auditLogs/signIns", {.kind = FaultKind::kClaimsChallenge});
    Meet("/riskDetections", {.kind = FaultKind::kExpiredToken});
    const Outcome once = Once();
    EXPECT_EQ(once.code, 0) << once.out;
    cloud.RevokeTokens();
    const json incidents = json::parse(OutputOf({"incidents", "list", "--format", "json"}), nullptr,
                                       /*exceptions=*/false);
    ASSERT_TRUE(incidents.is_object());
    ASSERT_FALSE(incidents["incidents"].empty());
    const std::string id = incidents["incidents"][0]["id"];
    for (std::vector<std::string> verb : std::vector<std::vector<std::string>>{
             {"status"},
             {"status", "--format", "json"},
             {"status", "--format", "prometheus"},
             {"alerts", "list", "--all", "--format", "json"},
             {"incidents", "show", id, "--format", "json"},
             {"report", "--format", "html"},
             {"report", "--format", "json"},
             {"report", "--format", "csv"},
             {"config", "show"},
             {"validate"},
             {"query", "SigninLogs", "--tenant", "contoso", "--format", "json"}}) {
      const std::string name = verb[0] + " " + verb.back();
      const Outcome shown = Run(std::move(verb));
      EXPECT_EQ(shown.code, 0) << name << ": " << shown.out.substr(0, 400);
      EXPECT_FALSE(shown.out.empty()) << name;
    }
    ExpectNothingLeaked();
  }
}

TEST_F(Credentials, StandInNoArgumentAndInNoChildAndAKillLeavesThemInNoFile) {
  Config config = Usual();
  config.secret = "@{env:PICKET_TEST_SECRET}";
  config.tenants = 2;
  config.backfill = "1d";
  WriteConfig(config);
  // The second page, so that something is stored and something is under way.
  cloud.faults().Add({.path = "/auditLogs/signIns",
                      .first = 4,
                      .count = 1000,
                      .fault = {.kind = FaultKind::kHang}});
  const auto program = Start({"run", "-vv"}, {"PICKET_TEST_SECRET=" + scenario.secret});
  ASSERT_TRUE(program);
  while (cloud.RequestCount() < 6) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const fs::path proc = fs::path("/proc") / std::to_string(program->pid());
  const auto read = [](const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  };
  const std::string command = read(proc / "cmdline");
  EXPECT_THAT(command, HasSubstr("picket.toml"));
  EXPECT_EQ(Secrets().FoundIn(command), "");
  for (const auto& thread : fs::directory_iterator(proc / "task")) {
    EXPECT_EQ(read(thread.path() / "children"), "") << "a child would inherit the environment";
  }
  kill(program->pid(), SIGKILL);
  EXPECT_EQ(program->ExitStatus(), -1);
  EXPECT_EQ(Secrets().FoundIn(program->Output()), "");
  ASSERT_TRUE(fs::exists(data()));
  EXPECT_THAT(Secrets().FoundBelow(data()), IsEmpty());
}

// Where a nextLink may point to: each begins what Graph's own would.
class ElsewhereLink : public Credentials, public testing::WithParamInterface<const char*> {};

TEST_P(ElsewhereLink, IsNotFollowedAndNothingIsLost) {
  const std::string other = cloud.OtherHost();
  std::string link = GetParam();
  const auto put = [&link](const char* mark, const std::string& text) {
    for (std::size_t at; (at = link.find(mark)) != std::string::npos;) {
      link.replace(at, std::string_view(mark).size(), text);
    }
  };
  put("{other}", other);
  put("{other host}", other.substr(8));
  put("{graph host}", cloud.Url().substr(8));
  EmitSignIn();
  WriteConfig(Usual());
  Meet("/auditLogs/signIns", {.kind = FaultKind::kForeignNextLink, .text = link});
  const Outcome once = Once();
  EXPECT_EQ(once.code, 0) << once.out << "the window is read again";
  EXPECT_THAT(once.out, HasSubstr("next link"));
  EXPECT_THAT(cloud.Leaks(), IsEmpty());
  EXPECT_THAT(cloud.Credentials(), Not(IsEmpty()));
  ExpectNothingLeaked();
  const json counts = json::parse(once.out.substr(once.out.rfind('{')), nullptr, false);
  EXPECT_GT(counts.value("new", 0), 0) << once.out;
  EXPECT_EQ(counts.value("failed", -1), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Links, ElsewhereLink,
    testing::Values("{other}", "http://{graph host}", "https://{graph host}@{other host}",
                    "https://{graph host}:x@{other host}", "https://user@{graph host}",
                    "https://{other host}\\\\@{graph host}", "//{other host}",
                    "https://localhost:1", "https://{graph host}.{other host}",
                    "https://{other host}#@{graph host}", "https://{other host}?@{graph host}",
                    "HTTPS:{other host}"));

TEST_F(Credentials, AreNotSentAfterARedirect) {
  WriteConfig(Usual());
  Meet("/auditLogs/signIns",
       {.kind = FaultKind::kRedirect, .text = cloud.OtherHost() + "/beta/auditLogs/signIns"}, 100);
  const Outcome graph = Once();
  EXPECT_NE(graph.code, 0);
  EXPECT_THAT(graph.out, HasSubstr("redirect"));
  ForgetData();
  // A 307 keeps method and body: the secret and the assertion would go along.
  for (const bool by_certificate : {false, true}) {
    Config config = Usual();
    config.by_certificate = by_certificate;
    WriteConfig(config);
    Meet("/oauth2/v2.0/token",
         {.kind = FaultKind::kRedirect, .text = cloud.OtherHost() + "/oauth2/v2.0/token"}, 100);
    EXPECT_NE(Once().code, 0);
    ForgetData();
  }
  EXPECT_THAT(cloud.Leaks(), IsEmpty());
}

// A page of HTML with 200, as captive portals and gateways send it.
TEST_F(Credentials, AreKeptFromNobodysPageOfHtmlAndAllIsReadAfterIt) {
  Config config = Usual();
  config.backfill = "2d";
  WriteConfig(config);
  Meet("/auditLogs/signIns", {.kind = FaultKind::kHtml, .status = 200});
  Meet("/oauth2/v2.0/token", {.kind = FaultKind::kHtml, .status = 200});
  const Outcome once = Once();
  EXPECT_EQ(once.code, 0) << once.out;
  EXPECT_THAT(once.out, HasSubstr("auth.refused"));
  EXPECT_THAT(once.out, HasSubstr("Graph's answer is no page"));
  const json read = json::parse(
      OutputOf({"query", "SigninLogs | project Id", "--tenant", "contoso", "--format", "json"}),
      nullptr, /*exceptions=*/false);
  std::set<std::string> ids;
  for (const json& row : read["rows"]) ids.insert(row[0]);
  EXPECT_EQ(ids, cloud.EmittedIds(scenario.tenants[0].id, "signIns.interactive"));
}

// What a proxy gets to see of a host that it may not impersonate.
TEST_F(Credentials, AreNotShownToAProxyThatReadsTls) {
  std::string seen;
  std::mutex mutex;
  const simulator::ServerIdentity unknown;  // of an authority that nobody trusts
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_server_method()),
                                                                  &SSL_CTX_free);
  ASSERT_TRUE(unknown.Setup(*context));
  const LoopbackServer proxy([&](Peer& peer, int) {
    std::string heard = peer.ReadRequest();
    peer.Write("HTTP/1.1 200 Connection established\r\n\r\n");
    if (peer.StartTls(context.get())) heard += peer.ReadRequest();
    const std::lock_guard lock(mutex);
    seen += heard;
  });
  Config config = Usual();
  config.authority = "https://login.picket.test";
  config.graph = "https://graph.picket.test";
  constexpr const char* kPassword = "hunter2-hunter2-hunter2";
  Write("proxy-password", kPassword);
  config.network += "proxy = \"http://127.0.0.1:" + std::to_string(proxy.port()) +
                    "\"\nproxy_user = \"user\"\nproxy_password = \"@{file:" +
                    (dir() / "proxy-password").string() + "}\"\n";
  WriteConfig(config);
  const Outcome once = Once();
  EXPECT_NE(once.code, 0);
  EXPECT_THAT(once.out, HasSubstr("unknown authority"));
  const std::lock_guard lock(mutex);
  LeakCheck check = Secrets();
  EXPECT_THAT(seen, HasSubstr("CONNECT login.picket.test:443 HTTP/1.1"));
  EXPECT_EQ(check.FoundIn(seen), "");
  // base64("user:" and the password)
  EXPECT_THAT(seen, HasSubstr("Basic dXNlcjpodW50ZXIyLWh1bnRlcjItaHVudGVyMg==\r\n"));
  check.Add("the proxy's password", kPassword);
  check.Add("the proxy's password", "dXNlcjpodW50ZXIyLWh1bnRlcjItaHVudGVyMg==");
  Run({"config", "show"});
  Run({"status"});
  EXPECT_EQ(check.FoundIn(all_output()), "");
  EXPECT_THAT(check.FoundBelow(data()), IsEmpty());
}

}  // namespace
}  // namespace picket

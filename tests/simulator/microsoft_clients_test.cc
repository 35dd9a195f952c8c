// The simulator read by Microsoft's own clients, msal-node and the Graph client with its
// PageIterator: what it is, they decide.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/files.h"
#include "tests/process/child_process.h"
#include "tests/process/node_project.h"
#include "tests/scenarios/scenario.h"
#include "tests/scratch_directory.h"
#include "tests/simulator/certificates.h"
#include "tests/simulator/generator.h"
#include "tests/simulator/simulator.h"

namespace picket::simulator {
namespace {

using nlohmann::json;
using testing::IsEmpty;
using testing::Not;

// In a filter: by the times of the run.
constexpr const char* kLastDays = "last days";

// A list as a client asks for it, and the stream whose ids it must give.
struct Listing {
  const char* name;
  const char* version;
  const char* path;
  const char* filter;
  int top;  // 0: the service's own page size
  const char* stream;
};
constexpr Listing kListings[] = {
    {"interactive", "beta", "/auditLogs/signIns", "signInEventTypes/any(t: t eq 'interactiveUser')",
     50, "signIns.interactive"},
    {"non-interactive", "beta", "/auditLogs/signIns",
     "signInEventTypes/any(t: t eq 'nonInteractiveUser')", 90, "signIns.nonInteractive"},
    {"service principals", "beta", "/auditLogs/signIns",
     "signInEventTypes/any(t: t eq 'servicePrincipal')", 7, "signIns.servicePrincipal"},
    {"managed identities", "beta", "/auditLogs/signIns",
     "signInEventTypes/any(t: t eq 'managedIdentity')", 5, "signIns.managedIdentity"},
    {"beta without a filter", "beta", "/auditLogs/signIns", "", 0, "signIns.interactive"},
    {"v1.0", "v1.0", "/auditLogs/signIns", "", 40, "signIns.interactive"},
    {"the last three days", "v1.0", "/auditLogs/signIns", kLastDays, 60, "signIns.interactive"},
    {"audits", "v1.0", "/auditLogs/directoryAudits", "", 11, "directoryAudits"},
    {"detections", "v1.0", "/identityProtection/riskDetections", "", 2, "riskDetections"},
    {"detections by twenty", "v1.0", "/identityProtection/riskDetections", "", 0, "riskDetections"},
    {"programs' detections", "v1.0", "/identityProtection/servicePrincipalRiskDetections", "", 1,
     "servicePrincipalRiskDetections"},
    {"risky users", "v1.0", "/identityProtection/riskyUsers", "", 3, "riskyUsers"},
};

std::string Put(const ScratchDirectory& directory, const std::string& name,
                const std::string& content) {
  EXPECT_TRUE(WriteFileAtomically(directory.path() / name, content));
  return (directory.path() / name).string();
}

// The clients run once; each test asks for another part of what they said.
class MicrosoftClients : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    why_not_ = InstallNodeProject(PICKET_SOURCE_DIR "/tests/simulator/node", PICKET_NODE_DIR);
    if (!why_not_.empty()) return;
    // The machine's, for assertions are made by it.
    const Instant now = SystemClock().Now();
    Simulator simulator({.seed = 4,
                         .now = [now] { return now; },
                         .limits = false,
                         .short_pages = 150,
                         .empty_pages = 100,
                         // msal-node signs once and shows the same assertion until it expires.
                         .refuse_replayed_assertions = false});
    ASSERT_TRUE(simulator.Start());
    Populate(simulator, now);
    // What the service does now and then, and what these clients get over by themselves.
    simulator.faults().Add(
        {.path = "/auditLogs/signIns", .first = 3, .fault = {.status = 429, .retry_after = "1"}});
    simulator.faults().Add(
        {.path = "/auditLogs/signIns", .first = 6, .fault = {.status = 503, .retry_after = "1"}});
    Read(simulator);
  }

  static void Populate(Simulator& simulator, Instant now) {
    simulator.AddTenant({.id = kTenant});
    certificate_ = MakeAppCertificate("registered");
    simulator.RegisterApp(
        {.client_id = kApp, .secrets = {kSecret}, .certificates = {certificate_.certificate_pem}});
    Live(simulator, {.tenant = kTenant,
                     .from = now - kDay * 7,
                     .to = now,
                     .sign_ins = 600,
                     .audits = 40,
                     .detections = 30});
    for (int i = 0; i < 3; ++i) {
      const json detection = {{"id", "program-" + std::to_string(i)},
                              {"riskEventType", "leakedCredentials"},
                              {"detectedDateTime", FormatRfc3339(now - kDay * (i + 1))},
                              {"lastUpdatedDateTime", FormatRfc3339(now - kDay * (i + 1))},
                              {"activityDateTime", FormatRfc3339(now - kDay * (i + 1))}};
      simulator.Emit(kTenant, List::kServicePrincipalRiskDetections, detection.dump(), now);
    }
  }

  static Instant Created(const Simulator& simulator, const std::string& id) {
    const auto record = simulator.Record(kTenant, List::kSignIns, id);
    return *ParseRfc3339(json::parse(*record)["createdDateTime"].get<std::string>());
  }

  static void Read(const Simulator& simulator) {
    const ScratchDirectory scratch;
    const AppCertificate stranger = MakeAppCertificate("stranger");
    json task = {{"authority", simulator.Url()},
                 {"graph", simulator.Url()},
                 {"tenant", ToString(kTenant)},
                 {"client_id", kApp},
                 {"client_secret", kSecret},
                 {"certificate_file",
                  Put(scratch, "app.pem", certificate_.key_pem + certificate_.certificate_pem)},
                 {"other_certificate_file",
                  Put(scratch, "other.pem", stranger.key_pem + stranger.certificate_pem)}};
    for (const Listing& listing : kListings) {
      const bool window = std::string_view(listing.filter) == kLastDays;
      const Instant from = simulator.Now() - kDay * 3;
      task["lists"].push_back(
          {{"name", listing.name},
           {"version", listing.version},
           {"path", listing.path},
           {"filter", window ? "createdDateTime ge " + FormatGraph(from) +
                                   " and createdDateTime le " + FormatGraph(simulator.Now())
                             : listing.filter},
           {"top", listing.top}});
      std::set<std::string>& ids = expected_[listing.name];
      ids = simulator.EmittedIds(kTenant, listing.stream);
      if (window) {
        std::erase_if(ids, [&](const std::string& id) { return Created(simulator, id) < from; });
      }
    }
    const std::string ca = Put(scratch, "ca.pem", simulator.CaPem());
    const auto node = ChildProcess::Start(
        {"node", PICKET_NODE_DIR "/read.js", Put(scratch, "task.json", task.dump())},
        {.environment = {"NODE_EXTRA_CA_CERTS=" + ca}});
    ASSERT_TRUE(node) << "node does not start";
    const std::string output = node->Output();
    ASSERT_EQ(node->ExitStatus(), 0) << output;
    said_ = json::parse(output, nullptr, /*allow_exceptions=*/false);
    ASSERT_TRUE(said_.is_object()) << output;
    for (const LoggedRequest& request : simulator.Requests()) {
      if (!request.fault.empty()) ++faults_;
    }
  }

  void SetUp() override {
    if (!why_not_.empty()) GTEST_SKIP() << why_not_ << ": no proof by Microsoft's own clients";
  }

  static std::string Outcome(const char* of) { return said_["outcomes"].value(of, "not tried"); }

  static inline const Guid kTenant = *ParseGuid("aaaaaaaa-0000-4000-8000-000000000001");
  static constexpr const char* kApp = "11111111-2222-4333-8444-555555555555";
  static constexpr const char* kSecret = "q~8Q+/=&%20 \"zz";
  static inline AppCertificate certificate_;
  static inline std::string why_not_;
  static inline json said_;
  static inline std::map<std::string, std::set<std::string>> expected_;
  static inline int faults_ = 0;
};

TEST_F(MicrosoftClients, GetTokensByTheirSignaturesAndAreRefusedByEntrasNumbers) {
  EXPECT_EQ(Outcome("secret"), "token");
  EXPECT_EQ(Outcome("sha256"), "token");  // PS256
  EXPECT_EQ(Outcome("sha1"), "token");    // RS256
  EXPECT_EQ(Outcome("wrongSecret"), "AADSTS7000215");
  EXPECT_EQ(Outcome("unknownCertificate"), "AADSTS700027");
  EXPECT_EQ(Outcome("wrongKey"), "AADSTS700027");
  EXPECT_EQ(Outcome("wrongTenant"), "AADSTS90002");
  EXPECT_EQ(Outcome("wrongApp"), "AADSTS700016");
}

TEST_F(MicrosoftClients, ReadEveryListToItsEndAndEachIdOnceOverThrottlingAndAnOutage) {
  for (const Listing& listing : kListings) {
    std::vector<std::string> ids = said_["lists"].value(listing.name, std::vector<std::string>());
    std::sort(ids.begin(), ids.end());
    const std::set<std::string>& expected = expected_[listing.name];
    EXPECT_THAT(expected, Not(IsEmpty())) << listing.name;
    EXPECT_EQ(ids, std::vector<std::string>(expected.begin(), expected.end())) << listing.name;
  }
  EXPECT_LT(expected_["the last three days"].size(), expected_["v1.0"].size());
  EXPECT_EQ(faults_, 2);
}

}  // namespace
}  // namespace picket::simulator

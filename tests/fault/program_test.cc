// The program as it is installed, over real HTTP and TLS, in real time: killed from outside, killed
// between two writes, asked to stop, out of disk. What it left on disk is compared with what the
// simulator knows that it emitted.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/files.h"
#include "storage/crash_points.h"
#include "tests/fault/plan.h"
#include "tests/fault/verdict.h"
#include "tests/scratch_directory.h"
#include "tests/simulator/dice.h"
#include "tests/simulator/generator.h"
#include "tests/simulator/simulator.h"

namespace picket::fault {
namespace {

namespace fs = std::filesystem;
using simulator::Dice;
using simulator::Fault;
using simulator::FaultKind;
using simulator::List;

constexpr int kTenants = 8;
const std::vector<std::string> kStreams = {"signIns.interactive", "riskDetections"};
constexpr const char* kClientId = "11111111-2222-4333-8444-555555555555";
constexpr const char* kSecret = "the program's secret";

// One start of the program, so much later than the one before.
struct Start {
  enum class End : std::uint8_t { kDone, kKilled, kKilledAtWrite, kTerminated, kDiskFull };
  Timespan later;
  End end = End::kDone;
  std::int64_t at = 0;  // milliseconds, a write, KiB
};

// What a client gets over within seconds of real time.
std::vector<Fault> QuickFaults(const std::string& other_host) {
  std::vector<Fault> faults = FaultsOfRun(other_host, /*huge=*/false);
  std::erase_if(faults, [](const Fault& fault) {
    return fault.kind == FaultKind::kHang || fault.kind == FaultKind::kDrip ||
           fault.kind == FaultKind::kMissingLicence || fault.retry_after == "90";
  });
  faults.push_back({.kind = FaultKind::kDrip, .pace = kTick});
  return faults;
}

class ProgramTest : public testing::TestWithParam<std::uint64_t> {
 protected:
  void SetUp() override {
    simulator_ = std::make_unique<simulator::Simulator>(
        simulator::SimulatorOptions{.seed = GetParam(), .now = [this] { return Now(); }});
    ASSERT_TRUE(simulator_->Start());
    simulator_->RegisterApp({.client_id = kClientId, .secrets = {kSecret}});
    for (int i = 0; i < kTenants; ++i) {
      const Guid tenant = Uuid5(kPicketNamespace, fmt::format("program {} {}", GetParam(), i));
      simulator_->AddTenant({.id = tenant});
      tenants_.push_back(tenant);
      verdicts_.emplace_back(*simulator_, tenant);
      Populate(tenant);
    }
    WriteConfig();
  }
  void TearDown() override { simulator_.reset(); }

  [[nodiscard]] Instant Now() const { return clock_.Now() + Timespan{shift_}; }

  // An ordinary day, and people whose sign-ins turn out to be risky up to 20 hours later.
  void Populate(const Guid& tenant) {
    const Instant start = Now();
    Live(*simulator_, {.tenant = tenant,
                       .seed = GetParam(),
                       .from = start - kHour * 2,
                       .to = start + kHour * 7,
                       .users = 8,
                       .sign_ins = 60,
                       .audits = 0,
                       .detections = 0,
                       .non_interactive = 0,
                       .service_principal = 0,
                       .managed_identity = 0,
                       .late = 80,
                       .very_late = 0,
                       .changed = 0});
    Dice dice(GetParam(), "victims " + ToString(tenant));
    for (int i = 0; i < 5; ++i) {
      const simulator::Principal who{.id = ToString(Uuid5(tenant, fmt::format("victim {}", i))),
                                     .name = "Victim",
                                     .user = fmt::format("victim{}@contoso.example", i)};
      const Instant at = start + kMinute * dice.Between(-110, 400);
      const std::string id = ToString(Uuid5(tenant, fmt::format("risky {}", i)));
      simulator_->Emit(tenant, List::kSignIns,
                       SignInJson(tenant, id, at, who, "interactiveUser", ""), at + kMinute);
      simulator_->AddRisk(tenant, id, {}, at + kMinute * dice.Between(30, 20 * 60));
    }
  }

  void WriteConfig() {
    const auto write = [&](const char* name, const std::string& text) {
      ASSERT_TRUE(WriteFileAtomically(folder_ / name, text));
    };
    write("secret", kSecret);
    write("ca.pem", simulator_->CaPem());
    std::string config = fmt::format(
        "[agent]\ndata_dir = \"data\"\n[cloud]\nauthority = \"{0}\"\ngraph = \"{0}\"\n"
        "[network]\nca_file = \"{1}\"\n[app]\nclient_id = \"{2}\"\ncredential = \"secret\"\n"
        "client_secret = \"@{{file:secret}}\"\n[poll]\nbackfill = \"6h\"\n"
        "[retention]\nmin_free = \"0\"\n",
        simulator_->Url(), (folder_ / "ca.pem").string(), kClientId);
    for (int i = 0; i < kTenants; ++i) {
      config += fmt::format(
          "[[tenant]]\nname = \"t{}\"\ntenant_id = \"{}\"\n"
          "streams = [\"signIns.interactive\", \"riskDetections\"]\n",
          i, ToString(tenants_[static_cast<std::size_t>(i)]));
    }
    write("picket.toml", config);
  }

  // Starts the program and sees to its end.
  void Run(const Start& start) {
    shift_ += start.later.ticks;
    started_ = Now();
    const std::string now = FormatRfc3339(started_);
    const std::string crash = fmt::format("PICKET_CRASH_AT={}", start.at);
    const std::string folder = folder_.string(), log = (folder_ / "log").string();
    const bool crashes = start.end == Start::End::kKilledAtWrite;
    const bool full = start.end == Start::End::kDiskFull;
    const rlimit room{.rlim_cur = static_cast<rlim_t>(start.at) * 1024,
                      .rlim_max = static_cast<rlim_t>(start.at) * 1024};
    std::vector<const char*> arguments = {PICKET_PROGRAM, "once",      "--all-streams",
                                          "--now",        now.c_str(), nullptr};
    std::vector<const char*> environment = {"PATH=/usr/bin:/bin"};
    for (char** entry = environ; *entry != nullptr; ++entry) {  // what the sanitizers are told
      if (std::string_view(*entry).find("SAN_OPTIONS=") < 5) environment.push_back(*entry);
    }
    if (crashes) environment.push_back(crash.c_str());
    environment.push_back(nullptr);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {  // of a process with threads: only what is safe then
      if (::chdir(folder.c_str()) != 0) ::_exit(99);
      if (::freopen(log.c_str(), "w", stderr) == nullptr) ::_exit(99);
      if (::freopen("/dev/null", "w", stdout) == nullptr) ::_exit(99);
      if (full) {
        std::signal(SIGXFSZ, SIG_IGN);
        ::setrlimit(RLIMIT_FSIZE, &room);
      }
      ::execve(PICKET_PROGRAM, const_cast<char* const*>(arguments.data()),
               const_cast<char* const*>(environment.data()));
      ::_exit(99);
    }
    if (start.end == Start::End::kKilled || start.end == Start::End::kTerminated) {
      std::this_thread::sleep_for(std::chrono::milliseconds(start.at));
      ::kill(child, start.end == Start::End::kKilled ? SIGKILL : SIGTERM);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    Judge(start, status);
  }

  void Judge(const Start& start, int status) {
    if (WIFSIGNALED(status)) {
      EXPECT_EQ(WTERMSIG(status), SIGKILL) << Log();
      EXPECT_TRUE(start.end == Start::End::kKilled || start.end == Start::End::kKilledAtWrite);
      ++killed_;
      return;
    }
    // Done, some failed, or (with faults) nothing reached; a full disk may not even let it begin.
    const int code = WEXITSTATUS(status);
    EXPECT_TRUE(code == 0 || code == 3 || code == 69 || code == 73 || code == 74) << code << Log();
    if (start.end == Start::End::kTerminated && code == 3) ++stopped_;
  }

  void Look(const std::string& when) {
    for (std::size_t i = 0; i < tenants_.size(); ++i) {
      const Result<Stored> stored = ReadStored(folder_ / "data", tenants_[i], kStreams);
      ASSERT_TRUE(stored) << when << ": " << stored.error().message;
      if (stored->exists) verdicts_[i].After(*stored, started_, Now());
      for (const std::string& failure : verdicts_[i].failures()) {
        ADD_FAILURE() << "seed " << GetParam() << ", tenant " << i << ", after " << when << ": "
                      << failure;
      }
    }
  }

  std::string Log() const {
    std::ifstream file(folder_ / "log");
    return "\n" + std::string(std::istreambuf_iterator<char>(file), {});
  }

  std::vector<Start> DrawStarts() {
    Dice dice(GetParam(), "starts");
    std::vector<Start> starts;
    using End = Start::End;
    std::vector<End> ends = {End::kKilled,        End::kKilledAtWrite, End::kKilled,
                             End::kKilledAtWrite, End::kTerminated,    End::kDiskFull,
                             End::kKilled};
    for (std::size_t i = ends.size(); i > 1; --i) std::swap(ends[i - 1], ends[dice.Below(i)]);
    for (const End end : ends) {
      const std::int64_t at = end == End::kKilledAtWrite ? dice.Between(1, 700)
                              : end == End::kDiskFull    ? dice.Between(10, 300)
                                                         : dice.Between(100, 2500);
      starts.push_back({kMinute * dice.Between(15, 70), end, at});
    }
    return starts;
  }

  const ScratchDirectory scratch_;
  const fs::path folder_ = scratch_.path();
  SystemClock clock_;
  std::atomic<std::int64_t> shift_ = 0;
  Instant started_;  // the life in hand
  std::unique_ptr<simulator::Simulator> simulator_;
  std::vector<Guid> tenants_;
  std::vector<Verdict> verdicts_;
  int killed_ = 0, stopped_ = 0;
};

TEST_P(ProgramTest, LosesNothingAndAlertsOnceWhereverItIsKilled) {
#ifndef PICKET_CRASH_POINTS
  GTEST_SKIP() << "this build has no crash points (a package has none)";
#endif
  simulator_->SetChaos({.per_mille = 250, .faults = QuickFaults(simulator_->OtherHost())});
  int number = 0;
  for (const Start& start : DrawStarts()) {
    Run(start);
    Look(fmt::format("start {}", ++number));
    if (HasFailure()) return;
  }
  EXPECT_GE(killed_, 3) << "most of the kills that were meant must have come in time";
  // Fair weather: until every risk has come out, and late rows were read again.
  simulator_->faults().Clear();
  for (const int hours : {1, 5, 8, 9, 9}) {
    Run({.later = kHour * hours});
    Look("fair weather");
  }
  std::size_t events = 0, findings = 0;
  for (std::size_t i = 0; i < tenants_.size(); ++i) {
    const Result<Stored> stored = ReadStored(folder_ / "data", tenants_[i], kStreams);
    ASSERT_TRUE(stored) << stored.error().message;
    verdicts_[i].InTheEnd(*stored, Now());
    events += verdicts_[i].events();
    findings += verdicts_[i].findings();
    for (const std::string& failure : verdicts_[i].failures()) {
      ADD_FAILURE() << "seed " << GetParam() << ", tenant " << i << ", in the end: " << failure
                    << Log();
    }
  }
  EXPECT_GT(events, 60U * kTenants);
  EXPECT_EQ(findings, 5U * kTenants);
  for (const simulator::Leak& leak : simulator_->Leaks()) {
    ADD_FAILURE() << "asked of another host: " << leak.path;
  }
  std::int64_t faults = 0;
  for (const auto& request : simulator_->Requests()) faults += request.fault.empty() ? 0 : 1;
  EXPECT_GT(faults, 5);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ProgramTest, testing::Values<std::uint64_t>(1));

}  // namespace
}  // namespace picket::fault

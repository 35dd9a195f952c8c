#include "tests/fault/life.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "agent/run/round.h"
#include "base/files.h"
#include "base/log.h"
#include "storage/crash_points.h"
#include "tests/fault/wire.h"
#include "tests/simulator/dice.h"

namespace picket::fault {
namespace {

constexpr std::chrono::seconds kPatience{60};  // real time: then the agent hangs
constexpr std::int64_t kMostRequests = 20'000;

void LimitFiles(rlim_t bytes) {
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = bytes;
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

// The agent's side.
class AgentProcess {
 public:
  AgentProcess(const LifePlan& life, const run::Settings& settings, SharedClock& clock, int socket)
      : life_(life),
        settings_(settings),
        clock_(clock),
        wire_(socket),
        transport_(wire_, clock, life.end == End::kStopped ? life.at : 0, stop_) {}

  void Run() {
    std::signal(SIGXFSZ, SIG_IGN);
    ConfigureLog(LogLevel::kWarn, LogFormat::kText);
    if (life_.end == End::kKilledAtWrite) storage::CrashAt(life_.at);
    storage::FailWriteAt(life_.fail_write);
    for (int round = 0; round < std::ssize(life_.rounds); ++round) {
      SetDisk(round);
      clock_.Pass(At(round).before);
      if (!agent_ && !Open()) continue;
      const run::RoundCounts counts = agent_->Once(
          {.all_streams = At(round).all_streams}, [this](const auto& outcome) { Look(outcome); },
          stop_.get_token());
      const storage::PageCounts& c = counts.pages;
      if (c.read != c.added + c.changed + c.same + c.poorer + c.rejected + c.expired) {
        Problem("the counts of a round do not reconcile: " + counts.Json());
      }
      if (stop_.stop_requested()) Note("process: stopped in a round");
      if (stop_.stop_requested()) return;
    }
  }

 private:
  [[nodiscard]] const RoundPlan& At(int round) const {
    return life_.rounds[static_cast<std::size_t>(round)];
  }

  // What the disk does in this round.
  void SetDisk(int round) {
    write_had_failed_ = storage::WriteHasFailed();
    if (!life_.full_disk) return;
    const FullDisk& full = *life_.full_disk;
    disk_is_full_ = round >= full.first && round < full.first + full.count;
    LimitFiles(disk_is_full_ ? static_cast<rlim_t>(full.room) : RLIM_INFINITY);
  }

  // The one write that fails did so in this round; nothing else may follow from it.
  [[nodiscard]] bool WriteFailedHere() const {
    return storage::WriteHasFailed() && !write_had_failed_;
  }

  bool Open() {
    auto opened = run::Agent::Open(
        settings_, {.network = transport_, .clock = clock_, .machine_clock = clock_});
    if (opened) {
      agent_ = *std::move(opened);
      for (const rules::RuleFileError& error : agent_->rules().errors) {
        Problem("the rule does not load: " + error.error.message);
      }
      return true;
    }
    const Error& error = opened.error();
    if (disk_is_full_) {
      Note("disk: full when the agent starts");
    } else if (WriteFailedHere()) {
      Note("disk: a write fails when the agent starts");
    } else {
      Problem("the agent does not start: " + error.message);
    }
    return false;
  }

  void Look(const run::TenantOutcome& outcome) {
    for (const auto& [where, error] : outcome.failures) {
      if (error.kind == ErrorKind::kStorage && disk_is_full_) {
        Note("disk: full while the agent works");
      } else if (error.kind == ErrorKind::kStorage && WriteFailedHere()) {
        Note("disk: a write fails");
      } else if (error.kind == ErrorKind::kStorage || error.kind == ErrorKind::kInternal) {
        Problem(where + " failed: " + error.message);
      }
    }
    for (const poll::HealthEvent& event : outcome.polled.health) {
      if (event.kind == poll::HealthEvent::Kind::kClock) Note("clock: off by a day, and said");
      if (event.kind == poll::HealthEvent::Kind::kLostWindow) {
        Problem("a window is said to be lost: " + event.message);
      }
    }
  }

  void Problem(std::string text) {
    wire_.Say(FromAgent{.kind = FromAgent::Kind::kProblem, .request = {}, .text = std::move(text)});
  }
  void Note(std::string text) {
    wire_.Say(FromAgent{.kind = FromAgent::Kind::kNote, .request = {}, .text = std::move(text)});
  }

  const LifePlan& life_;
  const run::Settings& settings_;
  SharedClock& clock_;
  Wire wire_;
  std::stop_source stop_;
  WireTransport transport_;
  std::unique_ptr<run::Agent> agent_;
  bool disk_is_full_ = false, write_had_failed_ = false;
};

// Without what the test framework does at an exit, and with its log kept apart.
[[noreturn]] void BeAgent(const LifePlan& life, const run::Settings& settings, SharedClock& clock,
                          int socket) {
  const char* log = std::getenv("PICKET_FAULT_LOG");
  if (std::freopen(log != nullptr ? log : "/dev/null", "a", stderr) == nullptr) ::_exit(3);
  {
    AgentProcess process(life, settings, clock, socket);
    process.Run();
  }
  ::_exit(0);
}

// The world's side.
class Attendant {
 public:
  Attendant(const LifePlan& life, World& world, SharedClock& clock, int socket, pid_t agent)
      : life_(life), world_(world), clock_(clock), wire_(socket), agent_(agent) {}

  LifeOutcome Attend() {
    while (std::optional<FromAgent> heard = wire_.HearAgent(kPatience)) {
      switch (heard->kind) {
        case FromAgent::Kind::kProblem:
          outcome_.problems.push_back(std::move(heard->text));
          break;
        case FromAgent::Kind::kNote:
          ++outcome_.struck[heard->text];
          break;
        case FromAgent::Kind::kRequest:
          if (!Serve(heard->request)) return Bury();
      }
    }
    if (wire_.silent()) {
      outcome_.problems.emplace_back("the agent hangs");
      Kill();
    }
    return Bury();
  }

 private:
  bool Serve(const HttpRequest& request) {
    ++requests_;
    if (request.url.find("skiptoken") != std::string::npos) ++later_pages_;
    simulator::Dice dice(static_cast<std::uint64_t>(requests_), "pace");
    clock_.Pass(kMillisecond * dice.Between(30, 400));
    if (!outcome_.asked) outcome_.asked = clock_.True();
    for (const ClockJump& jump : life_.jumps) {
      if (jump.request != requests_) continue;
      clock_.SetOffset(jump.offset);
      ++outcome_.struck[jump.offset.ticks > 0   ? "clock: a day ahead"
                        : jump.offset.ticks < 0 ? "clock: a day behind"
                                                : "clock: set right"];
    }
    if (life_.revoke_at == requests_) {
      world_.simulator().RevokeTokens();
      ++outcome_.struck["tokens: revoked"];
    }
    const bool killed = (life_.end == End::kKilledAtRequest && life_.at == requests_) ||
                        (life_.end == End::kKilledInList && life_.at == later_pages_);
    if (killed && requests_ % 2 == 0) {
      Kill();
      return false;
    }
    wire_.Say(world_.Answer(request));
    if (killed) Kill();
    if (requests_ == kMostRequests) {
      outcome_.problems.emplace_back("the agent asks without end");
      Kill();
    }
    return !killed;
  }

  void Kill() {
    ::kill(agent_, SIGKILL);
    killed_ = true;
  }

  LifeOutcome Bury() {
    int status = 0;
    while (::waitpid(agent_, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
      ++outcome_.struck[life_.end == End::kDone ? "process: restarted"
                                                : "process: done before its end"];
    } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && killed_) {
      ++outcome_.struck[life_.end == End::kKilledInList ? "process: kill -9 between pages"
                                                        : "process: kill -9 at a request"];
    } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL &&
               life_.end == End::kKilledAtWrite) {
      ++outcome_.struck["process: kill -9 at a write"];
    } else {
      outcome_.problems.push_back(
          WIFSIGNALED(status) ? fmt::format("the agent died of signal {}", WTERMSIG(status))
                              : fmt::format("the agent ended with {}", WEXITSTATUS(status)));
    }
    return std::move(outcome_);
  }

  const LifePlan& life_;
  World& world_;
  SharedClock& clock_;
  Wire wire_;
  const pid_t agent_;
  LifeOutcome outcome_;
  std::int64_t requests_ = 0, later_pages_ = 0;
  bool killed_ = false;
};

}  // namespace

run::Settings SettingsOf(const World& world, const Plan& plan,
                         const std::filesystem::path& folder) {
  const std::filesystem::path secret = folder / "secret";
  PK_CHECK(WriteFileAtomically(secret, world.secret()).has_value(), "the secret's file");
  run::Settings settings;
  settings.data_dir = folder / "data";
  settings.cloud = {.authority = kWorldUrl, .graph = kWorldUrl, .arm = kWorldUrl};
  settings.apps[""] = {.client_id = world.client_id(),
                       .by_certificate = false,
                       .client_secret = SecretRef{"file", secret.string()}};
  for (const Guid& tenant : world.tenants()) {
    settings.tenants.push_back(
        {.name = fmt::format("t{}", settings.tenants.size() + 1), .id = tenant});
  }
  settings.poll.backfill = kHour * 40;  // as far as the events go, though the start be held up
  settings.poll.max_in_flight = plan.threads;
  settings.rule_paths = {std::filesystem::path(PICKET_SOURCE_DIR) /
                         "detections/entra/compromised-cloud-account.yaml"};
  settings.shipped_rules = false;
  settings.workers = plan.threads;
  settings.min_free = 0;
  return settings;
}

LifeOutcome Live(const LifePlan& life, const run::Settings& settings, World& world,
                 SharedClock& clock) {
  const Wire::Ends ends = Wire::Make();
  const pid_t agent = ::fork();
  PK_CHECK(agent >= 0, "a process for the agent");
  if (agent == 0) {
    ::close(ends.world);
    BeAgent(life, settings, clock, ends.agent);
  }
  ::close(ends.agent);
  return Attendant(life, world, clock, ends.world, agent).Attend();
}

}  // namespace picket::fault

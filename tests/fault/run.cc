#include "tests/fault/run.h"

#include <fmt/format.h>

#include "tests/fault/life.h"
#include "tests/fault/verdict.h"
#include "tests/scratch_directory.h"

namespace picket::fault {
namespace {

LifePlan FairWeather(Instant now) {
  LifePlan life;
  for (Instant at = now; at < EndOfRun(); at = at + kHour * 3) {
    life.rounds.push_back({.before = kHour * 3, .all_streams = true});
  }
  life.rounds.push_back({.before = kMinute * 40, .all_streams = true});
  return life;
}

class Run {
 public:
  explicit Run(std::uint64_t seed)
      : plan_(DrawPlan(seed)),
        clock_(StartOfRun()),
        world_(plan_, clock_),
        settings_(SettingsOf(world_, plan_, folder_.path())) {
    for (const Guid& tenant : world_.tenants()) verdicts_.emplace_back(world_.simulator(), tenant);
  }

  RunReport Play() {
    for (std::size_t i = 0; i < plan_.lives.size() && report_.failures.empty(); ++i) {
      LiveAndLook(plan_.lives[i], fmt::format("life {}", i + 1), /*last=*/false);
    }
    world_.Clear();
    clock_.SetOffset({});
    if (report_.failures.empty()) LiveAndLook(FairWeather(clock_.True()), "fair weather", true);
    // Restarts are minutes apart: no clock that jumps hides from one process what another sent.
    const Strikes struck = world_.Struck();
    if (struck.contains("answer: over a limit")) {
      report_.failures.emplace_back("requests went over a limit of Graph's");
    }
    if (world_.leaks() > 0) report_.failures.emplace_back("a request went to another host");
    for (const auto& [kind, count] : struck) report_.struck[kind] += count;
    report_.late_risks = world_.late_risks().size();
    return std::move(report_);
  }

 private:
  void LiveAndLook(const LifePlan& life, const std::string& name, bool last) {
    LifeOutcome outcome = Live(life, settings_, world_, clock_);
    for (const auto& [kind, count] : outcome.struck) report_.struck[kind] += count;
    for (const std::string& problem : outcome.problems) Fail(name, problem);
    for (std::size_t i = 0; i < verdicts_.size(); ++i) {
      const Result<Stored> stored = ReadStored(settings_.data_dir, world_.tenants()[i]);
      if (!stored) {
        Fail(name, "the file cannot be read: " + stored.error().message);
        continue;
      }
      Verdict& verdict = verdicts_[i];
      if (stored->exists) verdict.After(*stored, outcome.asked, clock_.True());
      if (last) {
        verdict.InTheEnd(*stored, clock_.True());
        report_.events += verdict.events();
        report_.findings += verdict.findings();
      }
      for (const std::string& failure : verdict.failures()) {
        Fail(fmt::format("{}, tenant {}", name, i + 1), failure);
      }
    }
  }

  void Fail(const std::string& where, const std::string& what) {
    report_.failures.push_back(fmt::format("after {}: {}", where, what));
  }

  const Plan plan_;
  // Processes are killed here, not the power.
  const ScratchDirectory folder_{ScratchDirectory::Where::kMemory};
  SharedClock clock_;
  World world_;
  const run::Settings settings_;
  std::vector<Verdict> verdicts_;
  RunReport report_;
};

}  // namespace

RunReport RunSeed(std::uint64_t seed) { return Run(seed).Play(); }

std::string Explain(std::uint64_t seed, const RunReport& report) {
  std::string text;
  for (const std::string& failure : report.failures) text += failure + "\n";
  return fmt::format("seed {}\n{}plan: {}\nagain: scripts/bench faults --runs 1 --first-seed {}\n",
                     seed, text, Describe(DrawPlan(seed)), seed);
}

std::vector<std::string> MissingKinds(const Strikes& struck) {
  std::vector<std::string> kinds = {"answer: hang",
                                    "process: restarted",
                                    "process: stopped in a round",
                                    "process: kill -9 at a write",
                                    "process: kill -9 at a request",
                                    "process: kill -9 between pages",
                                    "disk: full while the agent works",
                                    "disk: a write fails",
                                    "clock: a day ahead",
                                    "clock: a day behind",
                                    "tokens: revoked",
                                    "rows: late",
                                    "rows: changed",
                                    "rows: poorer",
                                    "rows: risk added later"};
  for (const simulator::Fault& fault : FaultsOfRun(kOtherHost, /*huge=*/false)) {
    kinds.push_back("answer: " + simulator::DescribeFault(fault));
  }
  std::erase_if(kinds, [&](const std::string& kind) {
    const auto found = struck.find(kind);
    return found != struck.end() && found->second > 0;
  });
  return kinds;
}

}  // namespace picket::fault

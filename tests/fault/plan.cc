#include "tests/fault/plan.h"

#include <fmt/format.h>

#include "tests/simulator/dice.h"

namespace picket::fault {
namespace {

using simulator::Dice;
using simulator::Fault;
using simulator::FaultKind;

constexpr int kLeastLives = 6, kMostLives = 10;
// About what a life does, so that most ends that are drawn are reached.
constexpr std::int64_t kWritesOfALife = 1500, kRequestsOfALife = 60, kLaterPagesOfALife = 8;

RoundPlan DrawRound(Dice& dice) {
  RoundPlan round;
  round.before =
      dice.PerMille(200) ? kMinute * dice.Between(60, 240) : kMinute * dice.Between(5, 90);
  round.all_streams = dice.PerMille(500);
  return round;
}

LifePlan DrawLife(Dice& dice) {
  LifePlan life;
  for (auto left = dice.Between(3, 8); left > 0; --left) life.rounds.push_back(DrawRound(dice));
  switch (dice.Below(8)) {
    case 0:
      life.end = End::kDone;
      break;
    case 1:
      life.end = End::kStopped;
      life.at = dice.Between(1, kRequestsOfALife);
      break;
    case 2:
      life.end = End::kKilledAtRequest;
      life.at = dice.Between(1, kRequestsOfALife);
      break;
    case 3:
    case 4:
      life.end = End::kKilledInList;
      life.at = dice.Between(1, kLaterPagesOfALife);
      break;
    default:
      life.end = End::kKilledAtWrite;
      life.at = dice.Between(1, kWritesOfALife);
  }
  if (dice.PerMille(300)) {
    const Timespan wrong = dice.PerMille(500) ? kDay : Timespan{-kDay.ticks};
    const std::int64_t from = dice.Between(1, kRequestsOfALife);
    life.jumps.push_back({from, wrong});
    if (dice.PerMille(700)) life.jumps.push_back({from + dice.Between(1, 40), {}});
  }
  if (dice.PerMille(250)) {
    const int rounds = static_cast<int>(life.rounds.size());
    FullDisk full{.first = static_cast<int>(dice.Between(0, rounds - 1))};
    full.count = static_cast<int>(dice.Between(1, 3));
    full.room = dice.Between(0, 400) * 1024;
    life.full_disk = full;
  }
  if (dice.PerMille(500)) life.fail_write = dice.Between(1, kWritesOfALife);
  if (dice.PerMille(200)) life.revoke_at = dice.Between(2, kRequestsOfALife);
  return life;
}

std::string Describe(const LifePlan& life) {
  static constexpr const char* kEnds[] = {"restarted", "stopped at request", "killed at write",
                                          "killed at request", "killed in lists at later page"};
  std::string text =
      fmt::format("{} rounds, {}", life.rounds.size(), kEnds[static_cast<std::size_t>(life.end)]);
  if (life.at > 0) text += fmt::format(" {}", life.at);
  for (const ClockJump& jump : life.jumps) {
    text += fmt::format("; at request {} the clock is {} h off", jump.request,
                        jump.offset.ticks / kHour.ticks);
  }
  if (life.full_disk) {
    text += fmt::format("; disk full in rounds {} to {} at {} KiB", life.full_disk->first + 1,
                        life.full_disk->first + life.full_disk->count, life.full_disk->room / 1024);
  }
  if (life.fail_write > 0) text += fmt::format("; write {} fails", life.fail_write);
  if (life.revoke_at > 0) text += fmt::format("; tokens revoked at request {}", life.revoke_at);
  return text;
}

}  // namespace

Instant StartOfRun() { return *ParseRfc3339("2026-03-02T08:00:00Z"); }
storage::Interval EventsOfRun() { return {StartOfRun() - kHour * 22, StartOfRun() + kHour * 46}; }
// The last re-reading comes 48 h after a window, and may wait for a quarter of that.
Instant EndOfRun() { return EventsOfRun().to + kHour * 66; }

Plan DrawPlan(std::uint64_t seed) {
  Dice dice(seed, "plan");
  Plan plan{.seed = seed};
  plan.tenants = dice.PerMille(250) ? 2 : 1;
  plan.threads = dice.PerMille(250) ? 4 : 1;
  plan.per_mille = static_cast<int>(dice.Between(20, 150));
  plan.short_pages = dice.PerMille(500) ? 150 : 0;
  plan.empty_pages = dice.PerMille(500) ? 80 : 0;
  plan.most_rows = dice.PerMille(700) ? static_cast<int>(dice.Between(1, 8)) : 0;
  plan.filter_by_last_update = dice.PerMille(750);
  // What is read while the licence lapses is poor; every event is read again after it.
  if (dice.PerMille(300)) {
    const Instant from = StartOfRun() + kMinute * dice.Between(4 * 60, 18 * 60);
    plan.lapse = {from, from + kMinute * dice.Between(20, 240)};
  }
  for (auto left = dice.Between(kLeastLives, kMostLives); left > 0; --left) {
    plan.lives.push_back(DrawLife(dice));
  }
  plan.lives.front().rounds.front().before = {};
  return plan;
}

std::string Describe(const Plan& plan) {
  std::string text = fmt::format(
      "{} tenant(s), {} thread(s), {} in a thousand requests fail, short pages {}, empty pages {}",
      plan.tenants, plan.threads, plan.per_mille, plan.short_pages, plan.empty_pages);
  if (plan.most_rows > 0) text += fmt::format(", at most {} rows a page", plan.most_rows);
  if (!plan.filter_by_last_update) text += ", no filter by lastUpdatedDateTime";
  if (plan.lapse) {
    text += fmt::format(", no licence from {} to {}", FormatRfc3339(plan.lapse->from),
                        FormatRfc3339(plan.lapse->to));
  }
  for (std::size_t i = 0; i < plan.lives.size(); ++i) {
    text += fmt::format("\n  life {}: {}", i + 1, Describe(plan.lives[i]));
  }
  return text;
}

std::vector<Fault> FaultsOfRun(const std::string& other_host, bool huge) {
  std::vector<Fault> faults = simulator::UsualFaults();
  for (int shape = 0; shape < simulator::kThrottleShapes; ++shape) {
    faults.push_back({.kind = FaultKind::kThrottled, .shape = shape});
  }
  faults.push_back({.kind = FaultKind::kStatus, .status = 429, .retry_after = "90"});
  faults.push_back({.kind = FaultKind::kHang});
  faults.push_back({.kind = FaultKind::kDrip});
  faults.push_back({.kind = FaultKind::kDrip, .pace = kTick * 1000});
  faults.push_back({.kind = FaultKind::kTooLarge});
  faults.push_back({.kind = FaultKind::kClaimsChallenge});
  faults.push_back({.kind = FaultKind::kRedirect, .text = other_host + "/beta/auditLogs/signIns"});
  faults.push_back({.kind = FaultKind::kForeignNextLink, .text = other_host});
  faults.push_back({.kind = FaultKind::kLoopingNextLink});
  faults.push_back({.kind = FaultKind::kMissingLicence});
  faults.push_back({.kind = FaultKind::kBody, .status = 200, .text = R"({"value":[{"id":)"});
  faults.push_back({.kind = FaultKind::kBody, .status = 200, .text = R"({"value":7})"});
  faults.push_back({.kind = FaultKind::kBody, .status = 200, .text = std::string(3, '\0')});
  if (huge) faults.push_back({.kind = FaultKind::kGzipBomb, .size = std::int64_t{65} << 20});
  return faults;
}

}  // namespace picket::fault

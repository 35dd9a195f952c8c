#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "agent/alerts/load_views.h"
#include "tests/alerts/tick_world.h"

namespace picket::alerts {

inline constexpr const char* kAda = "ada@contoso.example";
inline constexpr const char* kBob = "bob@contoso.example";

inline const Instant kNoon = ParseRfc3339("2026-11-24T12:00:00Z").value();
inline Instant At(int hours, int minutes = 0) { return kNoon + kHour * hours + kMinute * minutes; }

inline rules::Rule Spray(int failures = 3) {
  return TickRule("spray",
                  fmt::format("SigninLogs | where ResultType == '50126' | summarize Failures = "
                              "count() by UserPrincipalName | where Failures >= {}",
                              failures),
                  kHour, kHour);
}

class TickRulesTest : public testing::Test {
 protected:
  // The rule begins at noon, having seen nothing.
  void Begin(rules::Rule rule) {
    rules_.clear();
    rules_.push_back(Load(std::move(rule)));
    ASSERT_EQ(rules_[0].verdict.way, rules::Way::kByTick);
    world_.Contact(At(-1));
    ReadTo(At(0, 1));
    Turn(At(0, 3));
  }
  void ReadTo(Instant to) {
    world_.Read(read_to_, to);
    read_to_ = to;
  }
  AlertCounts Turn(Instant now, bool sure = true) { return world_.Evaluate(rules_, now, sure); }
  // Everything up to two minutes ago is read, and the rules have their turn.
  AlertCounts Live(Instant now) {
    ReadTo(now - kMinute * 2);
    return Turn(now);
  }
  void Fail(const std::string& user, std::initializer_list<Instant> times,
            const std::string& ip = "192.0.2.1") {
    std::vector<SignIn> rows;
    for (const Instant time : times) {
      rows.push_back({.id = fmt::format("{}{}", user.substr(0, 3), time.ticks),
                      .user = user,
                      .time = time,
                      .error = 50126,
                      .ip = ip});
    }
    world_.Store(rows);
  }
  std::vector<std::string> Found() {
    std::vector<std::string> texts;
    for (const FoundRow& row : world_.Findings(rules_)) {
      if (row.state == "withdrawn") continue;
      texts.push_back(fmt::format("{} {} {}", row.entity, row.state, row.row));
    }
    return texts;
  }
  std::vector<AlertView> Alerts(bool all = true) {
    return LoadAlerts(world_.store(), "contoso", all).value();
  }
  storage::TickCounts Counts() { return world_.store().ticks().Counts("").value(); }

  TickWorld world_;
  std::vector<LoadedRule> rules_;
  Instant read_to_ = At(-1);
};

}  // namespace picket::alerts

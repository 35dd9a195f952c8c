#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/rules/rule.h"
#include "base/result.h"

namespace picket::alerts {

// 1 is the most urgent. Printed "P1" to "P5".
enum class Priority : std::uint8_t { kP1 = 1, kP2, kP3, kP4, kP5 };
std::string PriorityName(Priority priority);
Result<Priority> ParsePriority(std::string_view name);

enum class Impact : std::uint8_t { kInformational, kLow, kMedium, kHigh };
std::string_view ImpactName(Impact impact);

// Impact × confidence → priority; [priority] of the config.
struct PriorityTable {
  // rows: Impact; columns: low, medium, high confidence
  std::array<std::array<Priority, 3>, 4> cells = {{
      {Priority::kP5, Priority::kP5, Priority::kP5},
      {Priority::kP5, Priority::kP4, Priority::kP3},
      {Priority::kP4, Priority::kP3, Priority::kP2},
      {Priority::kP3, Priority::kP2, Priority::kP1},
  }};
  [[nodiscard]] Priority Of(Impact impact, rules::Confidence confidence) const {
    return cells.at(static_cast<std::size_t>(impact)).at(static_cast<std::size_t>(confidence));
  }
};

// What is known of a finding beside its rule.
struct PriorityFacts {
  bool confirmed_compromised = false;  // RiskState or RiskDetail says so
  bool second_rule = false;            // another rule found the same entity in the same incident
  bool guest = false;
  bool disabled_account = false;
  bool risk_hidden = false;  // the licence hides the risk: printed, moves nothing
};

struct Judgement {
  Impact impact = Impact::kMedium;
  rules::Confidence confidence = rules::Confidence::kMedium;
  Priority priority = Priority::kP3;
  std::vector<std::string> why;  // one sentence a step, in the order taken
};

// Impact: the rule's severity, down one for guests and disabled accounts. Confidence: the rule's,
// high when the compromise is confirmed, up one for a second rule. Indicators that one detection
// sets together count once: nothing here counts them.
Judgement Judge(rules::Severity severity, rules::Confidence confidence, const PriorityFacts& facts,
                const PriorityTable& table);

}  // namespace picket::alerts

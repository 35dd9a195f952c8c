#include "agent/alerts/priority.h"

#include <fmt/format.h>

namespace picket::alerts {

std::string PriorityName(Priority priority) {
  return fmt::format("P{}", static_cast<int>(priority));
}

Result<Priority> ParsePriority(std::string_view name) {
  if (name.size() == 2 && (name[0] == 'P' || name[0] == 'p') && name[1] >= '1' && name[1] <= '5') {
    return static_cast<Priority>(name[1] - '0');
  }
  return Fail({.kind = ErrorKind::kInvalidConfig, .message = "a priority is one of P1 to P5"});
}

std::string_view ImpactName(Impact impact) {
  switch (impact) {
    case Impact::kInformational:
      return "informational";
    case Impact::kLow:
      return "low";
    case Impact::kMedium:
      return "medium";
    case Impact::kHigh:
      return "high";
  }
  return "medium";
}

Judgement Judge(rules::Severity severity, rules::Confidence confidence, const PriorityFacts& facts,
                const PriorityTable& table) {
  Judgement judgement{.impact = static_cast<Impact>(severity), .confidence = confidence};
  judgement.why.push_back(fmt::format("The rule's severity is {} and its confidence {}",
                                      rules::SeverityName(severity),
                                      rules::ConfidenceName(confidence)));
  const auto lower_impact = [&](const char* because) {
    if (judgement.impact == Impact::kInformational) return;
    judgement.impact = static_cast<Impact>(static_cast<int>(judgement.impact) - 1);
    judgement.why.push_back(
        fmt::format("Impact is lowered to {}: {}", ImpactName(judgement.impact), because));
  };
  if (facts.guest) lower_impact("the account is a guest");
  if (facts.disabled_account) lower_impact("the account is disabled");

  if (facts.confirmed_compromised && judgement.confidence != rules::Confidence::kHigh) {
    judgement.confidence = rules::Confidence::kHigh;
    judgement.why.emplace_back("Confidence is raised to high: the compromise is confirmed");
  } else if (facts.second_rule && judgement.confidence != rules::Confidence::kHigh) {
    judgement.confidence = static_cast<rules::Confidence>(static_cast<int>(confidence) + 1);
    judgement.why.push_back(fmt::format("Confidence is raised to {}: another rule agrees",
                                        rules::ConfidenceName(judgement.confidence)));
  }
  if (facts.risk_hidden) {
    judgement.why.emplace_back(
        "Microsoft hides the risk from this tenant's licence (Entra ID P2 shows it)");
  }
  judgement.priority = table.Of(judgement.impact, judgement.confidence);
  judgement.why.push_back(
      fmt::format("Priority {}: {} impact with {} confidence", PriorityName(judgement.priority),
                  ImpactName(judgement.impact), rules::ConfidenceName(judgement.confidence)));
  return judgement;
}

}  // namespace picket::alerts

#include "tests/rules/seed_oracle.h"

#include <cctype>
#include <set>

namespace picket::rules {
namespace {

// A term is a run of letters and digits; case does not matter.
bool HasSuspiciousTerm(const std::string& text) {
  static const std::set<std::string> kSuspicious = {
      "impossibletravel",   "anonymizedipaddress", "maliciousipaddress",
      "unfamiliarfeatures", "passwordspray",       "leakedcredentials",
      "nationstateip",      "riskyipaddress",      "investigationsthreatintelligence"};
  std::string term;
  for (const char c : text + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      term += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      continue;
    }
    if (kSuspicious.contains(term)) return true;
    term.clear();
  }
  return false;
}

}  // namespace

std::optional<SeedVerdict> JudgeBySeed(const SignIn& s) {
  if (s.result != "0") return std::nullopt;
  const bool level = s.level == "high" || s.level == "medium";
  const bool compromised = s.state == "atRisk" || s.state == "confirmedCompromised";
  const bool event = HasSuspiciousTerm(s.events);
  const bool abroad =
      s.requirement == "singleFactorAuthentication" && !s.home.empty() && s.home != s.resource;
  SeedVerdict verdict{.count = level + compromised + event + abroad, .reason = {}};
  if (verdict.count == 0) return std::nullopt;
  if (compromised) {
    verdict.reason = "ConfirmedCompromise";
  } else if (level) {
    verdict.reason = event ? "HighRisk+Event:" + s.events : "HighRiskSignIn";
  } else {
    verdict.reason = event ? "RiskEvent:" + s.events : "CrossTenantMFABypass";
  }
  return verdict;
}

}  // namespace picket::rules

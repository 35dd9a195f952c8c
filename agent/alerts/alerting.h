#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/alerts/priority.h"
#include "agent/rules/evaluation.h"
#include "agent/rules/rule.h"
#include "agent/rules/verdict.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "storage/tenant_store.h"

namespace picket::alerts {

struct Settings {
  PriorityTable priorities;
  Timespan gap = kDay;  // of event time: a longer silence ends an alert, and an incident
};

// A rule with its verdict, as they were loaded.
struct LoadedRule {
  rules::Rule rule;
  rules::Verdict verdict;
};

struct AlertCounts {
  std::int64_t rules = 0;     // evaluated
  std::int64_t findings = 0;  // new ones
  std::int64_t withdrawn = 0;
  std::int64_t alerts = 0;     // opened
  std::int64_t incidents = 0;  // opened
  AlertCounts& operator+=(const AlertCounts& other);
};

// Rules to findings, findings to alerts, alerts to incidents, for one tenant. An evaluation
// commits once: the findings, what they change, and the rule's cursor. One thread at a time.
class Alerting {
 public:
  // All references must outlive it.
  Alerting(storage::TenantStore& store, const Guid& tenant, const std::vector<LoadedRule>& rules,
           const Settings& settings);

  // Every rule over what came or changed since its last evaluation. A rule that fails is noted at
  // its cursor and reported; the others go on.
  [[nodiscard]] Result<AlertCounts> Evaluate(Instant now, std::stop_token stop);
  [[nodiscard]] const std::vector<std::pair<std::string, Error>>& failures() const {
    return failures_;
  }

 private:
  [[nodiscard]] Status PlaceCursors(Instant now);
  [[nodiscard]] Result<AlertCounts> EvaluateRule(const LoadedRule& loaded, Instant now,
                                                 std::stop_token stop);
  [[nodiscard]] Status Take(const rules::Rule& rule, const std::string& stream,
                            const rules::RuleRow& row, Instant now, AlertCounts& counts);
  [[nodiscard]] Status Withdraw(const rules::Rule& rule, const rules::Evaluation& evaluation,
                                AlertCounts& counts);
  [[nodiscard]] Result<storage::AlertRow> AlertFor(const rules::Rule& rule,
                                                   const rules::RuleRow& row,
                                                   const storage::FindingRow& finding, Instant now,
                                                   AlertCounts& counts);
  [[nodiscard]] Result<std::string> IncidentFor(const storage::AlertRow& alert,
                                                const std::string& title, Instant now,
                                                AlertCounts& counts);
  [[nodiscard]] Status Recompute(Instant now);
  [[nodiscard]] Status RecomputeAlert(const std::string& id, Instant now);
  [[nodiscard]] Status Judge(storage::AlertRow& alert,
                             const std::vector<storage::FindingRow>& findings, bool second_rule);
  [[nodiscard]] Status RecomputeIncident(const std::string& id, Instant now);

  storage::TenantStore& store_;
  const Guid tenant_;
  const std::vector<LoadedRule>& rules_;
  const Settings& settings_;
  std::map<std::string, const rules::Rule*> by_id_;
  std::set<std::string> touched_alerts_, touched_incidents_;
  std::vector<std::pair<std::string, Error>> failures_;
};

}  // namespace picket::alerts

#pragma once

#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "agent/alerts/alert_book.h"
#include "agent/alerts/tick_rules.h"
#include "agent/rules/evaluation.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "storage/tenant_store.h"

namespace picket::alerts {

// Rules to findings, findings to alerts, alerts to incidents, for one tenant. An evaluation
// commits once: the findings, what they change, and the rule's cursor. One thread at a time.
class Alerting {
 public:
  // All references must outlive it. `streams`: those that are polled of the tenant; ticks wait for
  // them. `telling`: whom to tell of its incidents.
  Alerting(storage::TenantStore& store, const Guid& tenant, const std::vector<LoadedRule>& rules,
           const Settings& settings, std::vector<std::string> streams, Telling telling = {});

  // Every rule over what came or changed since its last evaluation. A rule that fails is reported;
  // the others go on.
  [[nodiscard]] Result<AlertCounts> Evaluate(const Moment& moment, std::stop_token stop);
  [[nodiscard]] const std::vector<std::pair<std::string, Error>>& failures() const {
    return failures_;
  }

 private:
  [[nodiscard]] Status PlaceCursors(Instant now);
  [[nodiscard]] Result<AlertCounts> EvaluateRows(const LoadedRule& loaded, Instant now,
                                                 std::stop_token stop);
  [[nodiscard]] Status Take(const rules::Rule& rule, const std::string& stream,
                            const rules::RuleRow& row, Instant now, AlertCounts& counts);
  [[nodiscard]] Status Withdraw(const rules::Rule& rule, const rules::Evaluation& evaluation,
                                AlertCounts& counts);

  storage::TenantStore& store_;
  const Guid tenant_;
  const std::vector<LoadedRule>& rules_;
  AlertBook book_;
  TickRules ticks_;
  std::vector<std::pair<std::string, Error>> failures_;
};

}  // namespace picket::alerts

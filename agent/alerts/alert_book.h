#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/alerts/priority.h"
#include "agent/alerts/publisher.h"
#include "agent/rules/lineage.h"
#include "agent/rules/rule.h"
#include "agent/rules/verdict.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "storage/tenant_store.h"

namespace picket::alerts {

struct Settings {
  PriorityTable priorities;
  Timespan gap = kDay;             // of event time: a longer silence ends an alert, and an incident
  Timespan retention = kDay * 90;  // older events are not kept
};

// A rule with its verdict, as they were loaded.
struct LoadedRule {
  rules::Rule rule;
  rules::Verdict verdict;
};

struct AlertCounts {
  std::int64_t rules = 0;     // evaluated
  std::int64_t ticks = 0;     // evaluated, first and again; of rules that go by ticks
  std::int64_t findings = 0;  // new ones
  std::int64_t withdrawn = 0;
  std::int64_t alerts = 0;     // opened
  std::int64_t incidents = 0;  // opened
  AlertCounts& operator+=(const AlertCounts& other);
};

// Findings to alerts, alerts to incidents, incidents to the outbox, for one tenant: within the
// caller's transaction, which Begin starts with and Recompute ends. One thread at a time.
class AlertBook {
 public:
  // All references must outlive it.
  AlertBook(storage::TenantStore& store, const Guid& tenant, const std::vector<LoadedRule>& rules,
            const Settings& settings, Telling telling = {});

  // Once, before the first turn.
  [[nodiscard]] Status Open(Instant now) { return publisher_.Begin(now); }
  void Begin();
  // Stores the finding, with its rows as evidence, and with what they come from; nullptr: that
  // stays as it is. An active one without an alert joins the open alert of its rule and entity, or
  // opens one; each its own when the rule says so.
  [[nodiscard]] Status Put(const rules::Rule& rule, storage::FindingRow finding,
                           const std::vector<std::string>& rows, const rules::Lineage* sources,
                           Instant now, AlertCounts& counts);
  // What the finding comes from, in place of what stood there; the alert stays as it is.
  [[nodiscard]] Status PutSources(const storage::FindingRow& finding,
                                  const rules::Lineage& sources);
  [[nodiscard]] Status Withdraw(storage::FindingRow finding, std::string_view reason,
                                AlertCounts& counts);
  // The alerts and incidents of what was put and withdrawn become what their findings say, and the
  // outputs are told.
  [[nodiscard]] Status Recompute(Instant now);

 private:
  [[nodiscard]] Result<storage::AlertRow> AlertFor(const rules::Rule& rule,
                                                   const storage::FindingRow& finding, Instant now,
                                                   AlertCounts& counts);
  [[nodiscard]] Result<std::string> IncidentFor(const storage::AlertRow& alert,
                                                const std::string& title, Instant now,
                                                AlertCounts& counts);
  [[nodiscard]] Status RecomputeAlert(const std::string& id, Instant now);
  [[nodiscard]] Status Judge(storage::AlertRow& alert,
                             const std::vector<storage::FindingRow>& findings, bool second_rule);
  [[nodiscard]] Status RecomputeIncident(const std::string& id, Instant now);

  storage::TenantStore& store_;
  const Guid tenant_;
  const Settings& settings_;
  Publisher publisher_;
  std::map<std::string, const rules::Rule*> by_id_;
  std::set<std::string> touched_alerts_, touched_incidents_;
};

}  // namespace picket::alerts

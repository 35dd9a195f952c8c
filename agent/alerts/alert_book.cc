#include "agent/alerts/alert_book.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/alerts/detail.h"
#include "agent/alerts/finding_row.h"
#include "agent/alerts/finding_sources.h"

namespace picket::alerts {

namespace {

// An open alert or incident takes in what is less than the gap away on either side.
template <class Row>
bool TakesIn(const Row& row, Instant time, Timespan gap) {
  return row.status != "closed" && time >= row.first_seen - gap && time <= row.last_seen + gap;
}

}  // namespace

AlertCounts& AlertCounts::operator+=(const AlertCounts& other) {
  rules += other.rules;
  ticks += other.ticks;
  findings += other.findings;
  withdrawn += other.withdrawn;
  alerts += other.alerts;
  incidents += other.incidents;
  return *this;
}

AlertBook::AlertBook(storage::TenantStore& store, const Guid& tenant,
                     const std::vector<LoadedRule>& rules, const Settings& settings,
                     Telling telling)
    : store_(store),
      tenant_(tenant),
      settings_(settings),
      publisher_(store, tenant, std::move(telling)) {
  for (const LoadedRule& loaded : rules) by_id_.emplace(loaded.rule.id, &loaded.rule);
}

void AlertBook::Begin() {
  touched_alerts_.clear();
  touched_incidents_.clear();
}

Status AlertBook::Put(const rules::Rule& rule, storage::FindingRow finding,
                      const std::vector<std::string>& rows, const rules::Lineage* sources,
                      Instant now, AlertCounts& counts) {
  if (finding.alert.empty() && finding.state == "active") {
    PK_ASSIGN_OR_RETURN(const storage::AlertRow alert, AlertFor(rule, finding, now, counts));
    finding.alert = alert.id;
  }
  PK_RETURN_IF_ERROR(store_.alerts().PutFinding(finding));
  if (finding.alert.empty()) return {};
  touched_alerts_.insert(finding.alert);
  PK_RETURN_IF_ERROR(store_.alerts().DropEvidence(finding.alert, finding.id));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string id = i == 0 ? finding.id : finding.id + "/" + std::to_string(i + 1);
    PK_RETURN_IF_ERROR(store_.alerts().PutEvidence(finding.alert, {id, finding.time, rows[i]}));
  }
  return sources == nullptr ? Status() : PutSources(finding, *sources);
}

Status AlertBook::PutSources(const storage::FindingRow& finding, const rules::Lineage& sources) {
  const std::string id = SourcesId(finding.id);
  PK_RETURN_IF_ERROR(store_.alerts().DropEvidence(finding.alert, id));
  const auto put = [&](const std::string& as, Instant time, const std::string& row) {
    return store_.alerts().PutEvidence(finding.alert, {as, time, row}, storage::kMaxLesserEvidence);
  };
  PK_RETURN_IF_ERROR(put(id, finding.tick, SourcesNote(sources)));
  for (std::size_t i = 0; i < sources.rows.size(); ++i) {
    const rules::SourceRow& row = sources.rows[i];
    PK_RETURN_IF_ERROR(put(fmt::format("{}/{:02}", id, i + 1), row.time, row.json));
  }
  return {};
}

Status AlertBook::Withdraw(storage::FindingRow finding, std::string_view reason,
                           AlertCounts& counts) {
  if (finding.state == "withdrawn") return {};
  finding.state = "withdrawn";
  finding.state_reason = reason;
  ++counts.withdrawn;
  if (!finding.alert.empty()) touched_alerts_.insert(finding.alert);
  return store_.alerts().PutFinding(finding);
}

Result<storage::AlertRow> AlertBook::AlertFor(const rules::Rule& rule,
                                              const storage::FindingRow& finding, Instant now,
                                              AlertCounts& counts) {
  if (!rule.alert_per_result) {
    PK_ASSIGN_OR_RETURN(const std::vector<storage::AlertRow> alerts,
                        store_.alerts().AlertsOfEntity(rule.id, finding.entity));
    for (const storage::AlertRow& alert : alerts) {
      if (TakesIn(alert, finding.time, settings_.gap)) return alert;
    }
  }
  const rules::RuleRow row = RowOf(finding);
  storage::AlertRow alert{.id = finding.id,
                          .rule = rule.id,
                          .entity = finding.entity,
                          .status = "new",
                          .severity = static_cast<int>(rule.severity),
                          .confidence = static_cast<int>(rule.confidence),
                          .priority = static_cast<int>(Priority::kP3),
                          .first_seen = finding.time,
                          .last_seen = finding.time,
                          .count = 0,
                          .opened = now,
                          .updated = now};
  const std::string title = TitleOf(rule, row);
  alert.detail = FormatDetail({.title = title,
                               .description = DescriptionOf(rule, row),
                               .tactics = rule.tactics,
                               .techniques = rule.techniques,
                               .reasons = {},
                               .priority_why = {},
                               .next_steps = rule.next_steps,
                               .false_positives = rule.false_positives});
  PK_ASSIGN_OR_RETURN(alert.incident, IncidentFor(alert, title, now, counts));
  PK_RETURN_IF_ERROR(store_.alerts().PutAlert(alert));
  ++counts.alerts;
  return alert;
}

Result<std::string> AlertBook::IncidentFor(const storage::AlertRow& alert, const std::string& title,
                                           Instant now, AlertCounts& counts) {
  PK_ASSIGN_OR_RETURN(const std::vector<storage::IncidentRow> incidents,
                      store_.alerts().IncidentsOfEntity(alert.entity));
  for (const storage::IncidentRow& incident : incidents) {
    if (TakesIn(incident, alert.first_seen, settings_.gap)) return incident.id;
  }
  const storage::IncidentRow incident{.id = ToString(Uuid5(tenant_, "incident\n" + alert.id)),
                                      .entity = alert.entity,
                                      .title = title + ": " + alert.entity.name,
                                      .status = "new",
                                      .severity = alert.severity,
                                      .priority = alert.priority,
                                      .first_seen = alert.first_seen,
                                      .last_seen = alert.last_seen,
                                      .opened = now,
                                      .updated = now};
  PK_RETURN_IF_ERROR(store_.alerts().PutIncident(incident));
  ++counts.incidents;
  return incident.id;
}

Status AlertBook::Recompute(Instant now) {
  for (const std::string& id : touched_alerts_) PK_RETURN_IF_ERROR(RecomputeAlert(id, now));
  for (const std::string& id : touched_incidents_) PK_RETURN_IF_ERROR(RecomputeIncident(id, now));
  for (const std::string& id : touched_incidents_) PK_RETURN_IF_ERROR(publisher_.Tell(id, now));
  return {};
}

// An alert is what its active findings say. Without one it closes with the reason; when the reason
// goes it reopens, at most once a day.
Status AlertBook::RecomputeAlert(const std::string& id, Instant now) {
  PK_ASSIGN_OR_RETURN(std::optional<storage::AlertRow> alert, store_.alerts().Alert(id));
  PK_CHECK(alert.has_value(), "a finding names an alert that is not there");
  PK_ASSIGN_OR_RETURN(const std::vector<storage::FindingRow> findings,
                      store_.alerts().FindingsOfAlert(id));
  std::vector<storage::FindingRow> active;
  std::string why = "no event matches any more";
  for (const storage::FindingRow& finding : findings) {
    if (finding.state == "active") active.push_back(finding);
    if (finding.state == "settled") why = "the risk was settled: " + finding.state_reason;
    if (finding.state == "suppressed") why = finding.state_reason;
  }
  touched_incidents_.insert(alert->incident);
  alert->updated = now;
  if (active.empty()) {
    if (alert->status != "closed") {
      alert->status = "closed";
      alert->closed_reason = why;
    }
    return store_.alerts().PutAlert(*alert);
  }
  if (alert->status == "closed" && (!alert->reopened || now - *alert->reopened >= kDay)) {
    alert->status = "reopened";
    alert->closed_reason.clear();
    alert->reopened = now;
  }
  alert->count = static_cast<std::int64_t>(active.size());
  alert->first_seen = active.front().time;
  alert->last_seen = active.back().time;
  PK_RETURN_IF_ERROR(Judge(*alert, active, /*second_rule=*/false));
  return store_.alerts().PutAlert(*alert);
}

Status AlertBook::Judge(storage::AlertRow& alert, const std::vector<storage::FindingRow>& findings,
                        bool second_rule) {
  const auto rule = by_id_.find(alert.rule);
  if (rule == by_id_.end()) return {};  // the rule is gone; the alert stays as it was
  AlertDetail detail = ParseDetail(alert.detail);
  detail.reasons.clear();
  detail.tactics = rule->second->tactics;
  rules::Severity severity = rules::Severity::kInformational;
  PriorityFacts facts{.second_rule = second_rule};
  for (const storage::FindingRow& finding : findings) {
    const rules::RuleRow row = RowOf(finding);
    const PriorityFacts own = FactsOf(row);
    facts.confirmed_compromised = facts.confirmed_compromised || own.confirmed_compromised;
    facts.guest = facts.guest || own.guest;
    facts.risk_hidden = facts.risk_hidden || own.risk_hidden;
    severity = std::max(severity, SeverityOf(*rule->second, row));
    AddTactics(*rule->second, row, detail.tactics);
    for (const std::string& reason : ReasonsOf(*rule->second, row)) {
      if (detail.reasons.size() < 20 &&
          std::find(detail.reasons.begin(), detail.reasons.end(), reason) == detail.reasons.end()) {
        detail.reasons.push_back(reason);
      }
    }
  }
  const Judgement judgement =
      alerts::Judge(severity, rule->second->confidence, facts, settings_.priorities);
  alert.severity = static_cast<int>(severity);
  alert.confidence = static_cast<int>(judgement.confidence);
  alert.priority = static_cast<int>(judgement.priority);
  detail.priority_why = judgement.why;
  alert.detail = FormatDetail(detail);
  return {};
}

Status AlertBook::RecomputeIncident(const std::string& id, Instant now) {
  PK_ASSIGN_OR_RETURN(std::optional<storage::IncidentRow> incident, store_.alerts().Incident(id));
  PK_CHECK(incident.has_value(), "an alert names an incident that is not there");
  PK_ASSIGN_OR_RETURN(std::vector<storage::AlertRow> alerts, store_.alerts().AlertsOfIncident(id));
  std::set<std::string> open_rules;
  for (const storage::AlertRow& alert : alerts) {
    if (alert.status != "closed") open_rules.insert(alert.rule);
  }
  // A second rule that agrees raises the confidence of each; when it closes, the others fall back.
  if (alerts.size() > 1) {
    for (storage::AlertRow& alert : alerts) {
      if (alert.status == "closed") continue;
      PK_ASSIGN_OR_RETURN(std::vector<storage::FindingRow> findings,
                          store_.alerts().FindingsOfAlert(alert.id));
      std::erase_if(findings, [](const auto& finding) { return finding.state != "active"; });
      PK_RETURN_IF_ERROR(Judge(alert, findings, /*second_rule=*/open_rules.size() > 1));
      PK_RETURN_IF_ERROR(store_.alerts().PutAlert(alert));
    }
  }
  const bool was_closed = incident->status == "closed";
  incident->first_seen = alerts.front().first_seen;
  incident->last_seen = alerts.front().last_seen;
  incident->priority = 5;
  incident->severity = 0;
  for (const storage::AlertRow& alert : alerts) {
    incident->first_seen = std::min(incident->first_seen, alert.first_seen);
    incident->last_seen = std::max(incident->last_seen, alert.last_seen);
    if (alert.status == "closed" && !open_rules.empty()) continue;
    incident->priority = std::min(incident->priority, alert.priority);
    incident->severity = std::max(incident->severity, alert.severity);
  }
  incident->updated = now;
  if (open_rules.empty()) {
    incident->status = "closed";
    incident->closed_reason = alerts.front().closed_reason;
  } else if (was_closed) {
    incident->status = "reopened";
    incident->closed_reason.clear();
  }
  return store_.alerts().PutIncident(*incident);
}

}  // namespace picket::alerts

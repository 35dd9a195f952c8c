#include "agent/alerts/alerting.h"

#include <algorithm>

#include "agent/alerts/detail.h"
#include "agent/alerts/finding_row.h"

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
  findings += other.findings;
  withdrawn += other.withdrawn;
  alerts += other.alerts;
  incidents += other.incidents;
  return *this;
}

Alerting::Alerting(storage::TenantStore& store, const Guid& tenant,
                   const std::vector<LoadedRule>& rules, const Settings& settings)
    : store_(store), tenant_(tenant), rules_(rules), settings_(settings) {
  for (const LoadedRule& loaded : rules_) by_id_.emplace(loaded.rule.id, &loaded.rule);
}

Result<AlertCounts> Alerting::Evaluate(Instant now, std::stop_token stop) {
  PK_RETURN_IF_ERROR(PlaceCursors(now));
  AlertCounts total;
  failures_.clear();
  for (const LoadedRule& loaded : rules_) {
    if (!loaded.verdict.query || !loaded.rule.enabled) continue;
    Result<AlertCounts> counts = EvaluateRule(loaded, now, stop);
    if (counts) {
      total += *counts;
    } else if (counts.error().kind == ErrorKind::kCancelled ||
               counts.error().kind == ErrorKind::kStorage) {
      return counts;
    } else {
      failures_.emplace_back(loaded.rule.id, std::move(counts).error());
    }
  }
  return total;
}

// In a tenant's first evaluation every rule starts at the beginning: the first hour gives the last
// 30 days. A rule that comes or changes later starts at its newest tick, by a cursor with the seq
// of now and the rows of its period read once (see EvaluateRule).
Status Alerting::PlaceCursors(Instant now) {
  PK_ASSIGN_OR_RETURN(const bool known_tenant, store_.alerts().AnyCursor());
  if (known_tenant || rules_.empty()) return {};
  PK_ASSIGN_OR_RETURN(storage::Transaction transaction, store_.Begin());
  for (const LoadedRule& loaded : rules_) {
    PK_RETURN_IF_ERROR(store_.alerts().PutCursor(
        loaded.rule.id, {.hash = loaded.rule.hash, .seq = 0, .evaluated = now, .error = {}}));
  }
  return transaction.Commit();
}

Result<AlertCounts> Alerting::EvaluateRule(const LoadedRule& loaded, Instant now,
                                           std::stop_token stop) {
  const rules::Rule& rule = loaded.rule;
  PK_ASSIGN_OR_RETURN(storage::Transaction transaction, store_.Begin());
  PK_ASSIGN_OR_RETURN(const std::optional<storage::RuleCursor> cursor,
                      store_.alerts().Cursor(rule.id));
  PK_ASSIGN_OR_RETURN(const std::int64_t last_seq, store_.events().LastSeq());
  AlertCounts counts;
  counts.rules = 1;
  std::int64_t after = 0;
  Instant oldest{};
  if (cursor && cursor->hash == rule.hash) {
    after = cursor->seq;
    if (after == last_seq) return counts;
  } else {
    oldest = rules::TickOf(now, rule.query_frequency) - rule.query_period;
  }
  touched_alerts_.clear();
  touched_incidents_.clear();
  PK_ASSIGN_OR_RETURN(const rules::Evaluation evaluation,
                      rules::EvaluateRows(rule, *loaded.verdict.query, store_, tenant_, after,
                                          last_seq, oldest, stop));
  for (const rules::RuleRow& row : evaluation.rows) {
    PK_RETURN_IF_ERROR(Take(rule, evaluation.stream, row, now, counts));
  }
  PK_RETURN_IF_ERROR(Withdraw(rule, evaluation, counts));
  PK_RETURN_IF_ERROR(Recompute(now));
  PK_RETURN_IF_ERROR(store_.alerts().PutCursor(
      rule.id, {.hash = rule.hash, .seq = last_seq, .evaluated = now, .error = {}}));
  PK_RETURN_IF_ERROR(transaction.Commit());
  return counts;
}

Status Alerting::Take(const rules::Rule& rule, const std::string& stream, const rules::RuleRow& row,
                      Instant now, AlertCounts& counts) {
  PK_ASSIGN_OR_RETURN(const std::string event_id, store_.events().IdOf(stream, row.event));
  const storage::EntityKey entity = EntityOf(rule, row, event_id);
  // Derived, so that a replay finds it again: tenant, rule, entity, row.
  const std::string id =
      ToString(Uuid5(tenant_, rule.id + "\n" + entity.type + ":" + entity.id + "\n" + event_id));
  PK_ASSIGN_OR_RETURN(const std::optional<storage::FindingRow> known, store_.alerts().Finding(id));
  storage::FindingRow finding{.id = id,
                              .rule = rule.id,
                              .stream = stream,
                              .event = row.event,
                              .event_id = event_id,
                              .entity = entity,
                              .time = row.time,
                              .tick = row.tick,
                              .state = "active",
                              .alert = known ? known->alert : std::string(),
                              .row = row.json,
                              .found = known ? known->found : now};
  if (const std::string settled = SettledState(row); !settled.empty()) {
    finding.state = "settled";
    finding.state_reason = settled;
  }
  if (!known) ++counts.findings;
  if (finding.alert.empty() && finding.state == "active") {
    PK_ASSIGN_OR_RETURN(const storage::AlertRow alert, AlertFor(rule, row, finding, now, counts));
    finding.alert = alert.id;
  }
  PK_RETURN_IF_ERROR(store_.alerts().PutFinding(finding));
  if (finding.alert.empty()) return {};
  touched_alerts_.insert(finding.alert);
  return store_.alerts().PutEvidence(finding.alert, {finding.id, finding.time, finding.row});
}

// An event that came up again and no longer matches takes its finding back.
Status Alerting::Withdraw(const rules::Rule& rule, const rules::Evaluation& evaluation,
                          AlertCounts& counts) {
  std::set<std::int64_t> matched;
  for (const rules::RuleRow& row : evaluation.rows) matched.insert(row.event);
  for (const std::int64_t event : evaluation.looked_at) {
    if (matched.contains(event)) continue;
    Result<std::string> event_id = store_.events().IdOf(evaluation.stream, event);
    if (!event_id && event_id.error().kind != ErrorKind::kNotFound) {
      return Fail(std::move(event_id).error());
    }
    PK_ASSIGN_OR_RETURN(std::vector<storage::FindingRow> findings,
                        store_.alerts().FindingsOfEvent(rule.id, evaluation.stream, event,
                                                        event_id ? *event_id : std::string()));
    for (storage::FindingRow& finding : findings) {
      if (finding.state == "withdrawn") continue;
      finding.state = "withdrawn";
      finding.state_reason = "the event changed and no longer matches";
      ++counts.withdrawn;
      PK_RETURN_IF_ERROR(store_.alerts().PutFinding(finding));
      if (!finding.alert.empty()) touched_alerts_.insert(finding.alert);
    }
  }
  return {};
}

Result<storage::AlertRow> Alerting::AlertFor(const rules::Rule& rule, const rules::RuleRow& row,
                                             const storage::FindingRow& finding, Instant now,
                                             AlertCounts& counts) {
  PK_ASSIGN_OR_RETURN(const std::vector<storage::AlertRow> alerts,
                      store_.alerts().AlertsOfEntity(rule.id, finding.entity));
  for (const storage::AlertRow& alert : alerts) {
    if (TakesIn(alert, finding.time, settings_.gap)) return alert;
  }
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
                               .description = rule.description,
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

Result<std::string> Alerting::IncidentFor(const storage::AlertRow& alert, const std::string& title,
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

Status Alerting::Recompute(Instant now) {
  for (const std::string& id : touched_alerts_) PK_RETURN_IF_ERROR(RecomputeAlert(id, now));
  for (const std::string& id : touched_incidents_) PK_RETURN_IF_ERROR(RecomputeIncident(id, now));
  return {};
}

// An alert is what its active findings say. Without one it closes with the reason; when the reason
// goes it reopens, at most once a day.
Status Alerting::RecomputeAlert(const std::string& id, Instant now) {
  PK_ASSIGN_OR_RETURN(std::optional<storage::AlertRow> alert, store_.alerts().Alert(id));
  PK_CHECK(alert.has_value(), "a finding names an alert that is not there");
  PK_ASSIGN_OR_RETURN(const std::vector<storage::FindingRow> findings,
                      store_.alerts().FindingsOfAlert(id));
  std::vector<storage::FindingRow> active;
  std::string settled;
  for (const storage::FindingRow& finding : findings) {
    if (finding.state == "active") active.push_back(finding);
    if (finding.state == "settled") settled = finding.state_reason;
  }
  touched_incidents_.insert(alert->incident);
  alert->updated = now;
  if (active.empty()) {
    if (alert->status != "closed") {
      alert->status = "closed";
      alert->closed_reason =
          settled.empty() ? "no event matches any more" : "the risk was settled: " + settled;
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

Status Alerting::Judge(storage::AlertRow& alert, const std::vector<storage::FindingRow>& findings,
                       bool second_rule) {
  const auto rule = by_id_.find(alert.rule);
  if (rule == by_id_.end()) return {};  // the rule is gone; the alert stays as it was
  AlertDetail detail = ParseDetail(alert.detail);
  detail.reasons.clear();
  PriorityFacts facts{.second_rule = second_rule};
  for (const storage::FindingRow& finding : findings) {
    const rules::RuleRow row = RowOf(finding);
    const PriorityFacts own = FactsOf(row);
    facts.confirmed_compromised = facts.confirmed_compromised || own.confirmed_compromised;
    facts.guest = facts.guest || own.guest;
    facts.risk_hidden = facts.risk_hidden || own.risk_hidden;
    for (const std::string& reason : ReasonsOf(*rule->second, row)) {
      if (detail.reasons.size() < 20 &&
          std::find(detail.reasons.begin(), detail.reasons.end(), reason) == detail.reasons.end()) {
        detail.reasons.push_back(reason);
      }
    }
  }
  const Judgement judgement =
      alerts::Judge(rule->second->severity, rule->second->confidence, facts, settings_.priorities);
  alert.severity = static_cast<int>(rule->second->severity);
  alert.confidence = static_cast<int>(judgement.confidence);
  alert.priority = static_cast<int>(judgement.priority);
  detail.priority_why = judgement.why;
  alert.detail = FormatDetail(detail);
  return {};
}

Status Alerting::RecomputeIncident(const std::string& id, Instant now) {
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

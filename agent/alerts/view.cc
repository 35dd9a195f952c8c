#include "agent/alerts/view.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace picket::alerts {
namespace {

using nlohmann::json;

json ToJson(const EntityView& entity) {
  return {{"type", entity.type}, {"id", entity.id}, {"name", entity.name}};
}

json ToJson(const EvidenceView& evidence) {
  json columns = json::object();
  for (const auto& [name, text] : evidence.columns) columns[name] = text;
  return {{"finding", evidence.finding_id},
          {"time", FormatRfc3339(evidence.time)},
          {"row", std::move(columns)}};
}

json ToJson(const SourcesView& sources) {
  json rows = json::array();
  for (const EvidenceView& row : sources.rows) {
    json shown = ToJson(row);
    shown.erase("finding");
    rows.push_back(std::move(shown));
  }
  return {{"finding", sources.finding_id},
          {"events", sources.events},
          {"summary", Summary(sources)},
          {"rows", std::move(rows)}};
}

void AddUnique(std::vector<std::string>& list, const std::vector<std::string>& more) {
  for (const std::string& item : more) {
    if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
  }
}

}  // namespace

std::string EvidenceView::Column(std::string_view name) const {
  for (const auto& [column, text] : columns) {
    if (column == name) return text;
  }
  return {};
}

std::string Summary(const SourcesView& sources) {
  std::string text = Counted(sources.events, "event");
  const auto shown = std::ssize(sources.rows);
  if (!sources.why_not.empty())
    return sources.events > 0 ? text + ": " + sources.why_not : sources.why_not;
  if (shown >= sources.events) return text;
  return shown == 0 ? text + ", none of which is kept"
                    : text + fmt::format(", of which the first and the last are shown ({})", shown);
}

std::int64_t IncidentView::Count() const {
  std::int64_t count = 0;
  for (const AlertView& alert : alerts) count += alert.count;
  return count;
}

json ToJson(const AlertView& alert, bool with_evidence) {
  json object = {{"id", alert.id},
                 {"tenant", alert.tenant},
                 {"rule", alert.rule},
                 {"title", alert.title},
                 {"priority", PriorityName(alert.priority)},
                 {"severity", rules::SeverityName(alert.severity)},
                 {"confidence", rules::ConfidenceName(alert.confidence)},
                 {"status", alert.status},
                 {"entity", ToJson(alert.entity)},
                 {"first_seen", FormatRfc3339(alert.first_seen)},
                 {"last_seen", FormatRfc3339(alert.last_seen)},
                 {"count", alert.count},
                 {"tactics", alert.tactics},
                 {"techniques", alert.techniques},
                 {"reasons", alert.reasons},
                 {"priority_why", alert.priority_why}};
  if (!alert.closed_reason.empty()) object["closed_reason"] = alert.closed_reason;
  if (with_evidence) {
    object["description"] = alert.description;
    object["next_steps"] = alert.next_steps;
    object["false_positives"] = alert.false_positives;
    object["evidence"] = json::array();
    for (const EvidenceView& row : alert.evidence) object["evidence"].push_back(ToJson(row));
    object["sources"] = json::array();
    for (const SourcesView& of : alert.sources) object["sources"].push_back(ToJson(of));
  }
  return object;
}

json ToJson(const IncidentView& incident, bool with_evidence) {
  std::vector<std::string> techniques;
  std::vector<std::string> reasons;
  json alerts = json::array();
  for (const AlertView& alert : incident.alerts) {
    AddUnique(techniques, alert.techniques);
    AddUnique(reasons, alert.reasons);
    alerts.push_back(ToJson(alert, with_evidence));
  }
  json object = {{"id", incident.id},
                 {"tenant", incident.tenant},
                 {"title", incident.title},
                 {"priority", PriorityName(incident.priority)},
                 {"severity", rules::SeverityName(incident.severity)},
                 {"status", incident.status},
                 {"entity", ToJson(incident.entity)},
                 {"first_seen", FormatRfc3339(incident.first_seen)},
                 {"last_seen", FormatRfc3339(incident.last_seen)},
                 {"count", incident.Count()},
                 {"techniques", techniques},
                 {"reasons", reasons},
                 {"alerts", std::move(alerts)}};
  if (!incident.closed_reason.empty()) object["closed_reason"] = incident.closed_reason;
  return object;
}

}  // namespace picket::alerts

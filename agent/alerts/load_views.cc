#include "agent/alerts/load_views.h"

#include <map>

#include "agent/alerts/detail.h"
#include "agent/alerts/finding_row.h"
#include "agent/alerts/finding_sources.h"

namespace picket::alerts {
namespace {

EntityView ViewOf(const storage::EntityKey& entity) {
  return {.type = entity.type, .id = entity.id, .name = entity.name};
}

Result<AlertView> ViewOf(storage::TenantStore& store, const std::string& tenant,
                         const storage::AlertRow& alert, Evidence with) {
  AlertDetail detail = ParseDetail(alert.detail);
  AlertView view{.id = alert.id,
                 .tenant = tenant,
                 .rule = alert.rule,
                 .title = std::move(detail.title),
                 .description = std::move(detail.description),
                 .priority = static_cast<Priority>(alert.priority),
                 .severity = static_cast<rules::Severity>(alert.severity),
                 .confidence = static_cast<rules::Confidence>(alert.confidence),
                 .status = alert.status,
                 .closed_reason = alert.closed_reason,
                 .entity = ViewOf(alert.entity),
                 .first_seen = alert.first_seen,
                 .last_seen = alert.last_seen,
                 .count = alert.count,
                 .tactics = std::move(detail.tactics),
                 .techniques = std::move(detail.techniques),
                 .reasons = std::move(detail.reasons),
                 .priority_why = std::move(detail.priority_why),
                 .next_steps = std::move(detail.next_steps),
                 .false_positives = std::move(detail.false_positives)};
  if (with == Evidence::kLeft) return view;
  PK_ASSIGN_OR_RETURN(const std::vector<storage::EvidenceRow> evidence,
                      store.alerts().Evidence(alert.id));
  std::map<std::string, SourcesView> sources;
  for (const storage::EvidenceRow& row : evidence) {
    EvidenceView shown{.finding_id = row.finding, .time = row.time, .columns = {}};
    const std::optional<SourceKey> source = ParseSourcesId(row.finding);
    if (source && source->note) {
      const ReadNote note = ParseNote(row.row);
      SourcesView& of = sources[source->finding];
      of.finding_id = source->finding;
      of.events = note.events;
      of.why_not = note.why_not;
      continue;
    }
    shown.columns = ColumnsOf(row.row);
    if (!source) {
      view.evidence.push_back(std::move(shown));
      continue;
    }
    shown.finding_id = source->finding;
    sources[source->finding].rows.push_back(std::move(shown));
  }
  for (const EvidenceView& row : view.evidence) {  // a finding's first row has its id
    if (auto of = sources.extract(row.finding_id)) view.sources.push_back(std::move(of.mapped()));
  }
  return view;
}

Result<IncidentView> ViewOf(storage::TenantStore& store, const std::string& tenant,
                            const storage::IncidentRow& row, Evidence with) {
  IncidentView view;
  view.id = row.id;
  view.tenant = tenant;
  view.title = row.title;
  view.priority = static_cast<Priority>(row.priority);
  view.severity = static_cast<rules::Severity>(row.severity);
  view.status = row.status;
  view.closed_reason = row.closed_reason;
  view.entity = ViewOf(row.entity);
  view.first_seen = row.first_seen;
  view.last_seen = row.last_seen;
  PK_ASSIGN_OR_RETURN(const std::vector<storage::AlertRow> alerts,
                      store.alerts().AlertsOfIncident(row.id));
  for (const storage::AlertRow& alert : alerts) {
    PK_ASSIGN_OR_RETURN(AlertView alert_view, ViewOf(store, tenant, alert, with));
    view.alerts.push_back(std::move(alert_view));
  }
  return view;
}

}  // namespace

Result<std::optional<AlertView>> LoadAlert(storage::TenantStore& store, const std::string& tenant,
                                           const std::string& id) {
  PK_ASSIGN_OR_RETURN(const std::optional<storage::AlertRow> row, store.alerts().Alert(id));
  if (!row) return std::nullopt;
  return ViewOf(store, tenant, *row, Evidence::kRead);
}

Result<std::optional<IncidentView>> LoadIncident(storage::TenantStore& store,
                                                 const std::string& tenant, const std::string& id) {
  PK_ASSIGN_OR_RETURN(const std::optional<storage::IncidentRow> row, store.alerts().Incident(id));
  if (!row) return std::nullopt;
  return ViewOf(store, tenant, *row, Evidence::kRead);
}

Result<std::vector<AlertView>> LoadAlerts(storage::TenantStore& store, const std::string& tenant,
                                          bool all, Evidence evidence) {
  PK_ASSIGN_OR_RETURN(const std::vector<storage::AlertRow> rows, store.alerts().Alerts(all));
  std::vector<AlertView> views;
  for (const storage::AlertRow& row : rows) {
    PK_ASSIGN_OR_RETURN(AlertView view, ViewOf(store, tenant, row, evidence));
    views.push_back(std::move(view));
  }
  return views;
}

Result<std::vector<IncidentView>> LoadIncidents(storage::TenantStore& store,
                                                const std::string& tenant, bool all,
                                                Evidence evidence) {
  PK_ASSIGN_OR_RETURN(const std::vector<storage::IncidentRow> rows, store.alerts().Incidents(all));
  std::vector<IncidentView> views;
  for (const storage::IncidentRow& row : rows) {
    PK_ASSIGN_OR_RETURN(IncidentView view, ViewOf(store, tenant, row, evidence));
    views.push_back(std::move(view));
  }
  return views;
}

}  // namespace picket::alerts

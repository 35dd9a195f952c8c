#include "storage/alert_store.h"

namespace picket::storage {
namespace {

constexpr std::string_view kFindingColumns =
    "SELECT id, rule, stream, event, entity_type, entity_id, entity_name, time, tick, state, "
    "state_reason, alert, row, found, event_id FROM finding ";
constexpr std::string_view kAlertColumns =
    "SELECT id, rule, entity_type, entity_id, entity_name, incident, status, closed_reason, "
    "severity, confidence, priority, first_seen, last_seen, count, opened, updated, reopened, "
    "detail FROM alert ";
constexpr std::string_view kIncidentColumns =
    "SELECT id, entity_type, entity_id, entity_name, title, status, closed_reason, severity, "
    "priority, first_seen, last_seen, opened, updated FROM incident ";

std::string Own(std::string_view text) { return std::string(text); }

FindingRow ReadFinding(const Statement& row) {
  return {.id = Own(row.Text(0)),
          .rule = Own(row.Text(1)),
          .stream = Own(row.Text(2)),
          .event = row.Int(3),
          .event_id = Own(row.Text(14)),
          .entity = {Own(row.Text(4)), Own(row.Text(5)), Own(row.Text(6))},
          .time = Instant{row.Int(7)},
          .tick = Instant{row.Int(8)},
          .state = Own(row.Text(9)),
          .state_reason = Own(row.Text(10)),
          .alert = Own(row.Text(11)),
          .row = Own(row.Text(12)),
          .found = Instant{row.Int(13)}};
}

AlertRow ReadAlert(const Statement& row) {
  AlertRow alert{.id = Own(row.Text(0)),
                 .rule = Own(row.Text(1)),
                 .entity = {Own(row.Text(2)), Own(row.Text(3)), Own(row.Text(4))},
                 .incident = Own(row.Text(5)),
                 .status = Own(row.Text(6)),
                 .closed_reason = Own(row.Text(7)),
                 .severity = static_cast<int>(row.Int(8)),
                 .confidence = static_cast<int>(row.Int(9)),
                 .priority = static_cast<int>(row.Int(10)),
                 .first_seen = Instant{row.Int(11)},
                 .last_seen = Instant{row.Int(12)},
                 .count = row.Int(13),
                 .opened = Instant{row.Int(14)},
                 .updated = Instant{row.Int(15)},
                 .reopened = {},
                 .detail = Own(row.Text(17))};
  if (row.Int(16) != 0) alert.reopened = Instant{row.Int(16)};
  return alert;
}

IncidentRow ReadIncident(const Statement& row) {
  return {.id = Own(row.Text(0)),
          .entity = {Own(row.Text(1)), Own(row.Text(2)), Own(row.Text(3))},
          .title = Own(row.Text(4)),
          .status = Own(row.Text(5)),
          .closed_reason = Own(row.Text(6)),
          .severity = static_cast<int>(row.Int(7)),
          .priority = static_cast<int>(row.Int(8)),
          .first_seen = Instant{row.Int(9)},
          .last_seen = Instant{row.Int(10)},
          .opened = Instant{row.Int(11)},
          .updated = Instant{row.Int(12)}};
}

template <class T>
Result<std::vector<T>> All(Statement& select, T (*read)(const Statement&)) {
  std::vector<T> rows;
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return rows;
    rows.push_back(read(select));
  }
}

template <class T>
Result<std::optional<T>> One(Statement& select, T (*read)(const Statement&)) {
  PK_ASSIGN_OR_RETURN(const bool row, select.Step());
  if (!row) return std::optional<T>();
  return std::optional<T>(read(select));
}

std::string Sql(std::string_view columns, std::string_view rest) {
  return std::string(columns) + std::string(rest);
}

}  // namespace

Result<std::optional<RuleCursor>> AlertStore::Cursor(std::string_view rule) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare("SELECT hash, seq, evaluated, error FROM rule_cursor WHERE rule=?"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, rule).Step());
  if (!row) return std::optional<RuleCursor>();
  return std::optional<RuleCursor>({.hash = Own(select.Text(0)),
                                    .seq = select.Int(1),
                                    .evaluated = Instant{select.Int(2)},
                                    .error = Own(select.Text(3))});
}

Status AlertStore::PutCursor(std::string_view rule, const RuleCursor& cursor) {
  PK_ASSIGN_OR_RETURN(
      Statement put,
      database_.Prepare("INSERT OR REPLACE INTO rule_cursor(rule, hash, seq, evaluated, error) "
                        "VALUES(?,?,?,?,?)"));
  put.Bind(1, rule).Bind(2, cursor.hash).Bind(3, cursor.seq).Bind(4, cursor.evaluated.ticks);
  return put.Bind(5, cursor.error).Run();
}

Result<bool> AlertStore::AnyCursor() {
  PK_ASSIGN_OR_RETURN(Statement select, database_.Prepare("SELECT 1 FROM rule_cursor LIMIT 1"));
  return select.Step();
}

Result<std::optional<FindingRow>> AlertStore::Finding(std::string_view id) {
  PK_ASSIGN_OR_RETURN(Statement select, database_.Prepare(Sql(kFindingColumns, "WHERE id=?")));
  select.Bind(1, id);
  return One(select, &ReadFinding);
}

Result<std::vector<FindingRow>> AlertStore::FindingsOfEvent(std::string_view rule,
                                                            std::string_view stream,
                                                            std::int64_t event,
                                                            std::string_view event_id) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare(
          Sql(kFindingColumns,
              "WHERE rule=?1 AND stream=?2 AND (event=?3 OR (event_id=?4 AND ?4<>''))")));
  select.Bind(1, rule).Bind(2, stream).Bind(3, event).Bind(4, event_id);
  return All(select, &ReadFinding);
}

Result<std::vector<std::string>> AlertStore::CitedByOpenAlerts(std::string_view stream,
                                                               std::int64_t limit) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare("SELECT event_id FROM finding JOIN alert ON alert.id=finding.alert WHERE "
                        "stream=? AND event_id<>'' AND status<>'closed' GROUP BY event_id ORDER BY "
                        "max(time) DESC, event_id LIMIT ?"));
  select.Bind(1, stream).Bind(2, limit);
  std::vector<std::string> ids;
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return ids;
    ids.push_back(Own(select.Text(0)));
  }
}

Result<std::vector<FindingRow>> AlertStore::FindingsOfAlert(std::string_view alert) {
  PK_ASSIGN_OR_RETURN(Statement select,
                      database_.Prepare(Sql(kFindingColumns, "WHERE alert=? ORDER BY time, id")));
  select.Bind(1, alert);
  return All(select, &ReadFinding);
}

Status AlertStore::PutFinding(const FindingRow& f) {
  PK_ASSIGN_OR_RETURN(
      Statement put,
      database_.Prepare("INSERT OR REPLACE INTO finding(id, rule, stream, event, entity_type, "
                        "entity_id, entity_name, time, tick, state, state_reason, alert, row, "
                        "found, event_id) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  put.Bind(1, f.id).Bind(2, f.rule).Bind(3, f.stream).Bind(4, f.event);
  put.Bind(5, f.entity.type).Bind(6, f.entity.id).Bind(7, f.entity.name);
  put.Bind(8, f.time.ticks).Bind(9, f.tick.ticks).Bind(10, f.state).Bind(11, f.state_reason);
  put.Bind(12, f.alert).Bind(13, f.row).Bind(14, f.found.ticks);
  return put.Bind(15, f.event_id).Run();
}

Result<std::optional<AlertRow>> AlertStore::Alert(std::string_view id) {
  PK_ASSIGN_OR_RETURN(Statement select, database_.Prepare(Sql(kAlertColumns, "WHERE id=?")));
  select.Bind(1, id);
  return One(select, &ReadAlert);
}

Result<std::vector<AlertRow>> AlertStore::AlertsOfEntity(std::string_view rule,
                                                         const EntityKey& entity) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare(Sql(kAlertColumns,
                            "WHERE rule=? AND entity_type=? AND entity_id=? ORDER BY last_seen "
                            "DESC, id")));
  select.Bind(1, rule).Bind(2, entity.type).Bind(3, entity.id);
  return All(select, &ReadAlert);
}

Result<std::vector<AlertRow>> AlertStore::AlertsOfIncident(std::string_view incident) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare(
          Sql(kAlertColumns, "WHERE incident=? ORDER BY priority, last_seen DESC, id")));
  select.Bind(1, incident);
  return All(select, &ReadAlert);
}

Result<std::vector<AlertRow>> AlertStore::Alerts(bool all) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare(
          Sql(kAlertColumns, "WHERE ? OR status<>'closed' ORDER BY priority, last_seen DESC, id")));
  select.Bind(1, std::int64_t{all ? 1 : 0});
  return All(select, &ReadAlert);
}

Status AlertStore::PutAlert(const AlertRow& a) {
  PK_ASSIGN_OR_RETURN(
      Statement put,
      database_.Prepare(
          "INSERT OR REPLACE INTO alert(id, rule, entity_type, entity_id, entity_name, incident, "
          "status, closed_reason, severity, confidence, priority, first_seen, last_seen, count, "
          "opened, updated, reopened, detail) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  put.Bind(1, a.id).Bind(2, a.rule);
  put.Bind(3, a.entity.type).Bind(4, a.entity.id).Bind(5, a.entity.name);
  put.Bind(6, a.incident).Bind(7, a.status).Bind(8, a.closed_reason);
  put.Bind(9, std::int64_t{a.severity}).Bind(10, std::int64_t{a.confidence});
  put.Bind(11, std::int64_t{a.priority}).Bind(12, a.first_seen.ticks).Bind(13, a.last_seen.ticks);
  put.Bind(14, a.count).Bind(15, a.opened.ticks).Bind(16, a.updated.ticks);
  return put.Bind(17, a.reopened ? a.reopened->ticks : 0).Bind(18, a.detail).Run();
}

Result<std::vector<EvidenceRow>> AlertStore::Evidence(std::string_view alert) {
  PK_ASSIGN_OR_RETURN(Statement select,
                      database_.Prepare("SELECT finding, time, row FROM alert_evidence WHERE "
                                        "alert=? ORDER BY time DESC, finding"));
  select.Bind(1, alert);
  std::vector<EvidenceRow> rows;
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return rows;
    rows.push_back({Own(select.Text(0)), Instant{select.Int(1)}, Own(select.Text(2))});
  }
}

Status AlertStore::DropEvidence(std::string_view alert, std::string_view finding) {
  PK_ASSIGN_OR_RETURN(Statement drop,
                      database_.Prepare("DELETE FROM alert_evidence WHERE alert=?1 AND (finding=?2 "
                                        "OR (finding>?2 || '/' AND finding<?2 || '0'))"));
  return drop.Bind(1, alert).Bind(2, finding).Run();
}

Status AlertStore::PutEvidence(std::string_view alert, const EvidenceRow& evidence,
                               std::int64_t most) {
  PK_ASSIGN_OR_RETURN(
      Statement put,
      database_.Prepare("INSERT OR REPLACE INTO alert_evidence(alert, finding, time, row) SELECT "
                        "?1,?2,?3,?4 WHERE (SELECT count(*) FROM alert_evidence WHERE alert=?1)<?5 "
                        "OR EXISTS(SELECT 1 FROM alert_evidence WHERE alert=?1 AND finding=?2)"));
  put.Bind(1, alert).Bind(2, evidence.finding).Bind(3, evidence.time.ticks).Bind(4, evidence.row);
  return put.Bind(5, most).Run();
}

Result<std::optional<IncidentRow>> AlertStore::Incident(std::string_view id) {
  PK_ASSIGN_OR_RETURN(Statement select, database_.Prepare(Sql(kIncidentColumns, "WHERE id=?")));
  select.Bind(1, id);
  return One(select, &ReadIncident);
}

Result<std::vector<IncidentRow>> AlertStore::IncidentsOfEntity(const EntityKey& entity) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare(Sql(kIncidentColumns,
                            "WHERE entity_type=? AND entity_id=? ORDER BY last_seen DESC, id")));
  select.Bind(1, entity.type).Bind(2, entity.id);
  return All(select, &ReadIncident);
}

Result<std::vector<IncidentRow>> AlertStore::Incidents(bool all) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare(Sql(kIncidentColumns,
                            "WHERE ? OR status<>'closed' ORDER BY priority, last_seen DESC, id")));
  select.Bind(1, std::int64_t{all ? 1 : 0});
  return All(select, &ReadIncident);
}

Status AlertStore::PutIncident(const IncidentRow& i) {
  PK_ASSIGN_OR_RETURN(
      Statement put,
      database_.Prepare("INSERT OR REPLACE INTO incident(id, entity_type, entity_id, entity_name, "
                        "title, status, closed_reason, severity, priority, first_seen, last_seen, "
                        "opened, updated) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  put.Bind(1, i.id).Bind(2, i.entity.type).Bind(3, i.entity.id).Bind(4, i.entity.name);
  put.Bind(5, i.title).Bind(6, i.status).Bind(7, i.closed_reason);
  put.Bind(8, std::int64_t{i.severity}).Bind(9, std::int64_t{i.priority});
  put.Bind(10, i.first_seen.ticks).Bind(11, i.last_seen.ticks);
  return put.Bind(12, i.opened.ticks).Bind(13, i.updated.ticks).Run();
}

}  // namespace picket::storage

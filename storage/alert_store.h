#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "storage/sqlite/database.h"

namespace picket::storage {

struct EntityKey {
  std::string type, id, name;
};

struct FindingRow {
  std::string id, rule, stream;
  std::int64_t event = 0;  // key of the event in its stream
  std::string event_id;    // its id there, which outlives the event; "" in a file of schema 1
  EntityKey entity;
  Instant time, tick;
  std::string state;  // active | settled | suppressed | withdrawn
  std::string state_reason;
  std::string alert;
  std::string row;  // JSON
  Instant found;
};

// Numbers of severity, confidence and priority are part of the file's format: see agent/alerts.
struct AlertRow {
  std::string id, rule;
  EntityKey entity;
  std::string incident, status, closed_reason;
  int severity = 0, confidence = 0, priority = 0;
  Instant first_seen, last_seen;
  std::int64_t count = 0;
  Instant opened, updated;
  std::optional<Instant> reopened;
  std::string detail;  // JSON
};

struct EvidenceRow {
  std::string finding;
  Instant time;
  std::string row;  // JSON
};

struct IncidentRow {
  std::string id;
  EntityKey entity;
  std::string title, status, closed_reason;
  int severity = 0, priority = 0;
  Instant first_seen, last_seen, opened, updated;
};

struct RuleCursor {
  std::string hash;
  std::int64_t seq = 0;  // events up to it were evaluated
  Instant evaluated;
  std::string error;
};

// Rows that are kept of an alert. Those that are told to be of less weight stop earlier.
inline constexpr std::int64_t kMaxEvidence = 400;
inline constexpr std::int64_t kMaxLesserEvidence = 300;

// Findings, alerts, incidents and the rules' cursors of one tenant. Writes happen in the caller's
// transaction, so that a tick's findings and the cursor that says so commit together.
class AlertStore {
 public:
  explicit AlertStore(Database& database) : database_(database) {}

  [[nodiscard]] Result<std::optional<RuleCursor>> Cursor(std::string_view rule);
  [[nodiscard]] Status PutCursor(std::string_view rule, const RuleCursor& cursor);
  [[nodiscard]] Result<bool> AnyCursor();

  [[nodiscard]] Result<std::optional<FindingRow>> Finding(std::string_view id);
  // Also those of the same event under an earlier key, if retention took it in between.
  [[nodiscard]] Result<std::vector<FindingRow>> FindingsOfEvent(std::string_view rule,
                                                                std::string_view stream,
                                                                std::int64_t event,
                                                                std::string_view event_id);
  // The ids of the stream's events that an open alert cites, newest first.
  [[nodiscard]] Result<std::vector<std::string>> CitedByOpenAlerts(std::string_view stream,
                                                                   std::int64_t limit);
  [[nodiscard]] Result<std::vector<FindingRow>> FindingsOfAlert(std::string_view alert);
  [[nodiscard]] Status PutFinding(const FindingRow& finding);

  [[nodiscard]] Result<std::optional<AlertRow>> Alert(std::string_view id);
  [[nodiscard]] Result<std::vector<AlertRow>> AlertsOfEntity(std::string_view rule,
                                                             const EntityKey& entity);
  [[nodiscard]] Result<std::vector<AlertRow>> AlertsOfIncident(std::string_view incident);
  // Most urgent first, then newest. Closed ones only with `all`.
  [[nodiscard]] Result<std::vector<AlertRow>> Alerts(bool all);
  [[nodiscard]] Status PutAlert(const AlertRow& alert);

  // Newest first.
  [[nodiscard]] Result<std::vector<EvidenceRow>> Evidence(std::string_view alert);
  // What of a finding (its id, and its id with "/…" behind it) is evidence of the alert.
  [[nodiscard]] Status DropEvidence(std::string_view alert, std::string_view finding);
  // When the alert has as many rows as this, further ones are not copied.
  [[nodiscard]] Status PutEvidence(std::string_view alert, const EvidenceRow& evidence,
                                   std::int64_t most = kMaxEvidence);

  [[nodiscard]] Result<std::optional<IncidentRow>> Incident(std::string_view id);
  [[nodiscard]] Result<std::vector<IncidentRow>> IncidentsOfEntity(const EntityKey& entity);
  [[nodiscard]] Result<std::vector<IncidentRow>> Incidents(bool all);
  [[nodiscard]] Status PutIncident(const IncidentRow& incident);

 private:
  Database& database_;
};

}  // namespace picket::storage

#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "agent/alerts/priority.h"
#include "agent/rules/rule.h"
#include "base/time.h"

namespace picket::alerts {

// What people and programs see of alerts and incidents: values, read from the store in one go. All
// text from events is as it came: whoever shows it escapes it for the place.

struct EntityView {
  std::string type;  // "user", "servicePrincipal", "ip", "row"
  std::string id;    // strongest identifier, lower-case
  std::string name;  // what a person knows it by
};

// One row that made a finding: our own copy of the rule's output row, or of an event that this
// comes from, whose table is in the column Type.
struct EvidenceView {
  std::string finding_id;
  Instant time;
  std::vector<std::pair<std::string, std::string>> columns;  // name, text; in the rule's order
  [[nodiscard]] std::string Column(std::string_view name) const;
};

// What a finding's rows come from, where a rule groups, joins or counts.
struct SourcesView {
  std::string finding_id;
  std::int64_t events = 0;
  std::string why_not;             // rows are missing, or ""
  std::vector<EvidenceView> rows;  // newest first; of many the first and the last
};
// "3 events", "1200 events, of which the first and the last 10 are shown", or why there are none.
std::string Summary(const SourcesView& sources);

struct AlertView {
  std::string id;
  std::string tenant;  // its name in the config
  std::string rule;    // the rule's id
  std::string title;
  std::string description;
  Priority priority = Priority::kP3;
  rules::Severity severity = rules::Severity::kMedium;
  rules::Confidence confidence = rules::Confidence::kMedium;
  std::string status;  // new | active | closed | reopened
  std::string closed_reason;
  EntityView entity;
  Instant first_seen, last_seen;
  std::int64_t count = 0;
  std::vector<std::string> tactics, techniques;
  std::vector<std::string> reasons;       // which conditions matched, with values
  std::vector<std::string> priority_why;  // how the priority came about
  std::vector<std::string> next_steps;
  std::vector<std::string> false_positives;
  std::vector<EvidenceView> evidence;  // newest first; at most 400 with the sources
  std::vector<SourcesView> sources;    // newest finding first
};

struct IncidentView {
  std::string id;
  std::string tenant;
  std::string title;
  Priority priority = Priority::kP3;
  rules::Severity severity = rules::Severity::kMedium;
  std::string status;
  std::string closed_reason;
  EntityView entity;
  Instant first_seen, last_seen;
  std::vector<AlertView> alerts;  // most urgent first
  [[nodiscard]] std::int64_t Count() const;
};

// Shapes of design §9. `with_evidence` adds the rows.
nlohmann::json ToJson(const AlertView& alert, bool with_evidence);
nlohmann::json ToJson(const IncidentView& incident, bool with_evidence);

}  // namespace picket::alerts

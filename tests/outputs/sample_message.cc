#include "tests/outputs/sample_message.h"

#include <nlohmann/json.hpp>

#include "agent/alerts/publisher.h"
#include "agent/outputs/digest.h"

namespace picket::outputs {
namespace {

constexpr const char* kId = "61c7dc19-df65-5dc8-8da4-b6e07d9d34f1";

std::string Dump(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Message MessageOf(std::string type, int priority, std::string body) {
  return {.id = kId,
          .type = std::move(type),
          .tenant = "contoso",
          .priority = priority,
          .created = *ParseRfc3339("2026-11-24T10:00:00.1234567Z"),
          .body = std::move(body),
          .receipt = {}};
}

}  // namespace

Message IncidentWith(const std::string& text, const std::string& type) {
  alerts::AlertView alert;
  alert.id = "a";
  alert.rule = text;
  alert.title = alert.description = text;
  alert.status = text;
  alert.closed_reason = text;
  alert.entity = {.type = "user", .id = text, .name = text};
  alert.first_seen = *ParseRfc3339("2026-11-24T09:00:00Z");
  alert.last_seen = *ParseRfc3339("2026-11-24T09:30:00.7654321Z");
  alert.count = 2;
  alert.tactics = alert.techniques = alert.reasons = alert.priority_why = {text};
  alert.next_steps = alert.false_positives = {text};
  alert.evidence = {{.finding_id = "f",
                     .time = alert.last_seen,
                     .columns = {{"IPAddress", text}, {"City", text}, {"CountryCode", text}}}};
  alerts::IncidentView incident;
  incident.id = kId;
  incident.tenant = "contoso";
  incident.title = text + ": " + text;
  incident.priority = alerts::Priority::kP1;
  incident.severity = rules::Severity::kHigh;
  incident.status = text;
  incident.closed_reason = text;
  incident.entity = alert.entity;
  incident.first_seen = alert.first_seen;
  incident.last_seen = alert.last_seen;
  incident.alerts = {alert};
  return MessageOf(type, 1, Dump(alerts::ToBoundedJson(incident, alerts::kMostTold)));
}

Message AlertWith(const std::string& text) {
  return MessageOf(kAgentAlert, 2,
                   Dump({{"id", kId},
                         {"title", text},
                         {"text", text},
                         {"hint", text},
                         {"output", text},
                         {"priority", "P2"}}));
}

Message DigestWith(const std::string& text) {
  std::vector<storage::OutboxEntry> entries;
  const std::string body = IncidentWith(text).body;
  for (int i = 0; i < 60; ++i) {
    entries.push_back({.id = std::to_string(i),
                       .output = "chat",
                       .incident = text,
                       .kind = "incident",
                       .priority = 3,
                       .body = body});
  }
  const storage::OutboxEntry digest = MakeDigest(entries, storage::Outbox::Folding::kFold,
                                                 "contoso", *ParseRfc3339("2026-11-24T10:00:00Z"));
  return MessageOf(kDigest, 3, digest.body);
}

}  // namespace picket::outputs

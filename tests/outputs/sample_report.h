#pragma once

#include <string>

#include "agent/outputs/report.h"

namespace picket::outputs {

// What an attacker may choose: names of users, applications, browsers, devices.
inline const std::string kHostile =
    R"("><script>document.title='owned'</script><img src=x onerror=alert(1)>'&)";

inline alerts::AlertView Alert(const std::string& id, alerts::Priority priority,
                               const std::string& text) {
  const Instant time = ParseRfc3339("2026-11-24T09:00:00Z").value();
  return {.id = id,
          .tenant = text,
          .rule = "rule",
          .title = text,
          .description = text,
          .priority = priority,
          .status = text,
          .closed_reason = text,
          .entity = {.type = "user", .id = text, .name = text},
          .first_seen = time,
          .last_seen = time,
          .count = 2,
          .tactics = {text},
          .techniques = {text},
          .reasons = {text},
          .priority_why = {text},
          .next_steps = {text},
          .false_positives = {text},
          .evidence = {{.finding_id = text,
                        .time = time,
                        .columns = {{text, text}, {"City", text}, {"IPAddress", text}}}}};
}

// Incidents of P1, P1, P3, and P5, each with one alert; the first with two.
inline Report Sample(const std::string& text) {
  Report report{.generated = ParseRfc3339("2026-11-24T10:00:00Z").value(),
                .version = text,
                .coverage = {{.tenant = text,
                              .streams = {{.name = text,
                                           .state = text,
                                           .complete_to = text,
                                           .events = 7,
                                           .note = text}}}},
                .incidents = {}};
  int number = 0;
  for (const auto priority : {alerts::Priority::kP1, alerts::Priority::kP1, alerts::Priority::kP3,
                              alerts::Priority::kP5}) {
    const std::string id = "incident-" + std::to_string(++number);
    alerts::IncidentView incident{.id = text + id,
                                  .tenant = text,
                                  .title = text,
                                  .priority = priority,
                                  .status = text,
                                  .closed_reason = text,
                                  .entity = {.type = "user", .id = text, .name = text},
                                  .first_seen = report.generated,
                                  .last_seen = report.generated,
                                  .alerts = {Alert("a" + id, priority, text)}};
    if (number == 1) incident.alerts.push_back(Alert("b" + id, priority, text));
    report.incidents.push_back(std::move(incident));
  }
  return report;
}

}  // namespace picket::outputs

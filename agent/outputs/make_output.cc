#include "agent/outputs/make_output.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/alerts/publisher.h"
#include "agent/outputs/syslog.h"
#include "agent/outputs/webhook.h"

namespace picket::outputs {

std::string TypeOf(const OutputSettings& output) {
  return std::holds_alternative<WebhookSettings>(output.way) ? "webhook" : "syslog";
}

bool Serves(const OutputSettings& output, const std::string& tenant) {
  const auto& names = output.tenants;
  return names.empty() || std::find(names.begin(), names.end(), tenant) != names.end();
}

std::unique_ptr<Output> MakeOutput(const OutputSettings& settings, HttpTransport& network,
                                   Clock& clock) {
  if (const auto* webhook = std::get_if<WebhookSettings>(&settings.way)) {
    return MakeWebhook(*webhook, network, clock);
  }
  return MakeSyslog(std::get<SyslogSettings>(settings.way), clock);
}

std::string TestIncident(const std::string& tenant, Instant time) {
  const alerts::EntityView who{
      .type = "user", .id = "test@example.invalid", .name = "test@example.invalid"};
  alerts::AlertView alert;
  alert.id = ToString(Uuid4());
  alert.tenant = tenant;
  alert.rule = "picket-test";
  alert.title = "Test of this output";
  alert.description = "Sent by 'picket outputs test'. Nothing happened.";
  alert.priority = alerts::Priority::kP5;
  alert.severity = rules::Severity::kInformational;
  alert.status = "new";
  alert.entity = who;
  alert.first_seen = alert.last_seen = time;
  alert.count = 1;
  alert.reasons = {"somebody tested this output"};
  alert.next_steps = {"Nothing: this is a test."};
  alerts::IncidentView incident;
  incident.id = ToString(Uuid4());
  incident.tenant = tenant;
  incident.title = "Test of this output: " + who.name;
  incident.priority = alert.priority;
  incident.severity = alert.severity;
  incident.status = "new";
  incident.entity = who;
  incident.first_seen = incident.last_seen = time;
  incident.alerts = {std::move(alert)};
  return alerts::ToBoundedJson(incident, alerts::kMostTold).dump();
}

}  // namespace picket::outputs

// The report as JSON and CSV.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "agent/outputs/report.h"
#include "base/text.h"

namespace picket::outputs {
namespace {

using nlohmann::json;

std::string Joined(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : "; ") + text;
  return joined;
}

}  // namespace

std::string ReportJson(const Report& report) {
  json coverage = json::array();
  for (const TenantCoverage& tenant : report.coverage) {
    json streams = json::array();
    for (const StreamCoverage& stream : tenant.streams) {
      streams.push_back({{"name", stream.name},
                         {"state", stream.state},
                         {"complete_to", stream.complete_to},
                         {"events", stream.events},
                         {"note", stream.note}});
    }
    coverage.push_back({{"tenant", tenant.tenant}, {"streams", std::move(streams)}});
  }
  json incidents = json::array();
  for (const alerts::IncidentView& incident : report.incidents) {
    incidents.push_back(alerts::ToJson(incident, /*with_evidence=*/true));
  }
  const json object = {{"generated", FormatRfc3339(report.generated)},
                       {"version", report.version},
                       {"coverage", std::move(coverage)},
                       {"incidents", std::move(incidents)}};
  return object.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string ReportCsv(const Report& report) {
  std::string csv =
      "priority,tenant,entity,title,status,severity,confidence,first_seen,last_seen,count,"
      "techniques,reasons,incident,alert\r\n";
  for (const alerts::IncidentView& incident : report.incidents) {
    for (const alerts::AlertView& alert : incident.alerts) {
      const std::string cells[] = {alerts::PriorityName(alert.priority),
                                   alert.tenant,
                                   alert.entity.name,
                                   alert.title,
                                   alert.status,
                                   std::string(rules::SeverityName(alert.severity)),
                                   std::string(rules::ConfidenceName(alert.confidence)),
                                   FormatRfc3339(alert.first_seen),
                                   FormatRfc3339(alert.last_seen),
                                   std::to_string(alert.count),
                                   Joined(alert.techniques),
                                   Joined(alert.reasons),
                                   incident.id,
                                   alert.id};
      std::string line;
      for (const std::string& cell : cells) line += (line.empty() ? "" : ",") + EscapeCsv(cell);
      csv += line + "\r\n";
    }
  }
  return csv;
}

}  // namespace picket::outputs

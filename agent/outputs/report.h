#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/alerts/view.h"
#include "base/time.h"

namespace picket::outputs {

// What a tenant was read for, so that a reader knows what the report can't show.
struct StreamCoverage {
  std::string name;
  std::string state;
  std::string complete_to;  // RFC 3339, or ""
  std::int64_t events = 0;
  std::string note;  // why it is off or behind; "" when all is well
};

struct TenantCoverage {
  std::string tenant;
  std::vector<StreamCoverage> streams;
};

struct Report {
  Instant generated;
  std::string version;
  std::vector<TenantCoverage> coverage;
  std::vector<alerts::IncidentView> incidents;  // most urgent first, then newest
};

// One self-contained page: no script, no request to anywhere (its own CSP forbids both), every text
// from an event escaped. Readable on paper and on a phone.
std::string ReportHtml(const Report& report);
// {"generated","version","coverage":[…],"incidents":[…]}, incidents as `incidents show` prints
// them.
std::string ReportJson(const Report& report);
// One line an alert; RFC 4180, formulas defused.
std::string ReportCsv(const Report& report);

}  // namespace picket::outputs

#pragma once

#include <string>
#include <vector>

#include "agent/alerts/load_views.h"
#include "agent/cli/context.h"

namespace picket::cli {

// Alerts and incidents of all tenants of the config (or of one), most urgent first, then newest.
// Errors are printed and set the exit code; a tenant of which nothing was read yet has none.
std::vector<alerts::AlertView> LoadAllAlerts(Context& context, const std::string& tenant, bool all,
                                             alerts::Evidence evidence);
std::vector<alerts::IncidentView> LoadAllIncidents(Context& context, const std::string& tenant,
                                                   bool all, alerts::Evidence evidence);
std::vector<alerts::IncidentView> IncidentsOf(Context& context, const run::Settings& settings,
                                              const std::string& tenant, bool all,
                                              alerts::Evidence evidence);

}  // namespace picket::cli

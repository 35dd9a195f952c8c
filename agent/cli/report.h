#pragma once

#include "agent/cli/context.h"
#include "agent/outputs/report.h"

namespace picket::cli {

// What a report shows, of all tenants or of one.
outputs::Report MakeReport(Context& context, const run::Settings& settings,
                           const std::string& tenant, bool all);

}  // namespace picket::cli

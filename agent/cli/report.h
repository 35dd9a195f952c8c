#pragma once

#include "agent/cli/context.h"
#include "agent/outputs/report.h"

namespace picket::cli {

// What a report shows of these tenants.
outputs::Report MakeReport(Context& context, const run::Settings& settings,
                           const std::vector<const run::Tenant*>& tenants, bool all);

}  // namespace picket::cli

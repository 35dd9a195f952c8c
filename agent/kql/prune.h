#pragma once

#include "agent/kql/plan.h"

namespace picket::kql {

// Takes out what nobody asks for: columns of extends, and of scans below a project, summarize or
// count. What lies between (filters, sorts) is renumbered.
void PruneColumns(Plan& plan);

}  // namespace picket::kql

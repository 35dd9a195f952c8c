#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/engine.h"
#include "agent/kql/plan.h"

namespace picket::kql {

// The operator as the query writes it; a table's name for its scan.
std::string_view OperatorName(const Plan& plan);
// What it does, bound: a condition, the columns that it makes, keys and aggregates. One line, cut
// off where it gets long.
std::string Describe(const Plan& plan);
// What the scan's source was asked for.
PushedDown PushedTo(const Plan& scan, const ScanRequest& request);

}  // namespace picket::kql

#pragma once

#include "agent/kql/plan.h"
#include "agent/kql/table_source.h"

namespace picket::kql {

// Lets a scan give `tostring(Column.member)` as a column of its own where the catalog keeps such
// texts apart, so that no JSON is read for them: `LocationDetails.city`,
// `todynamic(Status).reason`. What the plan answers stays the same.
void AskForMembers(Plan& plan, const Catalog& catalog);

}  // namespace picket::kql

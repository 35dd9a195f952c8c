#pragma once

#include "agent/rules/evaluation.h"
#include "storage/alert_store.h"

namespace picket::alerts {

// The rule's output row as the finding keeps it, its values as people read them.
rules::RuleRow RowOf(const storage::FindingRow& finding);
std::vector<std::pair<std::string, std::string>> ColumnsOf(std::string_view row_json);

}  // namespace picket::alerts

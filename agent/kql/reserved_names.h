#pragma once

#include <string_view>

namespace picket::kql {

// Kusto's keywords: as names they must be written ['in brackets'] (KS228). Asked of Microsoft's
// parser word by word. Some may stand where a column is named, but not where it is used.
bool MayNameColumn(std::string_view word);
bool MayReferToColumn(std::string_view word);
// What is an operator, or a piece of our own, and no function that a query may call.
bool IsOperatorName(std::string_view word);

}  // namespace picket::kql

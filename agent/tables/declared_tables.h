#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "agent/kql/type.h"

namespace picket::tables {

// The tables of Log Analytics that KQL can name, collected or not, with their columns in the order
// that Microsoft lists them. The mapping's own tables are among them. Kept as text in the program
// and read only for the table that is asked for. Facts: the Azure Monitor table reference.
std::optional<kql::Schema> DeclaredTable(std::string_view table);  // nullopt: there is none
std::vector<std::string_view> DeclaredTableNames();                // in the order of their bytes

// What is said of a table that is declared and nothing more.
inline constexpr std::string_view kNotCollected = "Picket does not collect it";

}  // namespace picket::tables

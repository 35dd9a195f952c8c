#pragma once

#include <span>
#include <string_view>

namespace picket::tables {

// The lines of declared/tables.txt, which the build puts into the program.
std::span<const std::string_view> DeclaredLines();

}  // namespace picket::tables

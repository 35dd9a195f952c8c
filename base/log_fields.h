#pragma once

#include <string_view>

namespace picket {

// May a field of this name be printed? Everything else is "[redacted]".
bool MayLogField(std::string_view name);

}  // namespace picket

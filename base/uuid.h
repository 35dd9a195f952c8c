#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace picket {

struct Guid {
  std::array<std::uint8_t, 16> bytes{};  // in RFC 9562 order
  auto operator<=>(const Guid&) const = default;
};

// "18e9803a-3394-580e-b321-53d788c2c042", any case.
Result<Guid> ParseGuid(std::string_view text);
std::string ToString(const Guid& guid);  // lower-case, with dashes

// RFC 9562 §5.5: SHA-1 of namespace and name.
Guid Uuid5(const Guid& space, std::string_view name);
// Random (§5.4), for request ids.
Guid Uuid4();

// The namespace of every id that Picket derives. Never changes.
extern const Guid kPicketNamespace;

}  // namespace picket

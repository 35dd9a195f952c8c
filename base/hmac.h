#pragma once

#include <string>
#include <string_view>

namespace picket {

// HMAC-SHA256 (RFC 2104): 32 bytes.
std::string HmacSha256(std::string_view key, std::string_view bytes);

}  // namespace picket

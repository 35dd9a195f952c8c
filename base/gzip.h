#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace picket {

// Inflates gzip (RFC 1952, several members) or zlib data, at most `max_bytes` of output: kLimit
// beyond it, kUnexpectedReply for what is broken or cut short.
Result<std::string> Gunzip(std::string_view compressed, std::size_t max_bytes);
std::string Gzip(std::string_view bytes);
bool LooksLikeGzip(std::string_view bytes);

}  // namespace picket

#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace picket {

// Whether the byte goes on with a character that an earlier byte begins (RFC 3629, section 3).
inline bool ContinuesUtf8(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// Code points.
inline std::size_t Utf8Length(std::string_view text) {
  return text.size() -
         static_cast<std::size_t>(std::count_if(text.begin(), text.end(), ContinuesUtf8));
}

// The first bytes, at most so many, not ending within a character.
inline std::string_view Utf8Prefix(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && ContinuesUtf8(text[most])) --most;
  return text.substr(0, most);
}

}  // namespace picket

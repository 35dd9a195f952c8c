#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace picket::kql {

// Texts are UTF-8, and the functions of texts count code points.

// Bytes of the code point that begins with this one.
inline std::size_t PointLength(char c) {
  const auto b = static_cast<unsigned char>(c);
  return b >= 0xF0 ? 4 : b >= 0xE0 ? 3 : b >= 0xC0 ? 2 : 1;
}

// Byte offset of the n-th code point.
inline std::size_t PointOffset(std::string_view text, std::int64_t points) {
  std::size_t at = 0;
  while (points-- > 0 && at < text.size()) at += PointLength(text[at]);
  return std::min(at, text.size());
}

inline std::int64_t CountPoints(std::string_view text) {
  std::int64_t points = 0;
  for (std::size_t at = 0; at < text.size(); at += PointLength(text[at])) ++points;
  return points;
}

// The text's first code point; the caller has checked that it is valid UTF-8 and not empty.
inline std::uint32_t FirstPoint(std::string_view text) {
  const std::size_t length = std::min(PointLength(text[0]), text.size());
  const auto lead = static_cast<unsigned char>(text[0]);
  std::uint32_t point = length == 1 ? lead : lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    point = point << 6U | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  return point;
}

}  // namespace picket::kql

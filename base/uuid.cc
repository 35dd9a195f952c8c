#include "base/uuid.h"

#include <fmt/format.h>

namespace picket {

const Guid kPicketNamespace = {{0x6b, 0x1c, 0x5a, 0x90, 0x3d, 0x2e, 0x4f, 0x17, 0x9a, 0x46, 0x0c,
                                0xe5, 0x71, 0xd8, 0x2b, 0xf3}};

Result<Guid> ParseGuid(std::string_view text) {
  const auto bad = [] {
    return Fail({.kind = ErrorKind::kRefused,
                 .message = "no GUID",
                 .hint = "A GUID looks like 00000000-0000-0000-0000-000000000000."});
  };
  if (text.size() != 36) return bad();
  Guid guid;
  std::size_t nibble = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (c != '-') return bad();
      continue;
    }
    const int value = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (value < 0) return bad();
    std::uint8_t& byte = guid.bytes.at(nibble / 2);
    byte = static_cast<std::uint8_t>(byte << 4 | value);
    ++nibble;
  }
  return guid;
}

std::string ToString(const Guid& guid) {
  std::string text;
  for (std::size_t i = 0; i < guid.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", guid.bytes.at(i));
  }
  return text;
}

}  // namespace picket

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <utility>

namespace picket {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

// One code point of well-formed UTF-8 (RFC 3629); 0xFFFFFFFF and length 1 for a bad byte.
struct Decoded {
  char32_t point;
  std::size_t length;
};
constexpr char32_t kBad = 0xFFFFFFFF;

Decoded Decode(std::string_view text) {
  const auto at = [&](std::size_t i) -> std::uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto tail = [&](std::size_t i) { return (at(i) & 0xC0U) == 0x80U; };
  const std::uint32_t b = at(0);
  if (b < 0x80) return {b, 1};
  if (b >= 0xC2 && b <= 0xDF && tail(1)) return {(b & 0x1FU) << 6 | (at(1) & 0x3FU), 2};
  if (b >= 0xE0 && b <= 0xEF && tail(1) && tail(2)) {
    const char32_t point = (b & 0x0FU) << 12 | (at(1) & 0x3FU) << 6 | (at(2) & 0x3FU);
    if (point >= 0x800 && (point < 0xD800 || point > 0xDFFF)) return {point, 3};
  }
  if (b >= 0xF0 && b <= 0xF4 && tail(1) && tail(2) && tail(3)) {
    const char32_t point =
        (b & 0x07U) << 18 | (at(1) & 0x3FU) << 12 | (at(2) & 0x3FU) << 6 | (at(3) & 0x3FU);
    if (point >= 0x10000 && point <= 0x10FFFF) return {point, 4};
  }
  return {kBad, 1};
}

bool IsControl(char32_t point) { return point < 0x20 || (point >= 0x7F && point < 0xA0); }

// Characters that change how others are shown without being seen: bidi controls (Unicode TR 9),
// zero-width ones, Hangul fillers, the byte order mark, tags, and line and paragraph separators.
bool IsInvisible(char32_t point) {
  return point == 0xAD || point == 0x61C || (point >= 0x200B && point <= 0x200F) ||
         (point >= 0x2028 && point <= 0x202E) || (point >= 0x2060 && point <= 0x206F) ||
         point == 0xFEFF || (point >= 0xFFF9 && point <= 0xFFFB) || point == 0x115F ||
         point == 0x1160 || point == 0x180E || point == 0x3164 || point == 0xFFA0 ||
         (point >= 0xE0000 && point <= 0xE0FFF);
}

// Optimal string alignment: two neighbours in the wrong order are one mistake.
std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> older, old, row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    older = std::exchange(old, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitute = old[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({old[j] + 1, row[j - 1] + 1, substitute});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], older[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

}  // namespace

void AppendUtf8(std::string& text, char32_t point) {
  if (point < 0x80) {
    text += static_cast<char>(point);
  } else if (point < 0x800) {
    text += static_cast<char>(0xC0U | point >> 6);
    text += static_cast<char>(0x80U | (point & 0x3FU));
  } else if (point < 0x10000) {
    text += static_cast<char>(0xE0U | point >> 12);
    text += static_cast<char>(0x80U | (point >> 6 & 0x3FU));
    text += static_cast<char>(0x80U | (point & 0x3FU));
  } else {
    text += static_cast<char>(0xF0U | point >> 18);
    text += static_cast<char>(0x80U | (point >> 12 & 0x3FU));
    text += static_cast<char>(0x80U | (point >> 6 & 0x3FU));
    text += static_cast<char>(0x80U | (point & 0x3FU));
  }
}

bool IsValidUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const Decoded decoded = Decode(bytes);
    if (decoded.point == kBad) return false;
    bytes.remove_prefix(decoded.length);
  }
  return true;
}

std::string ToValidUtf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const Decoded decoded = Decode(bytes);
    AppendUtf8(text, decoded.point == kBad ? kReplacement : decoded.point);
    bytes.remove_prefix(decoded.length);
  }
  return text;
}

std::string MaskInvalidUtf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const Decoded decoded = Decode(bytes);
    if (decoded.point == kBad) {
      text += '?';
    } else {
      text += bytes.substr(0, decoded.length);
    }
    bytes.remove_prefix(decoded.length);
  }
  return text;
}

std::string AsciiLower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && AsciiLower(a) == AsciiLower(b);
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string Counted(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string_view Nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  if (word.size() > 256) return {};
  std::string_view nearest;
  std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > 256) continue;
    const std::size_t distance = EditDistance(AsciiLower(word), AsciiLower(candidate));
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string EscapeTerminal(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    const Decoded decoded = Decode(text);
    if (decoded.point == kBad) {
      escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    } else if (decoded.point == '\n') {
      escaped += "\n";
    } else if (IsControl(decoded.point) || IsInvisible(decoded.point)) {
      escaped += fmt::format("\\u{{{:x}}}", static_cast<std::uint32_t>(decoded.point));
    } else {
      escaped += text.substr(0, decoded.length);
    }
    text.remove_prefix(decoded.length);
  }
  return escaped;
}

std::string EscapeHtml(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size() + text.size() / 8);
  while (!text.empty()) {
    const Decoded decoded = Decode(text);
    switch (decoded.point) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      case '\n':
      case '\t':
        escaped += static_cast<char>(decoded.point);
        break;
      default:
        if (decoded.point == kBad || IsControl(decoded.point) || IsInvisible(decoded.point)) {
          AppendUtf8(escaped, kReplacement);
        } else {
          escaped += text.substr(0, decoded.length);
        }
    }
    text.remove_prefix(decoded.length);
  }
  return escaped;
}

std::string EscapeCsv(std::string_view text) {
  std::string cell = ToValidUtf8(text);
  // A spreadsheet takes a cell that begins so for a formula; the apostrophe makes it text.
  if (!cell.empty() && std::string_view("=+-@\t\r").find(cell.front()) != std::string_view::npos) {
    cell.insert(cell.begin(), '\'');
  }
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

namespace {

std::string EncodeBase64(std::string_view bytes, std::string_view alphabet) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3 + 2);
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const char byte : bytes) {
    buffer = buffer << 8 | static_cast<unsigned char>(byte);
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text += alphabet[buffer >> bits & 0x3FU];
    }
  }
  if (bits > 0) text += alphabet[buffer << (6 - bits) & 0x3FU];
  return text;
}

}  // namespace

std::string Base64UrlEncode(std::string_view bytes) {
  return EncodeBase64(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

std::string Base64Encode(std::string_view bytes) {
  std::string text =
      EncodeBase64(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
  text.resize((text.size() + 3) / 4 * 4, '=');
  return text;
}

Base64Bytes DecodeBase64(std::string_view text) {
  Base64Bytes decoded;
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const char c : text) {
    if (c == '=') break;
    const int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '-' || c == '+' ? 62
                      : c == '_' || c == '/' ? 63
                                             : -1;
    if (value < 0) {
      decoded.complete = false;
      break;
    }
    buffer = buffer << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      decoded.bytes += static_cast<char>(buffer >> bits & 0xFFU);
    }
  }
  return decoded;
}

}  // namespace picket

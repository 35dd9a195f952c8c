#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace picket {

bool IsValidUtf8(std::string_view bytes);
// Appends one code point; the caller gives none beyond 0x10FFFF.
void AppendUtf8(std::string& text, char32_t point);
// Invalid sequences become U+FFFD.
std::string ToValidUtf8(std::string_view bytes);

// As long as before: every byte that is part of no UTF-8 sequence becomes '?'.
std::string MaskInvalidUtf8(std::string_view bytes);

std::string AsciiLower(std::string_view text);
bool EqualsIgnoreCase(std::string_view a, std::string_view b);  // ASCII
std::string_view Trim(std::string_view text);
std::vector<std::string_view> Split(std::string_view text, char separator);

// "1 tenant", "2 tenants": for nouns that take an s.
std::string Counted(std::int64_t count, std::string_view noun);

// The candidate with the smallest edit distance (two letters in the wrong order are one) to `word`,
// if near enough to be a typing mistake;
// "" else. For "did you mean" hints.
std::string_view Nearest(std::string_view word, const std::vector<std::string_view>& candidates);

// Event text is written by strangers. Each makes it harmless for one place.
std::string EscapeTerminal(std::string_view text);  // control, bidi and invisible characters
std::string EscapeHtml(std::string_view text);      // element content and quoted attributes
std::string EscapeCsv(std::string_view text);       // RFC 4180, and no formula for a spreadsheet

// The hex digest of the bytes. MD5 and SHA-1 are for comparing with what others recorded, and
// protect nothing.
std::string Sha256Hex(std::string_view bytes);
std::string Sha1Hex(std::string_view bytes);
std::string Md5Hex(std::string_view bytes);
std::string Base64Encode(std::string_view bytes);     // padded
std::string Base64UrlEncode(std::string_view bytes);  // no padding

// Base64 of either alphabet; padding ends it.
struct Base64Bytes {
  std::string bytes;     // up to the first character that is none of base64
  bool complete = true;  // there was no such character
};
Base64Bytes DecodeBase64(std::string_view text);

}  // namespace picket

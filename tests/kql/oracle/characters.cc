// Characters of texts, for the scripts that the generator's texts are written in.

#include "tests/kql/oracle/datum.h"

namespace picket::kql::oracle {

std::u32string Characters(std::string_view text) {
  std::u32string characters;
  for (const char byte : text) {
    const auto bits = static_cast<unsigned char>(byte);
    if (bits < 0x80) {
      characters += bits;
    } else if (bits >= 0xC0) {
      characters += bits >= 0xF0 ? bits & 0x07U : bits >= 0xE0 ? bits & 0x0FU : bits & 0x1FU;
    } else {
      characters.back() = (characters.back() << 6U) | (bits & 0x3FU);
    }
  }
  return characters;
}

std::string FromCharacters(std::u32string_view characters) {
  std::string text;
  const auto add = [&text](char32_t bits) { text += static_cast<char>(bits); };
  for (const char32_t c : characters) {
    if (c < 0x80) {
      add(c);
    } else if (c < 0x800) {
      add(0xC0 | (c >> 6U));
      add(0x80 | (c & 0x3FU));
    } else if (c < 0x10000) {
      add(0xE0 | (c >> 12U));
      add(0x80 | ((c >> 6U) & 0x3FU));
      add(0x80 | (c & 0x3FU));
    } else {
      add(0xF0 | (c >> 18U));
      add(0x80 | ((c >> 12U) & 0x3FU));
      add(0x80 | ((c >> 6U) & 0x3FU));
      add(0x80 | (c & 0x3FU));
    }
  }
  return text;
}

char32_t Lower(char32_t c) {
  if (c >= U'A' && c <= U'Z') return c + 32;
  if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 32;     // À … Þ
  if (c >= 0x391 && c <= 0x3A9 && c != 0x3A2) return c + 32;  // Α … Ω
  if (c >= 0x410 && c <= 0x42F) return c + 32;                // А … Я
  return c;
}

char32_t Upper(char32_t c) { return c >= 32 && Lower(c - 32) == c && c != c - 32 ? c - 32 : c; }

bool IsAlphanumeric(char32_t c) {
  if (c < 0x80) {
    return (c >= U'0' && c <= U'9') || (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
  }
  if (c >= 0xC0 && c <= 0xFF) return c != 0xD7 && c != 0xF7;
  return (c >= 0x391 && c <= 0x3C9) || (c >= 0x410 && c <= 0x44F) || (c >= 0x4E00 && c <= 0x9FFF);
}

std::u32string Lowered(std::string_view text) {
  std::u32string characters = Characters(text);
  for (char32_t& c : characters) c = Lower(c);
  return characters;
}

}  // namespace picket::kql::oracle

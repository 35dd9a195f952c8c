// The forms in which a datetime may be written.

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>

#include "agent/kql/lexer.h"
#include "base/text.h"
#include "base/time.h"

namespace picket::kql {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::size_t DigitsAt(std::string_view text, std::size_t at) {
  std::size_t count = 0;
  while (at + count < text.size() && IsDigit(text[at + count])) ++count;
  return count;
}

// y-M-d, y/M/d, y, M, d and the American M-d-y, M/d/y, each with a time behind it, in the form that
// RFC 3339 has.
std::optional<std::string> NormalDate(std::string_view text) {
  std::array<std::string_view, 3> parts;
  char mark = '\0';
  std::size_t at = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t digits = DigitsAt(text, at);
    if (digits == 0 || digits > 4) return std::nullopt;
    parts[i] = text.substr(at, digits);
    at += digits;
    if (i == 2) break;
    if (at >= text.size()) return std::nullopt;
    if (mark == '\0') mark = text[at];
    if (text[at] != mark || (mark != '-' && mark != '/' && mark != ',')) return std::nullopt;
    ++at;
    while (mark == ',' && at < text.size() && text[at] == ' ') ++at;
  }
  if (parts[0].size() != 4) parts = {parts[2], parts[0], parts[1]};
  if (parts[0].size() != 4 || parts[1].size() > 2 || parts[2].size() > 2) return std::nullopt;
  std::string_view rest = text.substr(at);
  const bool short_hour = rest.size() > 2 && DigitsAt(rest, 1) == 1 && rest[2] == ':';
  return fmt::format("{}-{:0>2}-{:0>2}{}{}{}", parts[0], parts[1], parts[2], rest.substr(0, 1),
                     short_hour ? "0" : "", rest.empty() ? rest : rest.substr(1));
}

}  // namespace

std::optional<std::int64_t> ParseDateTimeText(std::string_view text) {
  text = Trim(text);
  if (const Result<Instant> t = ParseRfc3339(text)) return t->ticks;
  if (const Result<Instant> t = ParseHttpDate(text)) return t->ticks;
  if (const auto normal = NormalDate(text)) {
    if (const Result<Instant> t = ParseRfc3339(*normal)) return t->ticks;
  }
  return std::nullopt;
}

}  // namespace picket::kql

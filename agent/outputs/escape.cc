#include "agent/outputs/escape.h"

#include <utility>

#include "base/text.h"

namespace picket::outputs {
namespace {

constexpr std::string_view kEllipsis = "\u2026";
// Without a width; keeps what looks like a URL from becoming a link.
constexpr std::string_view kBreak = "\u200B";

std::size_t LengthOf(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// Escapes character by character, up to the length.
template <class Escape>
std::string Each(std::string_view plain, std::size_t most, const Escape& escape) {
  std::string escaped;
  while (!plain.empty()) {
    const std::string_view one = plain.substr(0, LengthOf(plain.front()));
    const std::string next = escape(one);
    const std::size_t rest = plain.size() > one.size() ? kEllipsis.size() : 0;
    if (escaped.size() + next.size() + rest > most) {
      if (escaped.size() + kEllipsis.size() <= most) escaped += kEllipsis;
      return escaped;
    }
    escaped += next;
    plain.remove_prefix(one.size());
  }
  return escaped;
}

bool IsOneOf(std::string_view one, std::string_view set) {
  return one.size() == 1 && set.find(one.front()) != std::string_view::npos;
}

// One line of what is visible. EscapeTerminal knows which characters are not.
std::string Visible(std::string_view text) {
  // More than any output shows: bounds the work.
  std::string valid = ToValidUtf8(text.substr(0, 64 * 1024));
  std::string line;
  std::string_view rest = valid;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, LengthOf(rest.front()));
    const bool visible = one != "\n" && EscapeTerminal(one) == one;
    line += visible ? one : " ";
    rest.remove_prefix(one.size());
  }
  return std::string(Trim(line));
}

}  // namespace

std::string Plain(std::string_view text, std::size_t most) {
  return Each(Visible(text), most, [](std::string_view one) { return std::string(one); });
}

std::string EscapeMarkdown(std::string_view text, std::size_t most) {
  std::string_view before;
  return Each(Visible(text), most, [&before](std::string_view one) -> std::string {
    const std::string_view last = std::exchange(before, one);
    if (one == "&") return "&amp;";
    if (IsOneOf(one, "\\`*_{}[]()<>#|~!")) return "\\" + std::string(one);
    if (IsOneOf(one, "-+") && last.empty()) return "\\" + std::string(one);  // a list
    return one == "/" && last == "/" ? std::string(kBreak) + "/" : std::string(one);
  });
}

std::string EscapeSlack(std::string_view text, std::size_t most) {
  std::string_view before;
  return Each(Visible(text), most, [&before](std::string_view one) -> std::string {
    const std::string_view last = std::exchange(before, one);
    if (one == "&") return "&amp;";
    if (one == "<") return "&lt;";
    if (one == ">") return "&gt;";
    return one == "/" && last == "/" ? std::string(kBreak) + "/" : std::string(one);
  });
}

std::string EscapeSdValue(std::string_view text, std::size_t most) {
  return Each(Visible(text), most, [](std::string_view one) {
    return IsOneOf(one, "\"\\]") ? "\\" + std::string(one) : std::string(one);
  });
}

std::string EscapeCefHeader(std::string_view text, std::size_t most) {
  return Each(Visible(text), most, [](std::string_view one) {
    return IsOneOf(one, "\\|") ? "\\" + std::string(one) : std::string(one);
  });
}

std::string EscapeCefValue(std::string_view text, std::size_t most) {
  return Each(Visible(text), most, [](std::string_view one) {
    return IsOneOf(one, "\\=") ? "\\" + std::string(one) : std::string(one);
  });
}

}  // namespace picket::outputs

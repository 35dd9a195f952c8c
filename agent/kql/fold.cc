#include "agent/kql/fold.h"

#include <algorithm>
#include <map>

#include "base/text.h"

namespace picket::kql {
namespace {

std::uint32_t FoldPoint(std::uint32_t point) {
  const FoldRun* end = kFoldRuns + kFoldRunCount;
  const FoldRun* run = std::upper_bound(
      kFoldRuns, end, point, [](std::uint32_t p, const FoldRun& r) { return p < r.first; });
  // Runs of step 2 interleave with their neighbours: look at the last few that begin before.
  for (int back = 0; back < 3 && run != kFoldRuns; ++back) {
    --run;
    if (point <= run->last && (point - run->first) % run->step == 0) {
      return static_cast<std::uint32_t>(static_cast<std::int64_t>(point) + run->delta);
    }
  }
  return point;
}

bool IsTail(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// The code point at `at` and its length; a broken one is itself, a byte long.
std::uint32_t PointAt(std::string_view text, std::size_t at, std::size_t& length) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size()
               ? static_cast<std::uint32_t>(static_cast<unsigned char>(text[at + i]))
               : 0U;
  };
  const std::uint32_t b = byte(0);
  length = b >= 0xF0 ? 4 : b >= 0xE0 ? 3 : b >= 0xC0 ? 2 : 1;
  std::uint32_t point = length == 4   ? b & 0x07U
                        : length == 3 ? b & 0x0FU
                        : length == 2 ? b & 0x1FU
                                      : b;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      length = 1;
      return b;
    }
    point = point << 6 | (byte(i) & 0x3FU);
  }
  return point;
}

bool IsAlnumPoint(std::uint32_t p) {
  if (p < 0x80) return (p >= '0' && p <= '9') || (p >= 'a' && p <= 'z') || (p >= 'A' && p <= 'Z');
  if (p < 0xC0) return p == 0xAA || p == 0xB5 || p == 0xBA;
  if (p == 0xD7 || p == 0xF7) return false;
  // General punctuation, arrows and symbols, CJK punctuation, private use, specials.
  return !(p >= 0x2000 && p <= 0x2BFF) && !(p >= 0x3000 && p <= 0x3004) &&
         !(p >= 0x3008 && p <= 0x3020) && !(p >= 0xE000 && p <= 0xF8FF) &&
         !(p >= 0xFE10 && p <= 0xFE6F) && !(p >= 0xFF01 && p <= 0xFF0F) && p < 0x1F000;
}

bool AlnumBefore(std::string_view text, std::size_t at) {
  if (at == 0) return false;
  std::size_t begin = at - 1;
  while (begin > 0 && at - begin < 4 && IsTail(text[begin])) --begin;
  std::size_t length = 0;
  return IsAlnumPoint(PointAt(text, begin, length));
}

bool AlnumAt(std::string_view text, std::size_t at) {
  if (at >= text.size()) return false;
  std::size_t length = 0;
  return IsAlnumPoint(PointAt(text, at, length));
}

bool HasAt(std::string_view text, std::string_view term, bool left, bool right) {
  if (term.empty()) return true;
  const bool check_left = left && AlnumAt(term, 0);
  const bool check_right = right && AlnumBefore(term, term.size());
  for (std::size_t at = text.find(term); at != std::string_view::npos;
       at = text.find(term, at + 1)) {
    if (check_left && AlnumBefore(text, at)) continue;
    if (check_right && AlnumAt(text, at + term.size())) continue;
    return true;
  }
  return false;
}

}  // namespace

std::string Fold(std::string_view text) {
  std::string folded;
  folded.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (static_cast<unsigned char>(c) < 0x80) {
      folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      ++at;
      continue;
    }
    std::size_t length = 0;
    const std::uint32_t point = PointAt(text, at, length);
    if (length == 1) {
      folded += c;
    } else {
      AppendUtf8(folded, FoldPoint(point));
    }
    at += length;
  }
  return folded;
}

std::string Unfold(std::string_view text) {
  // Runs by what they fold to; the first capital of a character wins.
  static const std::map<std::uint32_t, std::uint32_t> capitals = [] {
    std::map<std::uint32_t, std::uint32_t> map;
    for (const FoldRun* run = kFoldRuns; run != kFoldRuns + kFoldRunCount; ++run) {
      for (std::uint32_t point = run->first; point <= run->last; point += run->step) {
        map.emplace(static_cast<std::uint32_t>(static_cast<std::int64_t>(point) + run->delta),
                    point);
      }
    }
    return map;
  }();
  std::string upper;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (static_cast<unsigned char>(c) < 0x80) {
      upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      ++at;
      continue;
    }
    std::size_t length = 0;
    const std::uint32_t point = PointAt(text, at, length);
    const auto found = capitals.find(point);
    if (length == 1) {
      upper += c;
    } else {
      AppendUtf8(upper, found == capitals.end() ? point : found->second);
    }
    at += length;
  }
  return upper;
}

std::string_view FoldInto(std::string_view text, std::string& buffer) {
  const bool as_it_is = std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x80 && (c < 'A' || c > 'Z');
  });
  if (as_it_is) return text;
  buffer = Fold(text);
  return buffer;
}

bool HasTerm(std::string_view text, std::string_view term) { return HasAt(text, term, true, true); }
bool HasTermPrefix(std::string_view text, std::string_view prefix) {
  return HasAt(text, prefix, true, false);
}
bool HasTermSuffix(std::string_view text, std::string_view suffix) {
  return HasAt(text, suffix, false, true);
}

}  // namespace picket::kql

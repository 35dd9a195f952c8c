#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

#include "agent/kql/code_points.h"
#include "agent/kql/kernel.h"

namespace picket::kql {

// Where indexof() and indexof_regex() look, by their arguments (text, what, start, length, which):
// what is found begins in [begin, end), and the `which`-th of them counts.
struct SearchWindow {
  std::size_t begin = 0;  // in bytes
  std::size_t end = 0;
  std::int64_t which = 1;
};

// nullopt for a length or a number that makes no sense.
inline std::optional<SearchWindow> SearchWindowOf(std::string_view text, const Arguments& a,
                                                  std::size_t row) {
  std::int64_t start = a.size() > 2 ? ToLong(*a[2], row).value_or(0) : 0;
  const std::int64_t length = a.size() > 3 ? ToLong(*a[3], row).value_or(-1) : -1;
  SearchWindow window{.which = a.size() > 4 ? ToLong(*a[4], row).value_or(1) : 1};
  if (length < -1 || window.which < 1) return std::nullopt;
  if (start < 0) start = std::max<std::int64_t>(0, start + CountPoints(text));
  window.begin = PointOffset(text, start);
  window.end = text.size();
  if (length >= 0) {
    window.end = window.begin + PointOffset(text.substr(window.begin), length);
  }
  return window;
}

}  // namespace picket::kql

#include "agent/tables/csv.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/time.h"

namespace picket::tables {

CsvReader::CsvReader(std::string_view text) : text_(text) {
  if (text_.substr(0, 3) == "\xEF\xBB\xBF") text_.remove_prefix(3);
}

std::optional<std::vector<std::string>> CsvReader::Next() {
  while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) {
    if (text_[at_] == '\n') ++line_;
    ++at_;
  }
  if (at_ >= text_.size()) return std::nullopt;
  row_line_ = line_;
  std::vector<std::string> cells(1);
  bool quoted = false;
  bool cell_began = false;
  for (; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (quoted) {
      if (c == '"' && at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        cells.back() += '"';
        ++at_;
      } else if (c == '"') {
        quoted = false;
      } else {
        if (c == '\n') ++line_;
        cells.back() += c;
      }
    } else if (c == '"' && !cell_began) {
      quoted = true;
      cell_began = true;
    } else if (c == ',') {
      cells.emplace_back();
      cell_began = false;
    } else if (c == '\n') {
      break;
    } else if (c != '\r') {
      cells.back() += c;
      cell_began = true;
    }
  }
  return cells;
}

std::optional<std::string> PortalTimeToRfc3339(std::string_view text) {
  const std::string copy(text.substr(0, 64));
  int month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0, millis = 0;
  char half = 0;
  const int got = std::sscanf(copy.c_str(), "%2d/%2d/%4d, %2d:%2d:%2d.%3d %cM", &month, &day, &year,
                              &hour, &minute, &second, &millis, &half);
  if (got != 8 || (half != 'A' && half != 'P') || hour < 1 || hour > 12) return std::nullopt;
  hour = hour % 12 + (half == 'P' ? 12 : 0);
  const std::string iso = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", year, month, day,
                                      hour, minute, second, millis);
  if (!ParseRfc3339(iso)) return std::nullopt;
  return iso;
}

}  // namespace picket::tables

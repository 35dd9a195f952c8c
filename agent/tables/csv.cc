#include "agent/tables/csv.h"

#include <fmt/format.h>

#include "base/text.h"
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
  cut_short_ = quoted;
  return cells;
}

std::optional<std::string> PortalTimeToRfc3339(std::string_view text) {
  std::size_t at = 0;
  const auto number = [&](std::size_t most, char end, int& value) {
    const std::size_t begin = at;
    value = 0;
    while (at < text.size() && at - begin < most && text[at] >= '0' && text[at] <= '9') {
      value = value * 10 + (text[at++] - '0');
    }
    if (at == begin || at == text.size() || text[at] != end) return false;
    ++at;
    return true;
  };
  int month = 0;
  int day = 0;
  int year = 0;
  int hour = 0;
  int minute = 0;
  if (!number(2, '/', month) || !number(2, '/', day) || !number(4, ',', year)) return std::nullopt;
  while (at < text.size() && text[at] == ' ') ++at;
  if (!number(2, ':', hour) || !number(2, ':', minute)) return std::nullopt;
  const std::size_t space = text.find(' ', at);
  if (space == std::string_view::npos || hour < 1 || hour > 12) return std::nullopt;
  const std::string_view seconds = text.substr(at, space - at);  // with a fraction or without
  const std::string_view half = Trim(text.substr(space));
  if (half != "AM" && half != "PM") return std::nullopt;
  hour = hour % 12 + (half == "PM" ? 12 : 0);
  const std::string iso =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{}Z", year, month, day, hour, minute, seconds);
  if (!ParseRfc3339(iso)) return std::nullopt;
  return iso;
}

}  // namespace picket::tables

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace picket::tables {

// RFC 4180: quoted cells may hold line breaks; a byte order mark is skipped, and so are empty
// lines.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text);
  // nullopt at the end.
  std::optional<std::vector<std::string>> Next();
  // Where the last row began, from 1.
  [[nodiscard]] std::int64_t line() const { return row_line_; }
  // The last row ended in the middle of a quoted cell.
  [[nodiscard]] bool cut_short() const { return cut_short_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
  std::int64_t row_line_ = 1;
  bool cut_short_ = false;
};

// The Log Analytics portal writes "4/19/2021, 12:13:19.483 PM" under "TimeGenerated [UTC]".
std::optional<std::string> PortalTimeToRfc3339(std::string_view text);

}  // namespace picket::tables

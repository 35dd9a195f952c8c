#include "tests/tables/independent_csv.h"

#include <algorithm>
#include <regex>

namespace picket {

std::vector<std::map<std::string, std::string>> IndependentCsv(std::string text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  static const std::regex kQuoted("\"\"");
  std::vector<std::vector<std::string>> rows(1);
  std::size_t at = 0;
  while (at < text.size()) {
    std::string cell;
    if (text[at] == '"') {
      std::size_t end = at + 1;
      while ((end = text.find('"', end)) != std::string::npos && end + 1 < text.size() &&
             text[end + 1] == '"') {
        end += 2;
      }
      cell = std::regex_replace(text.substr(at + 1, end - at - 1), kQuoted, "\"");
      at = end + 1;
    } else {
      const std::size_t end = std::min(text.find_first_of(",\r\n", at), text.size());
      cell = text.substr(at, end - at);
      at = end;
    }
    rows.back().push_back(cell);
    if (at < text.size() && text[at] == ',') {
      ++at;
      continue;
    }
    while (at < text.size() && (text[at] == '\r' || text[at] == '\n')) ++at;
    rows.emplace_back();
  }
  std::vector<std::map<std::string, std::string>> table;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].empty()) continue;
    auto& row = table.emplace_back();
    for (std::size_t c = 0; c < rows[i].size(); ++c) row[rows[0].at(c)] = rows[i][c];
  }
  return table;
}

}  // namespace picket

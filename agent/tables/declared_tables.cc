#include "agent/tables/declared_tables.h"

#include <algorithm>
#include <string>

#include "agent/tables/declared_lines.h"
#include "base/result.h"
#include "base/text.h"

namespace picket::tables {
namespace {

std::string_view NameOf(std::string_view line) { return line.substr(0, line.find(' ')); }

// The letters of scripts/declare-tables.
kql::Type TypeOf(char letter) {
  switch (letter) {
    case 'b':
      return kql::Type::kBool;
    case 'c':
      return kql::Type::kDecimal;
    case 'd':
      return kql::Type::kDynamic;
    case 'g':
      return kql::Type::kGuid;
    case 'i':
      return kql::Type::kInt;
    case 'l':
      return kql::Type::kLong;
    case 'n':
      return kql::Type::kTimespan;
    case 'r':
      return kql::Type::kReal;
    case 't':
      return kql::Type::kDateTime;
    default:
      PK_CHECK(false, "a letter that scripts/declare-tables does not write");
  }
}

}  // namespace

std::optional<kql::Schema> DeclaredTable(std::string_view table) {
  const auto lines = DeclaredLines();
  const auto line = std::lower_bound(
      lines.begin(), lines.end(), table,
      [](std::string_view each, std::string_view name) { return NameOf(each) < name; });
  if (line == lines.end() || NameOf(*line) != table) return std::nullopt;
  kql::Schema schema;
  for (std::string_view column : Split(line->substr(table.size() + 1), ' ')) {
    kql::Type type = kql::Type::kString;
    if (const std::size_t colon = column.find(':'); colon != std::string_view::npos) {
      type = TypeOf(column[colon + 1]);
      column = column.substr(0, colon);
    }
    schema.push_back({std::string(column), type});
  }
  return schema;
}

std::vector<std::string_view> DeclaredTableNames() {
  std::vector<std::string_view> names;
  for (const std::string_view line : DeclaredLines()) names.push_back(NameOf(line));
  return names;
}

}  // namespace picket::tables

#include "agent/tables/exported_row.h"

#include <algorithm>

#include "agent/kql/json_view.h"
#include "agent/kql/lexer.h"
#include "agent/tables/csv.h"
#include "agent/tables/record_decoder.h"
#include "base/text.h"

namespace picket::tables {
namespace {

constexpr std::string_view kUtc = " [UTC]";
constexpr std::string_view kEmptyText = "\"\"";

bool IsEmpty(std::string_view cell) { return cell == kEmptyText || cell == "null"; }

std::string ColumnOf(const TableMapping& table, std::string_view name) {
  for (const std::string_view suffix : {"_dynamic", "_string"}) {
    if (!name.ends_with(suffix) || table.Column(name) != nullptr) continue;
    const std::string_view base = name.substr(0, name.size() - suffix.size());
    if (table.Column(base) != nullptr) return std::string(base);
  }
  return std::string(name);
}

// The cells by their columns. Of two for one column the filled one counts, else the first.
ExportedCells Columns(const TableMapping& table, const ExportedCells& cells) {
  ExportedCells columns;
  for (const auto& [header, cell] : cells) {
    std::string name = ColumnOf(table, WithoutZone(header));
    std::string value = cell;
    if (name.size() < header.size() && header.ends_with(kUtc) && cell.starts_with('"')) {
      if (const auto iso = PortalTimeToRfc3339(kql::UnquoteJson(cell))) {
        value = kql::QuoteJson(*iso);
      }
    }
    const auto known = std::find_if(columns.begin(), columns.end(),
                                    [&](const auto& column) { return column.first == name; });
    if (known == columns.end()) {
      columns.emplace_back(std::move(name), std::move(value));
    } else if (IsEmpty(known->second)) {
      known->second = std::move(value);
    }
  }
  return columns;
}

std::string_view Cell(const ExportedCells& columns, std::string_view name) {
  for (const auto& [column, cell] : columns) {
    if (column == name) return cell;
  }
  return kEmptyText;
}

std::optional<std::string> TimeIn(std::string_view cell) {
  if (kql::KindOf(cell) != kql::JsonKind::kString) return std::nullopt;
  const auto ticks = kql::ParseDateTimeText(kql::UnquoteJson(cell));
  return ticks ? std::optional(FormatRfc3339(Instant{*ticks})) : std::nullopt;
}

// What stands in the row for its time: the columns of the members that are the time, then the first
// step of a sign-in's authentication.
std::optional<std::string> OtherTime(const TableMapping& table, const ExportedCells& columns) {
  for (const std::string_view member : {table.updated_member, table.time_member}) {
    for (const ColumnMapping& column : table.columns) {
      if (member.empty() || column.path != member) continue;
      if (auto time = TimeIn(Cell(columns, column.name))) return time;
    }
  }
  const std::string steps = kql::UnquoteJson(Cell(columns, "AuthenticationDetails"));
  const auto json = kql::CompactJson(steps);
  const auto first = json ? kql::JsonElement(*json, 0) : std::nullopt;
  const auto time = first ? kql::JsonMember(*first, "authenticationStepDateTime") : std::nullopt;
  return time ? TimeIn(*time) : std::nullopt;
}

}  // namespace

std::string_view WithoutZone(std::string_view header) {
  header = Trim(header);
  if (header.ends_with(kUtc)) header.remove_suffix(kUtc.size());
  return header;
}

ExportedRow MakeExportedRow(const TableMapping& table, const ExportedCells& cells, Instant now) {
  const ExportedCells columns = Columns(table, cells);
  std::string row = "{";
  for (const auto& [name, cell] : columns) {
    row += (row.size() > 1 ? "," : "") + kql::QuoteJson(name) + ":" + cell;
  }
  row += "}";
  ExportedRow made;
  std::string beside;
  const std::string_view id = table.id_column.empty() ? kEmptyText : Cell(columns, table.id_column);
  if (IsEmpty(id) || kql::KindOf(id) != kql::JsonKind::kString) {
    beside +=
        "," + kql::QuoteJson(kImportedId) + ":" + kql::QuoteJson(Sha256Hex(CanonicalJson(row)));
  }
  if (!TimeIn(Cell(columns, "TimeGenerated"))) {
    const std::optional<std::string> time = OtherTime(table, columns);
    made.undated = !time.has_value();
    beside += "," + kql::QuoteJson(kImportedTime) + ":" +
              kql::QuoteJson(time.value_or(FormatRfc3339(now)));
  }
  made.json = "{" + kql::QuoteJson(kImportedRow) + ":" + row + beside + "}";
  return made;
}

}  // namespace picket::tables

#include "agent/tables/exported_row.h"

#include <fmt/format.h>

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
constexpr std::string_view kOnlyImported = "imported.";  // begins streams that nothing polls
constexpr std::size_t kMaxShownBytes = 64;               // of a bad cell

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

tl::unexpected<Error> Refused(std::string message) {
  return Fail({.kind = ErrorKind::kRefused, .message = std::move(message)});
}

tl::unexpected<Error> Unreadable(std::string_view column, std::string_view cell) {
  const bool text = kql::KindOf(cell) == kql::JsonKind::kString;
  const std::string value = text ? kql::UnquoteJson(cell) : std::string(cell);
  return Refused(
      fmt::format("'{0}' is '{1}', no time: it is written 2025-12-31T23:00:00Z or, under "
                  "'{0} [UTC]', 12/31/2025, 11:00:00.000 PM",
                  column, EscapeTerminal(value.substr(0, kMaxShownBytes))));
}

// The columns that are a row's time, the first that is filled counts.
std::vector<std::string_view> TimeColumns(const TableMapping& table) {
  std::vector<std::string_view> names = {"TimeGenerated"};
  for (const std::string_view member : {table.updated_member, table.time_member}) {
    for (const ColumnMapping& column : table.columns) {
      if (!member.empty() && column.path == member) names.push_back(column.name);
    }
  }
  return names;
}

// The time of the first step of a sign-in's authentication.
std::optional<std::string> StepTime(const ExportedCells& columns) {
  const std::string steps = kql::UnquoteJson(Cell(columns, "AuthenticationDetails"));
  const auto json = kql::CompactJson(steps);
  const auto first = json ? kql::JsonElement(*json, 0) : std::nullopt;
  const auto time = first ? kql::JsonMember(*first, "authenticationStepDateTime") : std::nullopt;
  return time ? TimeIn(*time) : std::nullopt;
}

// nullopt: the file has no column for it.
Result<std::optional<std::string>> TimeOf(const TableMapping& table, const ExportedCells& columns) {
  std::string_view empty;  // the first that is there and empty
  for (const std::string_view name : TimeColumns(table)) {
    const auto found = std::find_if(columns.begin(), columns.end(),
                                    [&](const auto& column) { return column.first == name; });
    if (found == columns.end()) continue;
    if (IsEmpty(found->second)) {
      if (empty.empty()) empty = name;
      continue;
    }
    if (auto time = TimeIn(found->second)) return time;
    return Unreadable(name, found->second);
  }
  if (auto time = StepTime(columns)) return time;
  if (!empty.empty()) return Refused(fmt::format("no time in '{}'", empty));
  return std::nullopt;
}

}  // namespace

std::string_view WithoutZone(std::string_view header) {
  header = Trim(header);
  if (header.ends_with(kUtc)) header.remove_suffix(kUtc.size());
  return header;
}

Result<ExportedRow> MakeExportedRow(const TableMapping& table, const ExportedCells& cells,
                                    Instant now) {
  const ExportedCells columns = Columns(table, cells);
  PK_ASSIGN_OR_RETURN(const std::optional<std::string> time, TimeOf(table, columns));
  std::string row = "{";
  for (const auto& [name, cell] : columns) {
    row += (row.size() > 1 ? "," : "") + kql::QuoteJson(name) + ":" + cell;
  }
  row += "}";
  ExportedRow made{.json = {}, .undated = !time.has_value()};
  std::string beside;
  const std::string_view id = table.id_column.empty() ? kEmptyText : Cell(columns, table.id_column);
  if (IsEmpty(id) || kql::KindOf(id) != kql::JsonKind::kString) {
    // The result of some query over the table, not the table's event: rules must not see it as new.
    const bool polled = !table.stream.starts_with(kOnlyImported);
    if (polled && made.undated) return Refused("it has neither an id nor a time");
    beside +=
        "," + kql::QuoteJson(kImportedId) + ":" + kql::QuoteJson(Sha256Hex(CanonicalJson(row)));
  }
  if (!TimeIn(Cell(columns, "TimeGenerated"))) {
    beside += "," + kql::QuoteJson(kImportedTime) + ":" +
              kql::QuoteJson(time.value_or(FormatRfc3339(now)));
  }
  made.json = "{" + kql::QuoteJson(kImportedRow) + ":" + row + beside + "}";
  return made;
}

}  // namespace picket::tables

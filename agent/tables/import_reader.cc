#include "agent/tables/import_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "agent/kql/json_view.h"
#include "agent/kql/lexer.h"
#include "agent/tables/csv.h"
#include "agent/tables/exported_row.h"
#include "base/text.h"

namespace picket::tables {
namespace {

using kql::JsonKind;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kMaxColumns = 4096;
constexpr int kMaxDepth = 64;

Error Refused(std::string message, std::string hint = {}) {
  return {.kind = ErrorKind::kRefused, .message = std::move(message), .hint = std::move(hint)};
}

bool Has(std::string_view json, std::string_view member) {
  return kql::JsonMember(json, member).has_value();
}

std::string TextAt(std::string_view json, std::string_view member) {
  const auto value = kql::JsonMember(json, member);
  if (!value || kql::KindOf(*value) != JsonKind::kString) return {};
  return kql::UnquoteJson(*value);
}

// Past the object, array or string that begins at `at`; npos when it does not end.
std::size_t ValueEnd(std::string_view text, std::size_t at) {
  int depth = 0;
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c == '\\') ++at;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    }
    if (!quoted && depth <= 0) return at + 1;
  }
  return std::string_view::npos;
}

// Deeper than any record may be: the decoder takes 64 levels.
bool IsTooDeep(std::string_view json) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (quoted) {
      if (c == '\\') ++at;
      if (c == '"') quoted = false;
      continue;
    }
    if (c == '"') quoted = true;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > kMaxDepth) return true;
  }
  return false;
}

std::size_t SkipSpace(std::string_view text, std::size_t at) {
  while (at < text.size() && std::string_view(" \t\r\n").find(text[at]) != std::string_view::npos) {
    ++at;
  }
  return at;
}

// Which table a Graph record belongs to, by what only its kind has. nullptr: it is none.
const TableMapping* TableOfGraphRecord(std::string_view json) {
  if (Has(json, "riskEventType")) {
    return TableOfStream(Has(json, "servicePrincipalId") ? "servicePrincipalRiskDetections"
                                                         : "riskDetections");
  }
  if (Has(json, "riskLastUpdatedDateTime")) return TableOfStream("riskyUsers");
  if (Has(json, "activityDisplayName")) return TableOfStream("directoryAudits");
  if (!Has(json, "createdDateTime")) return nullptr;
  const std::string_view types = kql::JsonMember(json, "signInEventTypes").value_or("");
  for (const std::string_view kind : {"nonInteractive", "servicePrincipal", "managedIdentity"}) {
    if (types.find(kind) != std::string_view::npos) {
      return TableOfStream("signIns." + std::string(kind));
    }
  }
  return TableOfStream("signIns.interactive");
}

const TableMapping* TableOfCategory(std::string_view category) {
  if (category.starts_with("Storage")) return FindTable("StorageBlobLogs");
  for (const TableMapping* table : AllTables()) {
    const ColumnMapping* column = table->Column("Category");
    if (column != nullptr && column->conversion == Conversion::kConstant &&
        column->path == category) {
      return table;
    }
  }
  const TableMapping* same = FindTable(category);
  return same != nullptr ? same : FindTable("AAD" + std::string(category));
}

class Reader {
 public:
  Reader(std::string_view bytes, const ImportQuestion& question, const ImportSink& sink)
      : bytes_(bytes), question_(question), sink_(sink), counted_(bytes.data()) {}

  Status Run() {
    if (bytes_.starts_with("\xFF\xFE") || bytes_.starts_with("\xFE\xFF")) {
      return Fail(Refused("the file is UTF-16", "Save it as UTF-8."));
    }
    if (bytes_.starts_with(kByteOrderMark)) bytes_.remove_prefix(kByteOrderMark.size());
    const std::size_t begin = SkipSpace(bytes_, 0);
    if (begin == bytes_.size()) return Fail(Refused("the file is empty"));
    if (bytes_[begin] != '{' && bytes_[begin] != '[') return Csv();
    return IsLines() ? Lines() : Documents();
  }

 private:
  // Lines are counted as the reading goes on, so that each byte is looked at once.
  std::int64_t LineOf(std::string_view slice) {
    const char* begin = bytes_.data();
    const bool ours = slice.data() >= begin && slice.data() <= begin + bytes_.size();
    if (ours && slice.data() > counted_) {
      line_ += std::count(counted_, slice.data(), '\n');
      counted_ = slice.data();
    }
    return line_;
  }

  Status Bad(std::string_view slice, std::string reason) {
    sink_.bad({.line = LineOf(slice), .reason = std::move(reason), .hint = {}});
    return {};
  }

  // For want of a table that Picket knows.
  Status NoTable(std::string_view slice, std::string reason) {
    sink_.bad({.line = LineOf(slice),
               .reason = std::move(reason),
               .hint = "The tables are " + KnownTables() + "."});
    return {};
  }

  void BadCells(std::string reason) {
    sink_.bad({.line = line_, .reason = std::move(reason), .hint = {}});
  }

  [[nodiscard]] std::string_view LineAt(std::size_t at) const {
    return bytes_.substr(at, bytes_.find('\n', at) - at);
  }

  // One JSON value a line, as against one that spans lines.
  [[nodiscard]] bool IsLines() const {
    const std::size_t begin = SkipSpace(bytes_, 0);
    const std::string_view first = LineAt(begin);
    const std::size_t next = SkipSpace(bytes_, begin + first.size());
    if (next == bytes_.size()) return false;
    if (kql::CompactJson(Trim(first))) return true;
    const std::string_view second = Trim(LineAt(next));
    return first.front() == '{' && second.starts_with('{') && kql::CompactJson(second);
  }

  Status Lines() {
    for (std::size_t at = 0; at < bytes_.size();) {
      const std::string_view line = LineAt(at);
      at += line.size() + 1;
      const std::string_view value = Trim(line);
      if (value.empty()) continue;
      if (ValueEnd(value, 0) != value.size()) {
        PK_RETURN_IF_ERROR(Bad(value, "the line is no JSON object"));
      } else {
        PK_RETURN_IF_ERROR(Expand(value));
      }
    }
    return {};
  }

  Status Documents() {
    for (std::size_t at = SkipSpace(bytes_, 0); at < bytes_.size();) {
      const std::size_t end = ValueEnd(bytes_, at);
      const std::string_view value = bytes_.substr(at, end - at);
      PK_RETURN_IF_ERROR(Expand(value));
      if (end == std::string_view::npos) return {};
      at = SkipSpace(bytes_, end);
    }
    return {};
  }

  // A page, a list, CloudTrail's and Event Hub's wrappers, or one record.
  Status Expand(std::string_view json) {
    if (json.starts_with('[')) return Elements(json);
    for (const std::string_view member : {"value", "records", "Records"}) {
      const auto list = kql::JsonMember(json, member);
      if (list && kql::KindOf(*list) == JsonKind::kArray) return Elements(*list);
    }
    if (const auto tables = kql::JsonMember(json, "tables"); tables && !Has(json, "Type")) {
      return QueryAnswer(*tables);
    }
    return Record(json);
  }

  Status Elements(std::string_view list) {
    std::size_t at = SkipSpace(list, 1);
    while (true) {
      if (at >= list.size()) return Bad(list.substr(list.size()), "the list breaks off here");
      if (list[at] == ']') return {};
      const bool nested = list[at] == '{' || list[at] == '[' || list[at] == '"';
      const std::size_t end = nested ? ValueEnd(list, at) : list.find_first_of(",]\n", at);
      if (end == std::string_view::npos) {
        return Bad(list.substr(at), "the record that begins here breaks off");
      }
      PK_RETURN_IF_ERROR(Record(list.substr(at, end - at)));
      at = SkipSpace(list, end);
      if (at < list.size() && list[at] == ',') {
        at = SkipSpace(list, at + 1);
      } else if (at < list.size() && list[at] != ']') {
        return Bad(list.substr(at), "a comma is missing here; the rest of the list is not read");
      }
    }
  }

  // What the query API and `az` answer: {"tables":[{"columns":[{"name"}],"rows":[[…]]}]}.
  Status QueryAnswer(std::string_view tables) {
    Status status;
    kql::ForEachElement(tables, [&](std::string_view answer) {
      std::vector<std::string> header;
      kql::ForEachElement(kql::JsonMember(answer, "columns").value_or("[]"),
                          [&](std::string_view column) {
                            header.push_back(TextAt(column, "name"));
                            return header.size() <= kMaxColumns;
                          });
      kql::ForEachElement(kql::JsonMember(answer, "rows").value_or("[]"),
                          [&](std::string_view row) {
                            ExportedCells cells;
                            kql::ForEachElement(row, [&](std::string_view cell) {
                              if (cells.size() == header.size()) return false;
                              cells.emplace_back(header[cells.size()], std::string(cell));
                              return true;
                            });
                            status = Row(row, cells);
                            return status.has_value();
                          });
      return status.has_value();
    });
    return status;
  }

  Status Record(std::string_view slice) {
    if (!slice.starts_with('{')) return Bad(slice, "not a JSON object");
    if (!IsValidUtf8(slice)) return Bad(slice, "not UTF-8");
    const auto compact = kql::CompactJson(slice);
    if (!compact && IsTooDeep(slice)) return Bad(slice, "nested deeper than 64");
    if (!compact) return Bad(slice, "broken JSON");
    const std::string_view json = *compact;
    if (IsImportedRow(json)) return Bad(slice, "it is in a form that only Picket writes");
    if (Has(json, "TimeGenerated") || FindTable(TextAt(json, "Type")) != nullptr) {
      ExportedCells cells;
      kql::ForEachMember(json, [&](std::string_view name, std::string_view value) {
        cells.emplace_back(name, value);
        return cells.size() <= kMaxColumns;
      });
      return Row(slice, cells);
    }
    if (Has(json, "category") && (Has(json, "properties") || Has(json, "time"))) {
      return Diagnostic(slice, json);
    }
    if (Has(json, "eventSource") && Has(json, "eventName") && Has(json, "eventTime")) {
      return Deliver(slice, FindTable("AWSCloudTrail"), std::string(json));
    }
    const TableMapping* table = TableOfGraphRecord(json);
    if (table == nullptr) {
      return Bad(slice,
                 "neither a Graph record, a Log Analytics row, an Azure diagnostic line nor "
                 "a CloudTrail event");
    }
    return Deliver(slice, table, std::string(json));
  }

  // {"time","category","properties":{the Graph record}}; Azure Storage's lines are kept whole.
  Status Diagnostic(std::string_view slice, std::string_view json) {
    const std::string category = TextAt(json, "category");
    const TableMapping* table = TableOfCategory(category);
    if (table == nullptr) {
      return NoTable(slice, "diagnostic lines of category '" +
                                EscapeTerminal(category.substr(0, 64)) + "' have no table");
    }
    if (table->time_member == "time") return Deliver(slice, table, std::string(json));
    std::string record(kql::JsonMember(json, "properties").value_or("{}"));
    if (kql::KindOf(record) == JsonKind::kString) {
      record = kql::CompactJson(kql::UnquoteJson(record)).value_or("{}");
    }
    const auto ticks = kql::ParseDateTimeText(TextAt(json, "time"));
    if (!Has(record, table->time_member) && ticks && record.size() > 2) {
      record = "{" + kql::QuoteJson(table->time_member) + ":" +
               kql::QuoteJson(FormatRfc3339(Instant{*ticks})) + "," + record.substr(1);
    }
    return Deliver(slice, table, std::move(record));
  }

  Status Deliver(std::string_view slice, const TableMapping* table, std::string json) {
    const TableMapping* asked = question_.table;
    if (asked != nullptr && asked != table) {
      // v1.0 does not say what kind a sign-in is; who imports may.
      if (asked->time_member != table->time_member) {
        return Bad(slice, fmt::format("it belongs to {}, not to {}", table->table, asked->table));
      }
      table = asked;
    }
    return sink_.record({.table = table, .json = std::move(json), .line = LineOf(slice)});
  }

  Status Row(std::string_view slice, const ExportedCells& cells) {
    const TableMapping* table = question_.table;
    std::string type;
    for (const auto& [name, cell] : cells) {
      if (name == "Type") type = kql::UnquoteJson(cell);
    }
    if (table == nullptr) table = FindTable(type);
    if (table == nullptr) {
      return NoTable(slice, type.empty()
                                ? "the row does not say its table: name it with --table"
                                : "there is no table '" + EscapeTerminal(type.substr(0, 64)) + "'");
    }
    if (!type.empty() && type != table->table) {
      return Bad(slice, fmt::format("it is a row of '{}', not of {}",
                                    EscapeTerminal(type.substr(0, 64)), table->table));
    }
    Result<ExportedRow> row = MakeExportedRow(*table, cells, question_.now);
    if (!row) return Bad(slice, std::move(row).error().message);
    return sink_.record({.table = table,
                         .json = std::move(row->json),
                         .line = LineOf(slice),
                         .undated = row->undated});
  }

  Status Csv() {
    CsvReader reader(bytes_);
    const auto header = reader.Next();
    PK_RETURN_IF_ERROR(CheckHeader(header.value_or(std::vector<std::string>())));
    while (const auto cells = reader.Next()) {
      line_ = reader.line();
      if (reader.cut_short()) {
        BadCells("a quoted cell does not end");
      } else if (cells->size() != header->size()) {
        BadCells(fmt::format("{} cells, the header has {}", cells->size(), header->size()));
      } else if (!std::all_of(cells->begin(), cells->end(), IsValidUtf8)) {
        BadCells("not UTF-8");
      } else {
        ExportedCells row;
        for (std::size_t i = 0; i < cells->size(); ++i) {
          row.emplace_back((*header)[i], kql::QuoteJson((*cells)[i]));
        }
        PK_RETURN_IF_ERROR(Row({}, row));
      }
    }
    return {};
  }

  [[nodiscard]] Status CheckHeader(const std::vector<std::string>& header) const {
    bool is_table = question_.table != nullptr;
    if (header.size() > kMaxColumns) return Fail(Refused("the CSV has more than 4096 columns"));
    for (const std::string& name : header) {
      if (!IsValidUtf8(name)) return Fail(Refused("the file is not UTF-8", "Save it as UTF-8."));
      is_table = is_table || name == "Type";
      if (name.find(" [") != std::string::npos && !name.ends_with("[UTC]")) {
        return Fail(
            Refused("the CSV's times are not UTC: '" + EscapeTerminal(name.substr(0, 64)) + "'",
                    "Set the portal's display time zone to UTC and export again."));
      }
    }
    if (is_table && header.size() > 1) return {};
    return Fail(
        Refused("the file is neither JSON nor the CSV of a Log Analytics table: its first "
                "line has no column Type",
                "If it is one, name the table: --table NAME, one of " + KnownTables() + "."));
  }

  std::string_view bytes_;
  const ImportQuestion& question_;
  const ImportSink& sink_;
  const char* counted_;
  std::int64_t line_ = 1;
};

}  // namespace

std::string KnownTables() {
  std::string names;
  for (const TableMapping* table : AllTables()) {
    names += (names.empty() ? "" : ", ") + std::string(table->table);
  }
  return names;
}

Status ReadImport(std::string_view bytes, const ImportQuestion& question, const ImportSink& sink) {
  return Reader(bytes, question, sink).Run();
}

}  // namespace picket::tables

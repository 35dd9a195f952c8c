#include "agent/tables/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "agent/kql/json_view.h"
#include "agent/tables/csv.h"
#include "agent/tables/mapping.h"
#include "agent/tables/record_decoder.h"
#include "base/gzip.h"
#include "base/text.h"

namespace picket::tables {
namespace {

using kql::JsonKind;

constexpr std::size_t kRowsPerTransaction = 1000;
constexpr std::size_t kMaxBadRows = 100;

Error Refused(std::string message, std::string hint = {}) {
  return {.kind = ErrorKind::kRefused, .message = std::move(message), .hint = std::move(hint)};
}

// One record of the file, in the shape that the store keeps.
struct Item {
  std::string json;
  std::int64_t line = 0;
  bool graph = false;
};

std::string KnownTables() {
  std::string names;
  for (const TableMapping* table : AllTables()) {
    names += (names.empty() ? "" : ", ") + std::string(table->table);
  }
  return names;
}

// Which table a Graph record belongs to, by what only its kind has.
const TableMapping* TableOfGraphRecord(std::string_view json) {
  const auto has = [&](std::string_view member) {
    return kql::JsonMember(json, member).has_value();
  };
  if (has("riskEventType") && has("servicePrincipalId")) {
    return TableOfStream("servicePrincipalRiskDetections");
  }
  if (has("riskEventType")) return TableOfStream("riskDetections");
  if (has("riskLastUpdatedDateTime")) return TableOfStream("riskyUsers");
  if (has("activityDisplayName")) return TableOfStream("directoryAudits");
  if (!has("createdDateTime")) return nullptr;
  const auto types = kql::JsonMember(json, "signInEventTypes");
  for (const std::string_view kind : {"nonInteractiveUser", "servicePrincipal", "managedIdentity"}) {
    if (types && types->find("\"" + std::string(kind) + "\"") != std::string_view::npos) {
      return TableOfStream(kind == "nonInteractiveUser" ? "signIns.nonInteractive"
                                                        : "signIns." + std::string(kind));
    }
  }
  return TableOfStream("signIns.interactive");
}

// A Log Analytics cell's name: "TimeGenerated [UTC]" and "DeviceDetail_dynamic" are the columns.
std::string ColumnOfHeader(std::string_view header, bool& utc_time, std::string_view& suffix) {
  utc_time = false;
  suffix = {};
  header = Trim(header);
  constexpr std::string_view kUtc = " [UTC]";
  if (header.size() > kUtc.size() && header.substr(header.size() - kUtc.size()) == kUtc) {
    utc_time = true;
    header.remove_suffix(kUtc.size());
  }
  for (const std::string_view s : {"_dynamic", "_string"}) {
    if (header.size() > s.size() && header.substr(header.size() - s.size()) == s) {
      suffix = s;
      header.remove_suffix(s.size());
      break;
    }
  }
  return std::string(header);
}

class Importer {
 public:
  Importer(const Guid& tenant, storage::TenantStore& store, const ImportOptions& options)
      : tenant_(tenant), store_(store), options_(options) {}

  Result<ImportReport> Run(std::string_view bytes) {
    const std::string hash = Sha256Hex(bytes);
    PK_ASSIGN_OR_RETURN(report_.already, store_.ledger().Imported(hash));
    if (!options_.table.empty()) {
      table_ = FindTable(options_.table);
      if (table_ == nullptr) {
        return Fail(Refused("there is no table '" + EscapeTerminal(options_.table) + "'",
                            "It may be one of " + KnownTables() + "."));
      }
    }
    if (report_.already) return report_;
    PK_RETURN_IF_ERROR(ReadItems(bytes));
    if (items_.empty() && report_.bad.empty()) return Fail(Refused("the file holds no rows"));
    if (table_ == nullptr) {
      return Fail(Refused("the file does not say which table its rows belong to",
                          "Name it: --table NAME, one of " + KnownTables() + "."));
    }
    report_.table = table_->table;
    PK_RETURN_IF_ERROR(Store(hash));
    return report_;
  }

 private:
  void Bad(std::int64_t line, std::string reason) {
    ++rejected_;
    if (report_.bad.size() < kMaxBadRows) report_.bad.push_back({line, std::move(reason)});
  }

  Status ReadItems(std::string_view bytes) {
    if (bytes.substr(0, 3) == "\xEF\xBB\xBF") bytes.remove_prefix(3);
    if (bytes.substr(0, 2) == "\xFF\xFE" || bytes.substr(0, 2) == "\xFE\xFF") {
      return Fail(Refused("the file is UTF-16", "Save it as UTF-8."));
    }
    const std::string_view start = Trim(bytes.substr(0, 4096));
    if (start.empty()) return Fail(Refused("the file is empty"));
    if (start.front() != '{' && start.front() != '[') return ReadCsv(bytes);
    if (const auto whole = kql::CompactJson(bytes)) {
      ReadJson(*whole);
      return {};
    }
    return ReadLines(bytes);
  }

  void ReadJson(std::string_view json) {
    if (kql::KindOf(json) == JsonKind::kObject) {
      if (const auto value = kql::JsonMember(json, "value");
          value && kql::KindOf(*value) == JsonKind::kArray) {
        json = *value;
      } else {
        AddJson(json, 1);
        return;
      }
    }
    std::int64_t index = 0;
    kql::ForEachElement(json, [&](std::string_view element) {
      AddJson(element, ++index);
      return true;
    });
  }

  Status ReadLines(std::string_view bytes) {
    std::int64_t line = 0;
    std::int64_t good = 0;
    for (const std::string_view text : Split(bytes, '\n')) {
      ++line;
      if (Trim(text).empty()) continue;
      if (const auto json = kql::CompactJson(text)) {
        ++good;
        // A line may be a whole page.
        const auto value = kql::JsonMember(*json, "value");
        if (value && kql::KindOf(*value) == JsonKind::kArray) {
          kql::ForEachElement(*value, [&](std::string_view element) {
            AddJson(element, line);
            return true;
          });
        } else {
          AddJson(*json, line);
        }
      } else {
        Bad(line, "no JSON");
      }
    }
    if (good == 0) {
      return Fail(Refused("the file is neither JSON, JSON lines nor CSV"));
    }
    return {};
  }

  // A Graph record, a Log Analytics row (has TimeGenerated), or an Azure diagnostic line, whose
  // `properties` are a Graph record.
  void AddJson(std::string_view json, std::int64_t line) {
    if (kql::KindOf(json) != JsonKind::kObject) return Bad(line, "no object");
    if (kql::JsonMember(json, "TimeGenerated")) {
      if (table_ == nullptr) {
        if (const auto type = kql::JsonMember(json, "Type")) {
          table_ = FindTable(kql::UnquoteJson(*type));
        }
      }
      items_.push_back({ImportedJson(std::string(json)), line, false});
      return;
    }
    std::string_view record = json;
    if (const auto properties = kql::JsonMember(json, "properties");
        properties && kql::JsonMember(json, "category")) {
      record = *properties;
    }
    const TableMapping* table = TableOfGraphRecord(record);
    if (table == nullptr) return Bad(line, "neither a Graph record nor a Log Analytics row");
    if (table_ == nullptr) table_ = table;
    if (table != table_ && options_.table.empty()) {
      return Bad(line, fmt::format("a row of {} in a file of {}", table->table, table_->table));
    }
    items_.push_back({std::string(record), line, true});
  }

  // The row below kImportedRow, with an id of its own where it has none.
  static std::string ImportedJson(std::string row) {
    const auto id = kql::JsonMember(row, "Id");
    if (!id || *id == "\"\"" || *id == "null") {
      const std::string hash = Sha256Hex(row);
      row.pop_back();
      row += (row.size() > 1 ? ",\"Id\":" : "\"Id\":") + kql::QuoteJson(hash) + "}";
    }
    return "{" + kql::QuoteJson(kImportedRow) + ":" + row + "}";
  }

  Status ReadCsv(std::string_view bytes) {
    if (!IsValidUtf8(bytes)) return Fail(Refused("the file is not UTF-8", "Save it as UTF-8."));
    CsvReader reader(bytes);
    const auto header = reader.Next();
    if (!header) return Fail(Refused("the file is empty"));
    const bool has_time = std::any_of(header->begin(), header->end(), [](const std::string& name) {
      return name.substr(0, 13) == "TimeGenerated";
    });
    if (!has_time) {
      return Fail(Refused("the CSV has no column TimeGenerated",
                          "Export the table itself from Log Analytics, with all its columns."));
    }
    while (const auto cells = reader.Next()) {
      if (cells->size() != header->size()) {
        Bad(reader.line(), fmt::format("{} cells, the header has {}", cells->size(),
                                       header->size()));
        continue;
      }
      AddCsvRow(*header, *cells, reader.line());
    }
    return {};
  }

  void AddCsvRow(const std::vector<std::string>& header, const std::vector<std::string>& cells,
                 std::int64_t line) {
    std::map<std::string, std::string> row;
    for (std::size_t i = 0; i < header.size(); ++i) {
      bool utc_time = false;
      std::string_view suffix;
      std::string name = ColumnOfHeader(header[i], utc_time, suffix);
      std::string text = cells[i];
      if (utc_time) {
        if (const auto iso = PortalTimeToRfc3339(text)) text = *iso;
      }
      // A union writes one column as X_dynamic and X_string; a row fills one of the two.
      if (!suffix.empty() && text.empty() && row.contains(name)) continue;
      row[std::move(name)] = std::move(text);
    }
    if (table_ == nullptr && row.contains("Type")) table_ = FindTable(row["Type"]);
    std::string json = "{";
    for (const auto& [name, text] : row) {
      json += (json.size() > 1 ? "," : "") + kql::QuoteJson(name) + ":" + kql::QuoteJson(text);
    }
    items_.push_back({ImportedJson(json + "}"), line, false});
  }

  Status Store(const std::string& hash) {
    const std::string stream(table_->stream);
    const RecordDecoder decoder(table_->stream, tenant_);
    const storage::Merger merger = [&decoder](std::string_view stored,
                                              const storage::Record& read) {
      return decoder.Merge(stored, read);
    };
    const storage::WriteRules rules{.now = options_.now,
                                    .oldest = options_.oldest,
                                    .read_before = Instant{0},
                                    .merger = &merger};
    std::int64_t window = 0;
    {
      PK_ASSIGN_OR_RETURN(storage::Transaction transaction, store_.Begin());
      PK_ASSIGN_OR_RETURN(window, store_.ledger().Open(stream, "import", Instant{0}, Instant{0},
                                                       options_.now));
      PK_RETURN_IF_ERROR(transaction.Commit());
    }
    for (std::size_t at = 0; at < items_.size() || rejected_ > 0; at += kRowsPerTransaction) {
      PK_RETURN_IF_ERROR(StoreSome(stream, window, decoder, rules, at));
      if (options_.progress) options_.progress(report_.counts.read);
    }
    PK_ASSIGN_OR_RETURN(storage::Transaction transaction, store_.Begin());
    PK_RETURN_IF_ERROR(store_.ledger().Finish(window, "read", options_.now, hash));
    return transaction.Commit();
  }

  Status StoreSome(const std::string& stream, std::int64_t window, const RecordDecoder& decoder,
                   const storage::WriteRules& rules, std::size_t at) {
    std::deque<std::string> texts;
    std::vector<storage::Record> records;
    const std::size_t end = std::min(items_.size(), at + kRowsPerTransaction);
    for (std::size_t i = at; i < end; ++i) {
      // Graph's own JSON is as rich as Graph's beta; an export has no more than its columns.
      Result<storage::Record> record =
          decoder.DecodeOne(items_[i].json, items_[i].graph ? Rank::kV1 : Rank::kImport, texts);
      if (record) {
        records.push_back(*std::move(record));
      } else {
        Bad(items_[i].line, record.error().message);
      }
    }
    PK_ASSIGN_OR_RETURN(const storage::PageCounts counts,
                        store_.StorePage(stream, window, records, std::exchange(rejected_, 0),
                                         rules));
    report_.counts += counts;
    return {};
  }

  const Guid tenant_;
  storage::TenantStore& store_;
  const ImportOptions& options_;
  const TableMapping* table_ = nullptr;
  std::vector<Item> items_;
  std::int64_t rejected_ = 0;
  ImportReport report_;
};

}  // namespace

Result<ImportReport> ImportFile(std::string_view bytes, const Guid& tenant,
                                storage::TenantStore& store, const ImportOptions& options) {
  std::string plain;
  if (LooksLikeGzip(bytes)) {
    Result<std::string> inflated = Gunzip(bytes, kMaxImportBytes);
    if (!inflated) return Fail(Refused(inflated.error().message));
    plain = *std::move(inflated);
    bytes = plain;
  }
  return Importer(tenant, store, options).Run(bytes);
}

}  // namespace picket::tables

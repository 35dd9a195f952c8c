#include "agent/tables/import.h"

#include <algorithm>
#include <map>
#include <utility>

#include "agent/tables/import_reader.h"
#include "agent/tables/mapping.h"
#include "agent/tables/record_decoder.h"
#include "base/gzip.h"
#include "base/text.h"

namespace picket::tables {
namespace {

constexpr std::size_t kRowsPerTransaction = 1000;
// Tables of versions want their rows in order of time: the older version must come first.
constexpr std::size_t kVersionsPerTransaction = 100'000;
constexpr std::size_t kBytesPerTransaction = std::size_t{32} << 20;
constexpr std::size_t kMaxBadRows = 100;

Error Refused(std::string message, std::string hint = {}) {
  return {.kind = ErrorKind::kRefused, .message = std::move(message), .hint = std::move(hint)};
}

// The rows of one table on their way to the store.
struct Load {
  Load(const TableMapping& table, const Guid& tenant)
      : decoder(table.stream, tenant),
        merger([this](std::string_view stored, const storage::Record& read) {
          return decoder.Merge(stored, read);
        }) {}
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() = default;

  RecordDecoder decoder;
  storage::Merger merger;
  std::vector<ImportedRecord> rows;
  std::size_t bytes = 0;    // of the rows
  std::int64_t window = 0;  // in the ledger; 0: not opened
};

class Importer {
 public:
  Importer(const Guid& tenant, storage::TenantStore& store, const ImportOptions& options)
      : tenant_(tenant), store_(store), options_(options) {}

  Result<ImportReport> Run(std::string_view bytes) {
    ImportQuestion question{.table = nullptr, .now = options_.now};
    if (!options_.table.empty()) {
      question.table = FindTable(options_.table);
      if (question.table == nullptr) {
        return Fail(Refused("there is no table '" + EscapeTerminal(options_.table) + "'",
                            "It may be one of " + KnownTables() + "."));
      }
    }
    const std::string hash = Sha256Hex(bytes);
    PK_ASSIGN_OR_RETURN(report_.already, store_.ledger().Imported(hash));
    if (report_.already) return report_;
    const ImportSink sink{
        .record = [this](ImportedRecord record) { return Take(std::move(record)); },
        .bad = [this](BadRow row) { Bad(std::move(row)); }};
    PK_RETURN_IF_ERROR(ReadImport(bytes, question, sink));
    for (auto& [table, load] : loads_) PK_RETURN_IF_ERROR(Store(*table, load));
    PK_RETURN_IF_ERROR(Finish(hash));
    return report_;
  }

 private:
  void Bad(BadRow row) {
    ++rejected_;
    if (report_.bad.size() < kMaxBadRows) report_.bad.push_back(std::move(row));
  }

  Status Take(ImportedRecord record) {
    const TableMapping& table = *record.table;
    Load& load = loads_.try_emplace(record.table, table, tenant_).first->second;
    load.bytes += record.json.size();
    load.rows.push_back(std::move(record));
    const std::size_t most = table.shows_versions ? kVersionsPerTransaction : kRowsPerTransaction;
    const bool full = load.rows.size() >= most || load.bytes >= kBytesPerTransaction;
    return full ? Store(table, load) : Status();
  }

  // One transaction: the rows, and the ledger's count of them.
  Status Store(const TableMapping& table, Load& load) {
    const std::vector<ImportedRecord> rows = std::exchange(load.rows, {});
    load.bytes = 0;
    std::string array = "[";
    for (const ImportedRecord& row : rows) array += (array.size() > 1 ? "," : "") + row.json;
    PK_ASSIGN_OR_RETURN(DecodedPage page, load.decoder.Decode(array + "]", Rank::kImport));
    PK_CHECK(page.records.size() + page.rejected.size() == rows.size(),
             "the reader gives one sound JSON object a row");
    report_.undated += std::count_if(rows.begin(), rows.end(),
                                     [](const ImportedRecord& row) { return row.undated; });
    for (const RejectedRecord& rejected : page.rejected) {
      const ImportedRecord& row = rows[rejected.index];
      if (row.undated) --report_.undated;
      Bad({.line = row.line, .reason = rejected.reason, .hint = {}});
    }
    std::vector<storage::Record>& records = page.records;
    if (records.empty()) return {};
    if (table.shows_versions) {
      std::stable_sort(records.begin(), records.end(), [](const auto& a, const auto& b) {
        return a.updated.value_or(a.created) < b.updated.value_or(b.created);
      });
    }
    const std::string stream(table.stream);
    PK_RETURN_IF_ERROR(Open(stream, load));
    const std::int64_t rejected = std::exchange(rejected_, 0);
    PK_ASSIGN_OR_RETURN(const storage::PageCounts counts,
                        store_.StorePage(stream, load.window, records, rejected,
                                         {.now = options_.now,
                                          .oldest = options_.oldest,
                                          .read_before = Instant{0},
                                          .merger = &load.merger}));
    report_.counts += counts;
    if (options_.progress) options_.progress(table.table, report_.counts.read);
    return {};
  }

  Status Open(const std::string& stream, Load& load) {
    if (load.window != 0) return {};
    PK_ASSIGN_OR_RETURN(storage::Transaction transaction, store_.Begin());
    PK_ASSIGN_OR_RETURN(
        load.window, store_.ledger().Open(stream, "import", Instant{0}, Instant{0}, options_.now));
    return transaction.Commit();
  }

  // The ledger remembers the file if all of it is kept: another retention or a mended agent may
  // keep what this import did not.
  Status Finish(const std::string& hash) {
    const bool kept = std::any_of(loads_.begin(), loads_.end(),
                                  [](const auto& load) { return load.second.window != 0; });
    if (!kept) return NothingKept();
    report_.counts.read += rejected_;
    report_.counts.rejected += rejected_;
    const bool whole = report_.counts.rejected == 0 && report_.counts.expired == 0;
    PK_ASSIGN_OR_RETURN(storage::Transaction transaction, store_.Begin());
    const storage::PageCounts left{.read = rejected_, .rejected = rejected_};
    bool noted = rejected_ == 0;
    for (const auto& [table, load] : loads_) {
      if (load.window == 0) continue;
      if (!std::exchange(noted, true)) {
        PK_RETURN_IF_ERROR(store_.ledger().NotePage(load.window, left));
      }
      PK_RETURN_IF_ERROR(
          store_.ledger().Finish(load.window, "read", options_.now, whole ? hash : std::string()));
      report_.table += (report_.table.empty() ? "" : ", ") + std::string(table->table);
    }
    return transaction.Commit();
  }

  [[nodiscard]] Status NothingKept() const {
    if (report_.bad.empty()) return Fail(Refused("the file holds no rows"));
    const BadRow& first = report_.bad.front();
    return Fail(Refused("the file holds no row that can be kept; line " +
                            std::to_string(first.line) + ": " + first.reason,
                        first.hint));
  }

  struct ByName {
    bool operator()(const TableMapping* a, const TableMapping* b) const {
      return a->table < b->table;
    }
  };

  const Guid tenant_;
  storage::TenantStore& store_;
  const ImportOptions& options_;
  std::map<const TableMapping*, Load, ByName> loads_;
  std::int64_t rejected_ = 0;
  ImportReport report_;
};

}  // namespace

Result<ImportReport> ImportFile(std::string_view bytes, const Guid& tenant,
                                storage::TenantStore& store, const ImportOptions& options) {
  std::string plain;
  if (LooksLikeGzip(bytes)) {
    Result<std::string> inflated = Gunzip(bytes, kMaxImportBytes);
    if (!inflated && inflated.error().kind == ErrorKind::kLimit) {
      return Fail(Refused("unpacked, the file is larger than 512 MiB", "Split it."));
    }
    if (!inflated) {
      return Fail(Refused(inflated.error().message,
                          "`gzip -t` tells whether the file is whole; if not, export it again."));
    }
    plain = *std::move(inflated);
    bytes = plain;
  }
  if (bytes.size() > kMaxImportBytes) {
    return Fail(Refused("the file is larger than 512 MiB", "Split it."));
  }
  return Importer(tenant, store, options).Run(bytes);
}

}  // namespace picket::tables

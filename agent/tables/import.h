#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/tables/import_reader.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "storage/record.h"
#include "storage/tenant_store.h"

namespace picket::tables {

struct ImportOptions {
  std::string table;  // "" when the file itself says
  Instant now;        // of the import; also the time of rows whose file has no column for it
  Instant oldest;     // retention: older rows are refused and counted
  // After each transaction: the table that it filled, and the rows done so far, of all tables.
  std::function<void(std::string_view table, std::int64_t rows)> progress = {};
};

struct ImportReport {
  std::string table;  // the tables that were filled, with ", " between
  // read = added + changed + same + poorer + rejected + expired, over all tables.
  storage::PageCounts counts;
  std::vector<BadRow> bad;   // the first 100
  std::int64_t undated = 0;  // rows without any time: they got that of the import
  bool already = false;      // a file of these bytes was imported before; nothing was done
};

inline constexpr std::size_t kMaxImportBytes = std::size_t{512} << 20;

// Takes the bytes of one file (gzip or not): Graph JSON (pages, arrays, one object a line), a Log
// Analytics export (CSV, JSON), Azure's diagnostic lines (Entra ID's logs, Azure Storage's), AWS
// CloudTrail files. A file may fill several tables. Good rows are kept, bad ones reported by line.
// One transaction a thousand rows; the ledger remembers the file by its SHA-256 when all of it was
// kept: one of which rows were rejected or older than retention is read again the next time, and
// what is there already stays once. kRefused when no row can be kept: the format or the table is
// not to be told, or why the first row is bad.
Result<ImportReport> ImportFile(std::string_view bytes, const Guid& tenant,
                                storage::TenantStore& store, const ImportOptions& options);

}  // namespace picket::tables

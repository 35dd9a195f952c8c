#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/column.h"
#include "agent/kql/table_source.h"
#include "agent/kql/type.h"
#include "base/result.h"

namespace picket::kql {

// Rows out of the text of a file: for externaldata and watchlists.

enum class FileFormat : std::uint8_t {
  kCsv,   // RFC 4180
  kTsv,   // split at tabs, no quotes
  kText,  // a line is a value of the one column
  kJson,  // objects, one after the other or in an array; columns are members
};

// No file is larger.
inline constexpr std::size_t kMostFileBytes = std::size_t{64} << 20;

// A value that is not of its column's type is null; a short record leaves the rest null.
// Errors, which begin with the file's name and the place: kRefused for what is no JSON, no UTF-8,
// or a quote without an end; kLimit for a file that is too large.
Result<std::vector<Batch>> ReadRows(const LocalFile& file, FileFormat format, const Schema& columns,
                                    bool skip_first);

struct FileRows {
  Schema schema;
  std::vector<Batch> batches;
};
// A watchlist's CSV: its columns as texts, by its header, and behind them SearchKey, which repeats
// the file's key, unless the CSV has a column of that name. Errors: as ReadRows, and kRefused when
// there is no header, no such key, or a record has not as many fields as the header.
Result<FileRows> ReadWatchlist(const LocalFile& file);

// The address as it may be shown: what stands behind ? or ; may be a key to it.
std::string ShownAddress(std::string_view address);
Error NoExternalFile(std::string_view address);
Error NoWatchlist(std::string_view alias);

}  // namespace picket::kql

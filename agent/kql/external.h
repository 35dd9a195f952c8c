#pragma once

#include <string_view>

#include "agent/kql/column.h"
#include "agent/kql/type.h"
#include "base/result.h"

namespace picket::kql {

// Rows out of the text of a file: for externaldata and watchlists. A value that is not of its
// column's type is null; a short record leaves the rest null.

enum class FileFormat : std::uint8_t {
  kCsv,   // RFC 4180
  kTsv,   // split at tabs, no quotes
  kText,  // a line is a value of the one column
  kJson,  // objects, one after the other or in an array; columns are members
};

// Errors: kRefused for broken JSON or an open quote; kLimit for a file beyond 64 MB.
Result<std::vector<Batch>> ReadRows(std::string_view text, FileFormat format, const Schema& columns,
                                    bool skip_first);

// The names in the first record of a CSV.
std::vector<std::string> CsvHeader(std::string_view text);

}  // namespace picket::kql

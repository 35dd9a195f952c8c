#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "agent/tables/mapping.h"
#include "base/result.h"
#include "base/time.h"

namespace picket::tables {

// A row, or what stands in its place, that can't be kept.
struct BadRow {
  std::int64_t line = 0;
  std::string reason;
  std::string hint;  // what to do about it; mostly ""
};

// One row of a file, in the shape that the store keeps: a record in its source's shape, or an
// exported row.
struct ImportedRecord {
  const TableMapping* table = nullptr;
  std::string json;
  std::int64_t line = 0;
  bool undated = false;  // it got the time of the import
};

struct ImportSink {
  std::function<Status(ImportedRecord)> record;  // an error ends the reading
  std::function<void(BadRow)> bad;
};

struct ImportQuestion {
  const TableMapping* table = nullptr;  // nullptr: the rows themselves say
  Instant now;
};

// Reads the rows of one file, of any format that ImportFile takes, not gzipped. kRefused when the
// file is of no such format; the sink's errors are passed on.
Status ReadImport(std::string_view bytes, const ImportQuestion& question, const ImportSink& sink);

// "SigninLogs, AuditLogs, …", for people.
std::string KnownTables();

}  // namespace picket::tables

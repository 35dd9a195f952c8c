#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/tables/mapping.h"
#include "base/result.h"
#include "base/time.h"

namespace picket::tables {

// A row of a Log Analytics export as it stands in the file: names of the file, cells as JSON.
using ExportedCells = std::vector<std::pair<std::string, std::string>>;

struct ExportedRow {
  std::string json;      // below kImportedRow, as the store keeps it
  bool undated = false;  // no time was found: it got `now`
};

// The portal's names are the table's columns: "CreatedDateTime [UTC]" and, out of a union,
// "DeviceDetail_dynamic" beside "DeviceDetail_string". A row without TimeGenerated gets the time
// that its other columns tell, and `now` only where no column of a time is there at all; one
// without an id gets the SHA-256 of its canonical form. kRefused with the reason: a time that can't
// be read or is left empty (it must not become `now`, which rules would alert on), or neither id
// nor time in a table that is polled.
Result<ExportedRow> MakeExportedRow(const TableMapping& table, const ExportedCells& cells,
                                    Instant now);

// The column that a name of a file stands for, without its " [UTC]".
std::string_view WithoutZone(std::string_view header);

}  // namespace picket::tables

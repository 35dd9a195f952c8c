#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/type.h"
#include "base/uuid.h"
#include "storage/record.h"

namespace picket::tables {

// How a Log Analytics column is made of a record in its source's shape.
enum class Conversion : std::uint8_t {
  kText,           // the scalar at the path as text; '' when absent or null
  kCapital,        // the same with a capital first letter: member → Member
  kFailureReason,  // the same, but '' for Graph's "Other." of a success
  kJsonText,       // the JSON at the path as a text; '' when absent or null
  kPrunedText,     // the same without null members
  kDynamic,        // the JSON at the path
  kPruned,         // the same without null members
  kEmbeddedJson,   // the path holds JSON within a text
  kBool,           // also of the texts "true" and "false"
  kNumber,         // int, long or real, as the column's type says; also of a text
  kZero,           // always 0: Azure Monitor does not map it
  kDateTime,
  kUpdatedTime,     // the time at the path, else the record's own
  kIsRisky,         // riskState is atRisk or confirmedCompromised; null when it is not told
  kConstant,        // the path itself is the text
  kTenant,          // the polled tenant's GUID
  kTenantResource,  // /tenants/GUID/providers/Microsoft.aadiam
  kNone,            // the source has nothing for it: '' or null
};

struct ColumnMapping {
  std::string_view name;
  kql::Type type;
  Conversion conversion;
  std::string_view path;  // members with '/' between
  bool typed = false;     // kept as a column of the store, so that rules read no JSON for it
};

// A member of a column's JSON whose text is kept as a column of the store of its own: rules ask for
// it as `tostring(Column.member)`.
struct MemberMapping {
  std::string_view column;
  std::string_view member;
  std::string_view path;  // in the source's record
};

struct TableMapping {
  std::string_view table;
  std::string_view stream;          // "imported.…": filled by import alone
  std::string_view time_member;     // the event's time
  std::string_view updated_member;  // when it last changed; "" where the source does not say
  bool shows_versions = false;      // every kept reading is a row, at its updated time
  std::span<const ColumnMapping> columns;
  std::string_view id_member = "id";  // "": the id is the SHA-256 of the canonical form
  std::string_view id_column = "Id";  // the same of an exported row

  std::span<const MemberMapping> members{};

  [[nodiscard]] const ColumnMapping* Column(std::string_view name) const;
  // TimeGenerated, which every table has.
  [[nodiscard]] const ColumnMapping& TimeColumn() const;
};

// Raised whenever a typed column, its conversion or the hash changes: the store then makes its
// typed columns again from the JSON.
inline constexpr int kMappingVersion = 2;

// All tables; the only mapping between their sources and Log Analytics. Facts: the Azure Monitor
// table reference, Graph's resource types, the formats of Azure Storage's and CloudTrail's logs.
std::span<const TableMapping* const> AllTables();
const TableMapping* FindTable(std::string_view table);
const TableMapping* TableOfStream(std::string_view stream);

// Top-level members that may differ between readings of the same state; left out of change
// detection.
bool IsVolatile(std::string_view member);

// For the store: the typed columns of every stream, in the order of the mapping, and then the
// members.
std::vector<storage::StreamSchema> StreamSchemas();

// A row of a Log Analytics export is kept in its own shape, below the first of these members; the
// other two stand beside it when the row itself has no id or no TimeGenerated. Only an import may
// bring them.
inline constexpr std::string_view kImportedRow = "@picket.row";
inline constexpr std::string_view kImportedId = "@picket.id";
inline constexpr std::string_view kImportedTime = "@picket.time";
bool IsImportedRow(std::string_view json);

// The value of a column of a record (in its source's shape, or an imported row). For many columns
// of one record see column_value.h.
kql::Value ColumnValue(const TableMapping& table, const ColumnMapping& column,
                       std::string_view json, const Guid& tenant);

// What every row of the source's own has in the column; nullopt when that hangs on the record.
std::optional<kql::Value> ConstantValue(const ColumnMapping& column, const Guid& tenant);

}  // namespace picket::tables

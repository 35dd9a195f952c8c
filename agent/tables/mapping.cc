#include "agent/tables/mapping.h"

#include <array>

#include "base/result.h"

namespace picket::tables {

extern const TableMapping kSigninLogsTable;
extern const TableMapping kNonInteractiveTable;
extern const TableMapping kServicePrincipalTable;
extern const TableMapping kManagedIdentityTable;
extern const TableMapping kUserRiskEventsTable;
extern const TableMapping kServicePrincipalRiskEventsTable;
extern const TableMapping kRiskyUsersTable;
extern const TableMapping kAuditLogsTable;
extern const TableMapping kStorageBlobLogsTable;
extern const TableMapping kCloudTrailTable;

namespace {

storage::ColumnType StoredType(kql::Type type) {
  switch (type) {
    case kql::Type::kBool:
      return storage::ColumnType::kBool;
    case kql::Type::kInt:
    case kql::Type::kLong:
      return storage::ColumnType::kInt;
    case kql::Type::kReal:
      return storage::ColumnType::kReal;
    case kql::Type::kDateTime:
    case kql::Type::kTimespan:
      return storage::ColumnType::kTicks;
    case kql::Type::kDecimal:
    case kql::Type::kString:
    case kql::Type::kGuid:
    case kql::Type::kDynamic:
      return storage::ColumnType::kText;
  }
  return storage::ColumnType::kText;
}

}  // namespace

std::span<const TableMapping* const> AllTables() {
  static const std::array<const TableMapping*, 10> tables = {
      &kSigninLogsTable,      &kNonInteractiveTable, &kServicePrincipalTable,
      &kManagedIdentityTable, &kUserRiskEventsTable, &kServicePrincipalRiskEventsTable,
      &kRiskyUsersTable,      &kAuditLogsTable,      &kStorageBlobLogsTable,
      &kCloudTrailTable};
  return tables;
}

const TableMapping* FindTable(std::string_view table) {
  for (const TableMapping* mapping : AllTables()) {
    if (mapping->table == table) return mapping;
  }
  return nullptr;
}

const TableMapping* TableOfStream(std::string_view stream) {
  for (const TableMapping* mapping : AllTables()) {
    if (mapping->stream == stream) return mapping;
  }
  return nullptr;
}

const ColumnMapping* TableMapping::Column(std::string_view name) const {
  for (const ColumnMapping& column : columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

const ColumnMapping& TableMapping::TimeColumn() const {
  const ColumnMapping* time = Column("TimeGenerated");
  PK_CHECK(time != nullptr, "every table has TimeGenerated");
  return *time;
}

bool IsVolatile(std::string_view member) {
  return member.substr(0, 7) == "@odata." || member == "processingTimeInMilliseconds" ||
         member == kImportedTime;
}

bool IsImportedRow(std::string_view json) {
  return json.substr(0, 2) == "{\"" && json.substr(2, kImportedRow.size()) == kImportedRow &&
         json.substr(2 + kImportedRow.size(), 2) == "\":";
}

std::vector<storage::StreamSchema> StreamSchemas() {
  std::vector<storage::StreamSchema> schemas;
  for (const TableMapping* table : AllTables()) {
    storage::StreamSchema& schema = schemas.emplace_back();
    schema.stream = table->stream;
    schema.mapping_version = kMappingVersion;
    for (const ColumnMapping& column : table->columns) {
      if (column.typed) {
        schema.columns.push_back({std::string(column.name), StoredType(column.type)});
      }
    }
    for (const MemberMapping& member : table->members) {
      schema.columns.push_back({std::string(member.column) + "_" + std::string(member.member),
                                storage::ColumnType::kText});
    }
  }
  return schemas;
}

}  // namespace picket::tables

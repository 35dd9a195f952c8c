#include "agent/tables/table_catalog.h"

#include <algorithm>

#include "agent/tables/mapping.h"

namespace picket::tables {

TableCatalog::TableCatalog() {
  for (const TableMapping* table : AllTables()) {
    kql::Schema schema;
    for (const ColumnMapping& column : table->columns) {
      schema.push_back({std::string(column.name), column.type});
    }
    schemas_.emplace(std::string(table->table), std::move(schema));
  }
}

const kql::Schema* TableCatalog::Find(std::string_view table) const {
  const auto found = schemas_.find(table);
  return found == schemas_.end() ? nullptr : &found->second;
}

std::vector<std::string_view> TableCatalog::Names() const {
  std::vector<std::string_view> names;
  for (const auto& [name, schema] : schemas_) names.push_back(name);
  return names;
}

bool TableCatalog::KeepsMember(std::string_view table, std::size_t column,
                               std::string_view member) const {
  const TableMapping* mapping = FindTable(table);
  if (mapping == nullptr) return false;
  const std::string_view name = mapping->columns[column].name;
  return std::any_of(
      mapping->members.begin(), mapping->members.end(),
      [&](const MemberMapping& kept) { return kept.column == name && kept.member == member; });
}

Result<std::unique_ptr<kql::TableScan>> NoTables::Scan(const kql::ScanRequest& request) {
  return Fail({.kind = ErrorKind::kRefused,
               .message = "the table " + request.table + " belongs to a tenant",
               .hint = "Name one: --tenant NAME with --config FILE."});
}

}  // namespace picket::tables

#include "agent/tables/table_catalog.h"

#include <algorithm>

#include "agent/kql/external.h"
#include "agent/tables/declared_tables.h"
#include "agent/tables/mapping.h"
#include "base/text.h"

namespace picket::tables {
namespace {

std::optional<kql::Schema> SchemaOf(std::string_view table) {
  const TableMapping* mapping = FindTable(table);
  if (mapping == nullptr) return DeclaredTable(table);
  kql::Schema schema;
  for (const ColumnMapping& column : mapping->columns) {
    schema.push_back({std::string(column.name), column.type});
  }
  return schema;
}

}  // namespace

const kql::Schema* TableCatalog::Find(std::string_view table) const {
  const std::lock_guard lock(mutex_);
  auto found = asked_.find(table);
  if (found == asked_.end()) {
    std::optional<kql::Schema> schema = SchemaOf(table);
    if (!schema) return nullptr;
    found = asked_.emplace(table, *std::move(schema)).first;
  }
  return &found->second;
}

std::vector<std::string_view> TableCatalog::Names() const {
  std::vector<std::string_view> names = DeclaredTableNames();
  for (const TableMapping* table : AllTables()) {
    const auto place = std::lower_bound(names.begin(), names.end(), table->table);
    if (place == names.end() || *place != table->table) names.insert(place, table->table);
  }
  return names;
}

bool TableCatalog::MayHaveRows(std::string_view table) const { return FindTable(table) != nullptr; }

Result<kql::LocalFile> TableCatalog::ExternalFile(std::string_view address) const {
  const FileSettings* settings = FindExternal(files_, address);
  return settings == nullptr ? Catalog::ExternalFile(address) : Read(*settings);
}

Result<kql::LocalFile> TableCatalog::Watchlist(std::string_view alias) const {
  const auto found = files_.watchlists.find(alias);
  if (found != files_.watchlists.end()) return Read(found->second);
  Error none = kql::NoWatchlist(alias);
  std::vector<std::string_view> names;
  for (const auto& [name, settings] : files_.watchlists) names.emplace_back(name);
  if (const std::string_view nearest = Nearest(alias, names); !nearest.empty()) {
    none.hint = "Did you mean '" + EscapeTerminal(nearest) + "'?";
  }
  return Fail(std::move(none));
}

Result<kql::LocalFile> TableCatalog::Read(const FileSettings& settings) const {
  const std::lock_guard lock(mutex_);
  auto found = read_.find(&settings);
  if (found == read_.end()) found = read_.emplace(&settings, ReadLocalFile(settings)).first;
  return found->second;
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

#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/kql/table_source.h"
#include "agent/tables/local_files.h"

namespace picket::tables {

// The tables that KQL can name: those of the mapping, with its columns, and all others that are
// declared, which bind and have no rows. And the files that the operator put beside the agent, each
// read once. Any thread.
class TableCatalog final : public kql::Catalog {
 public:
  explicit TableCatalog(LocalFiles files = {}) : files_(std::move(files)) {}
  [[nodiscard]] const kql::Schema* Find(std::string_view table) const override;
  [[nodiscard]] std::vector<std::string_view> Names() const override;
  [[nodiscard]] bool MayHaveRows(std::string_view table) const override;
  [[nodiscard]] Result<kql::LocalFile> ExternalFile(std::string_view address) const override;
  [[nodiscard]] Result<kql::LocalFile> Watchlist(std::string_view alias) const override;
  [[nodiscard]] bool KeepsMember(std::string_view table, std::size_t column,
                                 std::string_view member) const override;

 private:
  Result<kql::LocalFile> Read(const FileSettings& settings) const;

  const LocalFiles files_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, kql::Schema, std::less<>> asked_;  // each made when asked for
  mutable std::map<const FileSettings*, Result<kql::LocalFile>> read_;
};

// No tables: for queries of print, datatable and range alone.
class NoTables final : public kql::TableSource {
 public:
  [[nodiscard]] Result<std::unique_ptr<kql::TableScan>> Scan(
      const kql::ScanRequest& request) override;
};

}  // namespace picket::tables

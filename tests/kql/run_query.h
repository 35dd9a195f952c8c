#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/engine.h"

namespace picket::kql {

// Tables of a test: one event a row, whose key is its number, from 1.
class TestTables final : public Catalog, public TableSource {
 public:
  // Values as a datatable's cells, row by row.
  void Add(const std::string& name, std::string_view columns, std::string_view cells);
  void AddFile(std::string address, std::string content);
  void AddWatchlist(std::string alias, std::string content, std::string key = {});

  [[nodiscard]] const Schema* Find(std::string_view table) const override;
  [[nodiscard]] std::vector<std::string_view> Names() const override;
  [[nodiscard]] Result<LocalFile> ExternalFile(std::string_view address) const override;
  [[nodiscard]] Result<LocalFile> Watchlist(std::string_view alias) const override;
  [[nodiscard]] Result<std::unique_ptr<TableScan>> Scan(const ScanRequest& request) override;

 private:
  std::map<std::string, ResultTable, std::less<>> tables_;
  std::map<std::string, LocalFile, std::less<>> files_;
  std::map<std::string, LocalFile, std::less<>> watchlists_;
};

// "a,b | 1,x | 2,y": the columns and then the rows, as people read them; "!CODE message" when the
// query is refused or fails.
std::string Ask(TestTables& tables, std::string_view query, RunOptions options = {});
std::string Ask(std::string_view query);
// The rows' events: "1 | 1,2"; of several tables "S:1,T:1".
std::string EventsOf(TestTables& tables, std::string_view query);

}  // namespace picket::kql

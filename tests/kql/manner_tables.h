#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/engine.h"

namespace picket::kql {

// How a source gives its rows.
struct Manner {
  bool skips = false;          // what the hints let it skip, it skips
  bool coded = false;          // texts as codes into one dictionary
  bool dear_dynamics = false;  // dynamic columns are told to cost more than the others
};

// Tables of a test, given as a store could give them.
class MannerTables final : public Catalog, public TableSource {
 public:
  explicit MannerTables(std::map<std::string, ResultTable> tables);

  [[nodiscard]] const Schema* Find(std::string_view table) const override;
  [[nodiscard]] std::vector<std::string_view> Names() const override;
  [[nodiscard]] Result<std::unique_ptr<TableScan>> Scan(const ScanRequest& request) override;
  [[nodiscard]] bool Cheap(std::string_view table, const ScanColumn& column) const override;

  Manner manner;
  int scans = 0;

 private:
  std::map<std::string, ResultTable, std::less<>> tables_;
};

}  // namespace picket::kql

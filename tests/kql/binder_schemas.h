#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/table_source.h"

namespace picket::kql {

// A catalog that a test fills.
class TestCatalog final : public Catalog {
 public:
  void Add(std::string name, Schema schema) { tables_[std::move(name)] = std::move(schema); }
  [[nodiscard]] const Schema* Find(std::string_view table) const override;
  [[nodiscard]] std::vector<std::string_view> Names() const override;
  [[nodiscard]] bool empty() const { return tables_.empty(); }

 private:
  std::map<std::string, Schema, std::less<>> tables_;
};

// Azure Monitor's tables, as the shared corpora list them; empty when the file is missing.
const TestCatalog& AzureTables();
// T(a:string, b:long, d:dynamic, t:datetime, s:timespan, r:real), U(a:string, b:string, c:bool).
const TestCatalog& SmallTables();
// "a:string b:long"
std::string ShowSchema(const Schema& schema);

}  // namespace picket::kql

#include "tests/kql/binder_schemas.h"

#include <cctype>
#include <fstream>
#include <nlohmann/json.hpp>

namespace picket::kql {

const Schema* TestCatalog::Find(std::string_view table) const {
  const auto found = tables_.find(table);
  return found == tables_.end() ? nullptr : &found->second;
}

std::vector<std::string_view> TestCatalog::Names() const {
  std::vector<std::string_view> names;
  for (const auto& [name, schema] : tables_) names.push_back(name);
  return names;
}

const TestCatalog& AzureTables() {
  static const TestCatalog catalog = [] {
    TestCatalog tables;
    std::ifstream file(PICKET_SHARED_DIR "/corpora/table-schemas.json");
    const auto json = nlohmann::ordered_json::parse(file, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) return tables;
    for (const auto& [table, columns] : json.items()) {
      Schema schema;
      for (const auto& [column, type] : columns.items()) {
        std::string name = type.get<std::string>();
        for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        schema.push_back({column, ParseType(name == "bigint" ? "long" : name).value()});
      }
      tables.Add(table, std::move(schema));
    }
    return tables;
  }();
  return catalog;
}

const TestCatalog& SmallTables() {
  static const TestCatalog catalog = [] {
    TestCatalog tables;
    tables.Add("T", {{"a", Type::kString},
                     {"b", Type::kLong},
                     {"d", Type::kDynamic},
                     {"t", Type::kDateTime},
                     {"s", Type::kTimespan},
                     {"r", Type::kReal}});
    tables.Add("U", {{"a", Type::kString}, {"b", Type::kString}, {"c", Type::kBool}});
    return tables;
  }();
  return catalog;
}

std::string ShowSchema(const Schema& schema) {
  std::string text;
  for (const ColumnSchema& column : schema) {
    text += (text.empty() ? "" : " ") + column.name + ":" + std::string(TypeName(column.type));
  }
  return text;
}

}  // namespace picket::kql

#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/kql/column.h"
#include "agent/kql/engine.h"
#include "tests/kql/manner_tables.h"

namespace picket::kql {

// A table T of one row: text columns a, b, c with what an input holds.
inline MannerTables TextTable(const std::vector<std::string>& texts) {
  ResultTable table;
  Batch batch;
  batch.rows = 1;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    table.schema.push_back({std::string(1, static_cast<char>('a' + i)), Type::kString});
    ColumnBuilder builder(Type::kString, 1);
    builder.Text(texts[i]);
    batch.columns.push_back(builder.Finish());
  }
  table.batches.push_back(std::move(batch));
  std::map<std::string, ResultTable> tables;
  tables["T"] = std::move(table);
  return MannerTables(std::move(tables));
}

// Any text as a literal of a query.
inline std::string AsLiteral(const std::string& text) {
  std::string literal = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') literal += '\\';
    if (c == '\n') {
      literal += "\\n";
    } else if (c == '\0') {
      literal += "\\0";
    } else {
      literal += c;
    }
  }
  return literal + "'";
}

}  // namespace picket::kql

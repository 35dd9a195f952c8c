#include "agent/cli/query_result.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace picket::cli {
namespace {

// A name that none of the columns has.
std::string TenantColumn(const kql::Schema& schema) {
  std::string name = "$tenant";
  for (int i = 1; std::any_of(schema.begin(), schema.end(),
                              [&](const kql::ColumnSchema& column) { return column.name == name; });
       ++i) {
    name = fmt::format("$tenant{}", i);
  }
  return name;
}

TextTable TableOf(const std::string& tenant, const kql::ResultTable& result) {
  TextTable table;
  if (!tenant.empty()) table.columns.push_back(TenantColumn(result.schema));
  for (const kql::ColumnSchema& column : result.schema) table.columns.push_back(column.name);
  for (const kql::Batch& batch : result.batches) {
    for (std::size_t row = 0; row < batch.rows; ++row) {
      std::vector<std::string>& cells = table.rows.emplace_back();
      if (!tenant.empty()) cells.push_back(tenant);
      for (const kql::ColumnPtr& column : batch.columns) {
        cells.push_back(kql::DisplayText(*column, row));
      }
    }
  }
  return table;
}

}  // namespace

Status ResultPrinter::Print(const std::string& tenant, const kql::ResultTable& result) {
  switch (format_) {
    case Format::kJson: {
      std::string text = kql::ToJson(result) + "\n";
      if (!tenant.empty()) text.insert(1, "\"tenant\":" + nlohmann::json(tenant).dump() + ",");
      WriteAll(text, stdout);
      return {};
    }
    case Format::kCsv:
      return PrintAsCsv(TableOf(tenant, result));
    case Format::kTable:
    case Format::kPrometheus:
      PrintTable(TableOf(tenant, result), stdout);
      Say((tenant.empty() ? "" : tenant + ": ") +
          Counted(static_cast<std::int64_t>(result.Rows()), "row"));
      return {};
  }
  return {};
}

Status ResultPrinter::PrintAsCsv(TextTable table) {
  if (header_ && *header_ != table.columns) {
    return Fail({.kind = ErrorKind::kRefused,
                 .message = "the rows have other columns than those above, so that they do not fit "
                            "under one CSV header; they were not printed",
                 .hint = "Use --format json, or project the columns that you want."});
  }
  if (header_) {
    PrintCsvRows(table, stdout);
    return {};
  }
  PrintCsv(table, stdout);
  header_ = std::move(table.columns);
  return {};
}

}  // namespace picket::cli

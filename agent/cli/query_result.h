#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/cli/output.h"
#include "agent/kql/engine.h"
#include "base/result.h"

namespace picket::cli {

// Prints a query's results on stdout: one, or those of several tenants in turn, each named.
//
// Of several tenants, JSON is one object a line with "tenant" before its columns; tables and CSV
// have a first column with the name. It is called `$tenant` or, when the result itself has such a
// column, `$tenant1` and so on.
class ResultPrinter {
 public:
  explicit ResultPrinter(Format format) : format_(format) {}

  // `tenant`: "" when there is none to name. Errors: kRefused, in CSV, when another tenant's rows
  // have had other columns (bag_unpack and pivot make them of the data); nothing is printed then.
  [[nodiscard]] Status Print(const std::string& tenant, const kql::ResultTable& result);

 private:
  [[nodiscard]] Status PrintAsCsv(TextTable table);

  const Format format_;
  std::optional<std::vector<std::string>> header_;  // of the CSV, once it is printed
};

}  // namespace picket::cli

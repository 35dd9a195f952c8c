#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/engine.h"
#include "base/result.h"

namespace picket::cli {

// `query --batch`: cases from a file of JSON lines, each answered by one JSON line on stdout.
//
//   in   {"name", "query"}, the name optional
//   out  {"name", "columns", "rows"}, or {"name", "line", "error": {"code", "message", …}}
//
// A line that is no case (PK210) is answered like one that failed; only blank lines are not. Where
// the cases run over tenants, "tenant" stands behind the name.
class QueryBatch {
 public:
  // Errors: those of reading the file.
  static Result<QueryBatch> Read(const std::string& path);

  // Runs every case; stops between two, or within one, when run.stop says so. `tenant`: "" when
  // there is none to name.
  void Run(const std::string& tenant, const kql::Catalog& catalog, kql::TableSource& source,
           const kql::RunOptions& run);

  // Of all runs so far.
  [[nodiscard]] std::int64_t done() const { return done_; }
  [[nodiscard]] std::int64_t failed() const { return failed_; }

 private:
  struct Case {
    std::int64_t line = 0;  // of the file, 1-based
    std::string name, query;
    std::string problem;  // why the line is no case; "" of a case
  };
  static Case Parse(std::int64_t line, std::string_view text);
  std::string Answer(const Case& one, const std::string& tenant, const kql::Catalog& catalog,
                     kql::TableSource& source, const kql::RunOptions& run);

  std::vector<Case> cases_;
  std::int64_t done_ = 0, failed_ = 0;
};

}  // namespace picket::cli

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace picket::kql {

// Where in the query, in bytes.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// What is wrong with a query. `code` is Kusto's where we have the same error (KS142 …), "PK…" else.
struct Diagnostic {
  std::string code;
  std::string message;
  Span span;
  int line = 0;    // 1-based
  int column = 0;  // 1-based, in code points
  std::string hint;
};
using Diagnostics = std::vector<Diagnostic>;

// Fills line and column from the span.
void Locate(Diagnostic& diagnostic, std::string_view query);
// "KS142: line 3, column 9: …"
std::string ToString(const Diagnostic& diagnostic);

}  // namespace picket::kql

#include "agent/kql/diagnostic.h"

#include <fmt/format.h>

namespace picket::kql {

void Locate(Diagnostic& diagnostic, std::string_view query) {
  diagnostic.line = 1;
  diagnostic.column = 1;
  for (std::size_t i = 0; i < diagnostic.span.begin && i < query.size(); ++i) {
    if (query[i] == '\n') {
      ++diagnostic.line;
      diagnostic.column = 1;
    } else if ((static_cast<unsigned char>(query[i]) & 0xC0U) != 0x80U) {
      ++diagnostic.column;
    }
  }
}

std::string ToString(const Diagnostic& diagnostic) {
  return fmt::format("{}: line {}, column {}: {}", diagnostic.code, diagnostic.line,
                     diagnostic.column, diagnostic.message);
}

}  // namespace picket::kql

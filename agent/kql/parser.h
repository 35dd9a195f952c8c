#pragma once

#include <optional>
#include <string_view>

#include "agent/kql/ast.h"
#include "agent/kql/diagnostic.h"

namespace picket::kql {

struct ParseResult {
  QueryAst query;
  std::optional<Diagnostic> error;  // the first
};

// The whole language that rules use, also what the binder refuses. Nesting is capped, so no query
// can exhaust the stack.
ParseResult Parse(std::string_view query);

}  // namespace picket::kql

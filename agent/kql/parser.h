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

// Recursive descent; nesting is capped, so no query can exhaust the stack.
ParseResult Parse(std::string_view query);

}  // namespace picket::kql

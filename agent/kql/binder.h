#pragma once

#include <optional>
#include <string_view>

#include "agent/kql/ast.h"
#include "agent/kql/diagnostic.h"
#include "agent/kql/plan.h"
#include "agent/kql/table_source.h"

namespace picket::kql {

struct BindResult {
  PlanPtr plan;  // nullptr when refused
  std::optional<Diagnostic> error;
};

// Resolves names, types and Kusto's automatic column names; lets are expanded where they are used.
BindResult Bind(const QueryAst& query, std::string_view text, const Catalog& catalog);

}  // namespace picket::kql

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
// `known` are the columns of what the first plugins gave (bag_unpack, pivot), in the order in which
// the binder comes to them. At the next one it stops: the plan is then that plugin's, kPlugin.
BindResult Bind(const QueryAst& query, std::string_view text, const Catalog& catalog,
                const std::vector<Schema>& known = {});

}  // namespace picket::kql

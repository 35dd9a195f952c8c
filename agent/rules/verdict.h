#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/kql/engine.h"
#include "agent/rules/rule.h"

namespace picket::rules {

// Whether a rule runs, and why not.
struct Verdict {
  std::string verdict;                      // "runs" | "refused"
  std::vector<std::string> tables;          // that it reads
  std::vector<std::string> missing;         // what this tenant does not give
  kql::Diagnostics errors;                  // lines counted in the rule's file
  std::shared_ptr<const kql::Query> query;  // nullptr when refused
};

// Compiles the rule. In this version a rule must work row by row over one table; others are
// refused with PK110.
Verdict Check(const Rule& rule, const kql::Catalog& catalog);

}  // namespace picket::rules

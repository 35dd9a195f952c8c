#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/engine.h"
#include "agent/rules/rule.h"

namespace picket::rules {

// How a rule is evaluated.
enum class Way : std::uint8_t {
  kByRow,   // each new row at the tick of its own time
  kByTick,  // the rows of the period before each tick
};
std::string_view WayName(Way way);  // "by row", "by tick"

// Whether a rule runs, and why not.
struct Verdict {
  // "runs"; "refused"; "blocked": a good rule that a file of externaldata is not there for.
  std::string verdict;
  std::vector<std::string> tables;          // that it reads
  std::vector<std::string> missing;         // of them, those that never have rows here
  kql::Diagnostics errors;                  // lines and columns of the rule's file
  kql::Diagnostics lacks;                   // of a blocked rule: the files; places as in errors
  std::shared_ptr<const kql::Query> query;  // nullptr when it does not run
  Way way = Way::kByTick;

  // Why it does not run; nullptr when it does.
  [[nodiscard]] const kql::Diagnostic* WhyNot() const;
};

// Compiles the rule. Refused beyond what KQL refuses: PK110 it reads no table; PK111 an entity is
// mapped to a column that is not there; PK112 a tick's period does not reach back to the tick
// before, so that rows would be in no window.
//
// Row by row is the same as by tick, and faster, when each row of the result comes from one row of
// a table, the clock decides only when a row is too old, and any single row of the result triggers.
Verdict Check(const Rule& rule, const kql::Catalog& catalog);

}  // namespace picket::rules

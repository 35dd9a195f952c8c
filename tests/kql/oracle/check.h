#pragma once

#include <optional>
#include <string>

#include "agent/kql/engine.h"
#include "tests/kql/oracle/generator.h"

namespace picket::kql::oracle {

// The tables, for the engine's catalog.
ResultTable ForEngine(const Table& table);
// How the engine's answer differs from the oracle's: both in words, or nothing. Rows are compared
// in their order when that is known, real numbers by nine digits.
std::optional<std::string> Difference(const Table& expected, const ResultTable& got);
std::string ToString(const Table& table);

}  // namespace picket::kql::oracle

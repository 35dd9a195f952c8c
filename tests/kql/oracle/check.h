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

// Runs the case's query in the engine, in a way that the dice choose. Nothing when both agree; else
// the query, its tables and both answers, or the engine's error.
std::optional<std::string> Disagreement(const Case& made, Dice& dice);

}  // namespace picket::kql::oracle

#pragma once

#include <chrono>

#include "agent/cli/output.h"
#include "agent/kql/engine.h"

namespace picket::cli {

// How a query ran: its operators as a tree with their rows and times, what was pushed down to the
// scans, and what the run took in all. To stdout.
void PrintExplanation(const kql::RunStats& stats, std::chrono::nanoseconds took, Format format);

}  // namespace picket::cli

#pragma once

#include <chrono>
#include <string>

#include "agent/cli/output.h"
#include "agent/kql/engine.h"

namespace picket::cli {

// How a query ran: its operators as a tree with their rows and times, what was pushed down to the
// scans, and what the run took in all.
struct Explanation {
  std::string tenant;  // "": there is none to name
  kql::RunStats stats;
  std::chrono::nanoseconds took{0};
};

// To stdout. `first`: no other tenant's stands above it. Of several tenants, JSON is one object a
// line.
void PrintExplanation(const Explanation& explanation, bool first, Format format);

}  // namespace picket::cli

#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "agent/cli/output.h"
#include "agent/run/settings.h"
#include "base/result.h"
#include "storage/agent_store.h"

namespace picket::cli {

// How an output does, over all tenants.
struct OutputStatus {
  std::string name;
  std::string type, where;  // "" of one that the config has no more
  std::string state;        // ok | waiting | failing | gone
  storage::OutboxDepth depth;
  std::optional<Instant> oldest;  // of what waits
  storage::OutputState delivery;
};

// In the order of the config, then those that still have entries. Tenants that cannot be read are
// left out: `status` names them.
Result<std::vector<OutputStatus>> ReadOutputStatus(const run::Settings& settings);
nlohmann::json ToJson(const OutputStatus& output);
TextTable OutputTable(const std::vector<OutputStatus>& outputs, Instant now);
// For node_exporter's textfile collector.
std::string OutputMetrics(const std::vector<OutputStatus>& outputs);

}  // namespace picket::cli

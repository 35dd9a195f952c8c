#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/graph/client.h"
#include "agent/poll/journal.h"
#include "agent/poll/poller.h"
#include "storage/agent_store.h"
#include "storage/tenant_store.h"
#include "tests/poll/fake_graph.h"
#include "tests/scratch_directory.h"

namespace picket::poll {

// One tenant over one fake Graph.
struct Bench {
  Bench(PlayClock& play_clock, const std::filesystem::path& dir, const std::string& name,
        unsigned seed, std::vector<std::string> streams);
  // As a restarted process would: everything in memory is forgotten.
  void Restart();
  TenantRound Round(const RoundOptions& options = {});
  [[nodiscard]] std::set<std::string> Stored(const std::string& stream);
  [[nodiscard]] std::string JsonOf(const std::string& stream, const std::string& id);
  [[nodiscard]] std::set<std::string> Emitted(const std::string& stream);
  [[nodiscard]] StreamStatus StatusOf(const std::string& stream);

  PlayClock& clock;
  const std::filesystem::path directory;
  Settings settings;
  TenantSettings tenant;
  std::int64_t max_bytes = 0;
  FakeGraph graph;
  FixedToken tokens;
  std::unique_ptr<storage::AgentStore> agent_store;
  std::unique_ptr<StoredJournal> journal;
  std::unique_ptr<graph::Budgets> budgets;
  std::unique_ptr<storage::TenantStore> store;
  std::unique_ptr<graph::Client> client;
  std::unique_ptr<TenantPoller> poller;
};

}  // namespace picket::poll

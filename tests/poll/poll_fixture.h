#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

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

namespace picket::poll {

// A directory of its own, gone with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    // In memory where that is to be had: a month of rounds is many thousand commits.
    namespace fs = std::filesystem;
    const fs::path memory = "/dev/shm";
    const fs::path parent = fs::is_directory(memory) ? memory : fs::temp_directory_path();
    std::string pattern = (parent / "picket-poll-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

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

#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/run/round.h"
#include "tests/scratch_directory.h"
#include "tests/simulator/simulator.h"

namespace picket::run {

inline constexpr const char* kStream = "signIns.interactive";
inline constexpr const char* kApp = "11111111-2222-4333-8444-555555555555";
inline constexpr const char* kOtherApp = "11111111-2222-4333-8444-666666666666";

// Two tenants of which one stream is polled, over real HTTP and TLS against the simulator. The app
// "other" has a secret that has expired.
class AgentTest : public testing::Test {
 protected:
  explicit AgentTest(const simulator::SimulatorOptions& options = {}) : simulator_(options) {}
  void SetUp() override;

  // Spread over most of the last hours before `now`, and long visible.
  void Emit(const Guid& tenant, int count, Instant now, int hours = 1);
  // What cannot be opened as a tenant's file.
  void Break(const Guid& tenant);
  void Mend(const Guid& tenant);

  std::set<std::string> Stored(const Guid& tenant);
  void ExpectAllStored(const Guid& tenant);

  simulator::Simulator simulator_;
  const ScratchDirectory scratch_;
  const std::filesystem::path folder_ = scratch_.path();
  Settings settings_;
  const Guid a_ = Uuid5(kPicketNamespace, "tenant a"), b_ = Uuid5(kPicketNamespace, "tenant b");

 private:
  void AddApp(const std::string& name, const char* client_id);
};

}  // namespace picket::run

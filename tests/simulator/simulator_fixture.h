#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/simulator/generator.h"
#include "tests/simulator/simulator.h"

namespace picket::simulator {

// The simulator with one tenant and one application, seen by a plain HTTP client; its clock stands
// until a test moves it.
class SimulatorTest : public testing::Test {
 protected:
  static constexpr const char* kApp = "11111111-2222-4333-8444-555555555555";

  void Begin(SimulatorOptions options = {});

  // A token of this tenant and application; "" when it is refused.
  std::string Token(const Guid& tenant, const std::string& app = kApp,
                    const std::string& claims = "");
  // By the tenant's token, or another.
  httplib::Result Get(const std::string& path) { return Get(path, token_); }
  httplib::Result Get(const std::string& path, const std::string& token);
  // The ids that a list gives for a filter (not encoded), in their order.
  std::vector<std::string> Ids(const std::string& list, const std::string& filter);
  // The status of the list for a filter.
  int StatusOf(const std::string& list, const std::string& filter);

  // Interactive sign-ins an hour ago, a second apart.
  void Emit(int count);
  // One sign-in with this id and these members.
  void Emit(const std::string& id, Instant created, const std::string& patch = "{}",
            const char* event_type = "interactiveUser");

  // The path and query of the next page; "" for none.
  std::string NextOf(const httplib::Result& page);
  static void Collect(const httplib::Result& page, std::multiset<std::string>& ids);
  static nlohmann::json Body(const httplib::Result& answer);

  void Pass(Timespan span) { now_ += span.ticks; }
  [[nodiscard]] Instant Now() const { return Instant{now_.load()}; }

  std::atomic<std::int64_t> now_ = ParseRfc3339("2026-03-01T12:00:00Z")->ticks;
  const Guid tenant_ = *ParseGuid("aaaaaaaa-0000-4000-8000-000000000001");
  std::unique_ptr<Simulator> simulator_;
  std::unique_ptr<httplib::Client> client_;
  std::string token_;
};

}  // namespace picket::simulator

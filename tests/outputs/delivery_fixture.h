#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/outputs/lane.h"
#include "storage/tenant_store.h"
#include "tests/scratch_directory.h"

namespace picket::outputs {

// Time is what the test says; whoever sleeps moves it.
class TestClock final : public Clock {
 public:
  [[nodiscard]] Instant Now() const override;
  [[nodiscard]] Ticks Steady() const override;
  bool SleepUntil(Ticks until, std::stop_token stop) override;
  void Pass(Timespan span);
  void Reset();  // to the start

 private:
  mutable std::mutex mutex_;
  Timespan passed_;
};

// A receiver as the test wants it.
struct Receiver {
  std::function<Attempt(const Message&)> answer = [](const Message&) { return Attempt{}; };
  bool people = false;
  std::vector<Message> got;                                  // what it acknowledged
  std::vector<Message> tried;                                // all
  [[nodiscard]] std::vector<std::string> Incidents() const;  // ids, of what it acknowledged
  [[nodiscard]] std::vector<std::string> Types() const;
};

Attempt Away();     // it does not answer
Attempt Refuses();  // 400
Attempt Closed();   // 410
Attempt Busy(std::chrono::milliseconds after);

// Two tenants and the agent's own file, with outboxes and no more.
class DeliveryTest : public testing::Test {
 protected:
  DeliveryTest();
  // All connections anew, as after a crash.
  void Reopen();
  void Close();

  // An entry as publishing makes it. Returns its id.
  std::string Put(const std::string& incident, int priority, const std::string& output = "soc",
                  std::size_t tenant = 0, const std::string& kind = "incident", int state = 1);
  std::unique_ptr<Lane> MakeLane(const std::string& output = "soc", Timespan give_up = kDay * 7);
  // Until nothing is left to do before the time.
  void RunFor(Lane& lane, Timespan span);
  // What is due now.
  void Drain(Lane& lane) { RunFor(lane, {}); }
  storage::Outbox& OutboxOf(std::size_t tenant = 0) { return stores_[tenant]->outbox(); }
  std::int64_t Pending(std::size_t tenant = 0) { return OutboxOf(tenant).Depth().value().pending; }

  const ScratchDirectory folder_{ScratchDirectory::Where::kMemory};
  const std::vector<Guid> tenants_ = {Uuid5(kPicketNamespace, "delivery a"),
                                      Uuid5(kPicketNamespace, "delivery b")};
  TestClock clock_;
  std::map<std::string, Receiver> receivers_;  // by output
  std::vector<OutputNote> notes_;
  std::vector<std::string> operators_ = {"soc", "other"};
  std::vector<std::unique_ptr<storage::TenantStore>> stores_;
  std::unique_ptr<storage::AgentStore> agent_;
  std::unique_ptr<AgentAlerts> alerts_;
};

}  // namespace picket::outputs

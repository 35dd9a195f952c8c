#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <queue>
#include <stop_token>
#include <vector>

#include "agent/poll/poller.h"
#include "agent/poll/tenant_work.h"

namespace picket::poll {

// Runs the lanes of all tenants on a pool of threads. A lane that waits (a budget, a Retry-After, a
// backoff) is in a queue and holds no thread; one that talks to Graph holds one, at most
// `max_in_flight` in all. Lanes whose last request was not answered share half of the threads, so
// that tenants that hang leave the other half to the rest.
class Scheduler {
 public:
  Scheduler(const std::vector<TenantPoller*>& tenants, const Settings& settings,
            const RoundOptions& options, Clock& clock, const TenantDone& done);

  // Until every tenant's round is over, or (not once) until stop.
  std::vector<TenantRound> Run(std::stop_token stop);

 private:
  struct Task {
    Clock::Ticks ready;
    std::uint64_t order = 0;  // first come, first served
    std::size_t tenant = 0;
    int lane = 0;  // kBegin: begin a round
    bool operator<(const Task& other) const {
      return ready != other.ready ? ready > other.ready : order > other.order;
    }
  };
  static constexpr int kBegin = -1;
  struct TenantState {
    TenantPoller* poller = nullptr;
    int open_lanes = 0;
    bool slow[2] = {false, false};  // its last request took long
  };

  void Work(const std::stop_token& stop);
  void RunTask(const Task& task, const std::stop_token& stop);
  void Begin(std::size_t tenant);
  void RunLane(const Task& task, const std::stop_token& stop);
  void LaneDone(std::size_t tenant);
  void EndTenant(std::size_t tenant);
  // With the lock held.
  void Push(std::size_t tenant, int lane, Clock::Ticks ready);
  [[nodiscard]] bool Finished() const { return open_tenants_ == 0; }
  [[nodiscard]] bool MayRun(const Task& task) const;
  // The first task that is ready and may run; else when to look again.
  [[nodiscard]] bool Pop(Task& task, Clock::Ticks& look_again, bool& nothing_timed);

  const Settings& settings_;
  const RoundOptions options_;
  Clock& clock_;
  const TenantDone& done_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<Task> tasks_;
  std::vector<TenantState> tenants_;
  std::vector<TenantRound> rounds_;
  std::uint64_t order_ = 0;
  std::size_t open_tenants_ = 0;
  int slow_running_ = 0;
  bool sleeping_ = false;  // one thread sleeps for the earliest task
  std::stop_source wake_;  // and is woken by this
};

}  // namespace picket::poll

#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>
#include <vector>

#include "agent/outputs/lane.h"
#include "base/clock.h"

namespace picket::outputs {

// One thread an output: a receiver that hangs delays no other, and no tenant's reading.
// Thread-safe.
class Deliverer {
 public:
  // The clock must outlive it.
  Deliverer(std::vector<std::unique_ptr<Lane>> lanes, Clock& clock);
  Deliverer(const Deliverer&) = delete;
  Deliverer& operator=(const Deliverer&) = delete;
  ~Deliverer();  // stops

  void Start();
  // Something new may be in this source of all lanes.
  void Touch(std::size_t source);
  // Sends what is due, leaves what must wait longer than a moment, and ends the threads. At once on
  // stop.
  void Finish(std::stop_token stop);

  // Acknowledged since the start.
  [[nodiscard]] std::int64_t delivered() const;
  // The outputs whose last try failed.
  [[nodiscard]] std::vector<std::string> Failing() const;

 private:
  struct Worker {
    std::unique_ptr<Lane> lane;
    std::set<std::size_t> touched;
    std::stop_source wake;  // ends its sleep
    std::int64_t delivered = 0;
    bool failing = false;
    std::jthread thread;
  };
  void Run(Worker& worker, const std::stop_token& stop);
  // Whether to go on; with the lock held, which is given up meanwhile.
  [[nodiscard]] bool Wait(Worker& worker, const Lane::Step& step,
                          std::unique_lock<std::mutex>& lock, const std::stop_token& stop);

  Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  bool finishing_ = false;
  Clock::Ticks finish_by_{};
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace picket::outputs

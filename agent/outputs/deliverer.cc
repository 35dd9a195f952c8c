#include "agent/outputs/deliverer.h"

#include <algorithm>
#include <utility>

namespace picket::outputs {
namespace {

using Next = Lane::Step::Next;

// `once` leaves the rest to the next one.
constexpr std::chrono::minutes kFinishWithin{4};
constexpr Timespan kMoment = kSecond * 2;
constexpr Timespan kLongestSleep = kHour;

}  // namespace

Deliverer::Deliverer(std::vector<std::unique_ptr<Lane>> lanes, Clock& clock) : clock_(clock) {
  for (std::unique_ptr<Lane>& lane : lanes) {
    workers_.push_back(std::make_unique<Worker>());
    workers_.back()->lane = std::move(lane);
  }
}

Deliverer::~Deliverer() {
  for (const auto& worker : workers_) worker->thread.request_stop();
  for (const auto& worker : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
  }
}

void Deliverer::Start() {
  for (const auto& worker : workers_) {
    worker->thread =
        std::jthread([this, one = worker.get()](const std::stop_token& stop) { Run(*one, stop); });
  }
}

void Deliverer::Touch(std::size_t source) {
  const std::lock_guard lock(mutex_);
  for (const auto& worker : workers_) {
    worker->touched.insert(source);
    worker->wake.request_stop();
  }
  changed_.notify_all();
}

void Deliverer::Finish(std::stop_token stop) {
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
    finish_by_ = clock_.Steady() + kFinishWithin;
    for (const auto& worker : workers_) worker->wake.request_stop();
    changed_.notify_all();
  }
  const std::stop_callback on_stop(stop, [this] {
    for (const auto& worker : workers_) worker->thread.request_stop();
  });
  for (const auto& worker : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
  }
}

std::int64_t Deliverer::delivered() const {
  const std::lock_guard lock(mutex_);
  std::int64_t delivered = 0;
  for (const auto& worker : workers_) delivered += worker->delivered;
  return delivered;
}

std::vector<std::string> Deliverer::Failing() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& worker : workers_) {
    if (worker->failing) names.push_back(worker->lane->name());
  }
  return names;
}

void Deliverer::Run(Worker& worker, const std::stop_token& stop) {
  // Before the lock, so that it goes after it.
  const std::stop_callback on_stop(stop, [this, &worker] {
    const std::lock_guard lock(mutex_);
    worker.wake.request_stop();
    changed_.notify_all();
  });
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    for (const std::size_t source : std::exchange(worker.touched, {})) worker.lane->Touch(source);
    worker.wake = std::stop_source();
    lock.unlock();
    const Lane::Step step = worker.lane->Advance(stop);
    lock.lock();
    worker.delivered = worker.lane->delivered();
    worker.failing = worker.lane->failing();
    if (step.next == Next::kStopped) return;
    if (finishing_ && clock_.Steady() >= finish_by_) return;
    if (step.next == Next::kAgain || !worker.touched.empty()) continue;
    if (!Wait(worker, step, lock, stop)) return;
  }
}

bool Deliverer::Wait(Worker& worker, const Lane::Step& step, std::unique_lock<std::mutex>& lock,
                     const std::stop_token& stop) {
  if (step.next == Next::kIdle) {
    if (finishing_) return false;
    changed_.wait(lock, stop, [&] { return finishing_ || !worker.touched.empty(); });
    return true;
  }
  const Timespan span = step.next == Next::kPace
                            ? Timespan{step.wait.count() * 10'000}
                            : std::clamp(step.until - clock_.Now(), kMillisecond, kLongestSleep);
  if (finishing_ && span > kMoment) return false;
  if (stop.stop_requested()) return false;  // a stop from here on wakes
  const std::stop_token woken = worker.wake.get_token();
  lock.unlock();
  clock_.SleepFor(ToMillis(span + kMillisecond), woken);
  lock.lock();
  return true;
}

}  // namespace picket::outputs

#include "agent/poll/scheduler.h"

#include <algorithm>
#include <thread>

namespace picket::poll {
namespace {

constexpr std::chrono::seconds kSlow{30};

}  // namespace

Scheduler::Scheduler(const std::vector<TenantPoller*>& tenants, const Settings& settings,
                     const RoundOptions& options, Clock& clock, const TenantDone& done)
    : settings_(settings),
      options_(options),
      clock_(clock),
      done_(done),
      tenants_(tenants.size()),
      rounds_(tenants.size()),
      open_tenants_(tenants.size()) {
  for (std::size_t i = 0; i < tenants.size(); ++i) tenants_[i].poller = tenants[i];
}

std::vector<TenantRound> Scheduler::Run(std::stop_token stop) {
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < tenants_.size(); ++i) Push(i, kBegin, clock_.Steady());
  }
  // A thread that sleeps through the clock, and all that wait, end with the stop.
  const std::stop_callback on_stop(stop, [this] {
    const std::lock_guard lock(mutex_);
    wake_.request_stop();
    changed_.notify_all();
  });
  const std::size_t most = std::min<std::size_t>(
      tenants_.size() * 2, static_cast<std::size_t>(std::max(1, settings_.max_in_flight)));
  std::vector<std::jthread> pool;
  pool.reserve(most);
  for (std::size_t i = 0; i < most; ++i) pool.emplace_back([this, stop] { Work(stop); });
  pool.clear();  // joins
  // Stopped: what was committed still counts.
  for (std::size_t i = 0; i < tenants_.size(); ++i) {
    if (tenants_[i].open_lanes > 0) rounds_[i] = tenants_[i].poller->work_->EndRound();
  }
  return std::move(rounds_);
}

void Scheduler::Push(std::size_t tenant, int lane, Clock::Ticks ready) {
  tasks_.push_back({.ready = ready, .order = order_++, .tenant = tenant, .lane = lane});
  wake_.request_stop();
  changed_.notify_all();
}

bool Scheduler::MayRun(const Task& task) const {
  if (task.lane == kBegin || !tenants_[task.tenant].slow[task.lane]) return true;
  return slow_running_ < std::max(1, settings_.max_in_flight / 2);
}

bool Scheduler::Pop(Task& task, Clock::Ticks& look_again, bool& nothing_timed) {
  const Clock::Ticks now = clock_.Steady();
  nothing_timed = true;
  auto best = tasks_.end();
  for (auto it = tasks_.begin(); it != tasks_.end(); ++it) {
    if (it->ready > now) {
      if (nothing_timed || it->ready < look_again) look_again = it->ready;
      nothing_timed = false;
    } else if (MayRun(*it) && (best == tasks_.end() || *best < *it)) {
      best = it;
    }
  }
  if (best == tasks_.end()) return false;
  task = *best;
  tasks_.erase(best);
  return true;
}

void Scheduler::Work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested() && !Finished()) {
    Task task;
    Clock::Ticks look_again{};
    bool nothing_timed = true;
    if (Pop(task, look_again, nothing_timed)) {
      lock.unlock();
      RunTask(task, stop);
      lock.lock();
      continue;
    }
    if (sleeping_ || nothing_timed) {
      changed_.wait(lock);
      continue;
    }
    sleeping_ = true;
    wake_ = std::stop_source();
    const std::stop_token woken = wake_.get_token();
    if (stop.stop_requested()) break;
    lock.unlock();
    clock_.SleepUntil(look_again, woken);
    lock.lock();
    sleeping_ = false;
    changed_.notify_all();
  }
  changed_.notify_all();
}

void Scheduler::RunTask(const Task& task, const std::stop_token& stop) {
  if (task.lane == kBegin) {
    Begin(task.tenant);
  } else {
    RunLane(task, stop);
  }
}

void Scheduler::Begin(std::size_t tenant) {
  tenants_[tenant].poller->work_->BeginRound(options_);
  const std::lock_guard lock(mutex_);
  tenants_[tenant].open_lanes = 2;
  Push(tenant, 0, clock_.Steady());
  Push(tenant, 1, clock_.Steady());
}

void Scheduler::RunLane(const Task& task, const std::stop_token& stop) {
  TenantState& state = tenants_[task.tenant];
  {
    const std::lock_guard lock(mutex_);
    if (state.slow[task.lane]) ++slow_running_;
  }
  TenantWork& work = *state.poller->work_;
  const Clock::Ticks began = clock_.Steady();
  const Step step = work.Run(work.lanes()[static_cast<std::size_t>(task.lane)], stop);
  const Clock::Ticks now = clock_.Steady();
  {
    const std::lock_guard lock(mutex_);
    if (state.slow[task.lane]) --slow_running_;
    state.slow[task.lane] = now - began >= kSlow;
    if (step.next != Step::Next::kDone) {
      Push(task.tenant, task.lane,
           step.next == Step::Next::kWait ? now + ToMillis(step.wait + kMillisecond) : now);
      return;
    }
    // Interrupted, not done: Run takes stock of it.
    if (stop.stop_requested()) return;
    if (--state.open_lanes > 0) return;
  }
  LaneDone(task.tenant);
}

void Scheduler::LaneDone(std::size_t tenant) {
  // Detections that the other lane has stored may name sign-ins to fetch again.
  if (tenants_[tenant].poller->work_->WantsAnotherTurn()) {
    const std::lock_guard lock(mutex_);
    tenants_[tenant].open_lanes = 1;
    Push(tenant, 0, clock_.Steady());
    return;
  }
  EndTenant(tenant);
}

void Scheduler::EndTenant(std::size_t tenant) {
  TenantPoller& poller = *tenants_[tenant].poller;
  TenantRound round = poller.work_->EndRound();
  if (done_) done_(poller, round);
  const std::lock_guard lock(mutex_);
  rounds_[tenant] = std::move(round);
  if (options_.once) {
    --open_tenants_;
    changed_.notify_all();
    return;
  }
  const bool at_once = rounds_[tenant].backfill_left && rounds_[tenant].errors.empty();
  const Timespan due = at_once ? Timespan{} : poller.NextDue() - clock_.Now();
  const Timespan wait = std::clamp(due, kSecond, std::max(kSecond, settings_.poll_interval));
  Push(tenant, kBegin, clock_.Steady() + ToMillis(wait));
}

}  // namespace picket::poll

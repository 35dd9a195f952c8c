#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/http.h"

namespace picket::auth {

inline constexpr std::int64_t kStartMillis = 1795600000000;  // 2026-11-25

// Time that passes when a test says so; wall and monotonic apart. Thread-safe.
class HandClock final : public Clock {
 public:
  [[nodiscard]] Instant Now() const override { return Instant{wall_.load()}; }
  [[nodiscard]] Ticks Steady() const override {
    return Ticks{} + std::chrono::nanoseconds(steady_.load() * 100);
  }
  bool SleepUntil(Ticks /*until*/, std::stop_token stop) override { return !stop.stop_requested(); }
  void Pass(Timespan span) {
    wall_ += span.ticks;
    steady_ += span.ticks;
  }
  void StepWall(Timespan span) { wall_ += span.ticks; }

 private:
  std::atomic<std::int64_t> wall_{Instant::FromUnixMillis(kStartMillis).ticks};
  std::atomic<std::int64_t> steady_{kDay.ticks};
};

// Answers each request by a function, and keeps what it was asked. Thread-safe.
class ScriptedEndpoint final : public HttpTransport {
 public:
  using Answer = std::function<Result<HttpResponse>(const HttpRequest&, std::stop_token)>;

  explicit ScriptedEndpoint(Answer answer) : answer_(std::move(answer)) {}
  Result<HttpResponse> Send(const HttpRequest& request, std::stop_token stop) override {
    Answer answer;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      answer = answer_;
    }
    return answer(request, std::move(stop));
  }
  void Now(Answer answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  [[nodiscard]] std::vector<HttpRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  [[nodiscard]] std::size_t count() const { return requests().size(); }

 private:
  mutable std::mutex mutex_;
  Answer answer_;
  std::vector<HttpRequest> requests_;
};

inline ScriptedEndpoint::Answer Always(int status, std::string body, HttpHeaders headers = {}) {
  return [=](const HttpRequest&, std::stop_token) {
    return HttpResponse{.status = status, .headers = headers, .body = body};
  };
}

}  // namespace picket::auth

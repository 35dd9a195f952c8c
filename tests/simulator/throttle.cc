#include "tests/simulator/throttle.h"

#include <fmt/format.h>

#include <algorithm>

namespace picket::simulator {
namespace {

constexpr std::size_t kPerTenant = 5;
constexpr std::size_t kPerApp = 122;
constexpr Timespan kWindow = kSecond * 10;
constexpr Timespan kProtectionWindow = kSecond;

std::string InnerError(const Call& call) {
  const std::string client_id = call.Header("client-request-id");
  return fmt::format(R"("date":"{}","request-id":"{}","client-request-id":"{}")",
                     FormatRfc3339(call.now).substr(0, 19), call.request_id,
                     client_id.size() == 36 ? client_id : call.request_id);
}

}  // namespace

std::optional<Timespan> Throttle::CountIn(const std::string& key, std::size_t limit, Timespan span,
                                          Instant now) {
  std::deque<Instant>& times = windows_[key];
  // A clock that was put back forgets what is ahead of it.
  while (!times.empty() && times.back() > now) times.pop_back();
  while (!times.empty() && times.front() + span <= now) times.pop_front();
  times.push_back(now);
  if (times.size() <= limit) return std::nullopt;
  return times[times.size() - limit] + span - now;
}

std::optional<Timespan> Throttle::Count(bool protection, std::string_view app,
                                        std::string_view tenant, Instant now) {
  const std::lock_guard lock(mutex_);
  if (protection) return CountIn(fmt::format("p {}", tenant), 1, kProtectionWindow, now);
  const auto in_tenant = CountIn(fmt::format("t {} {}", app, tenant), kPerTenant, kWindow, now);
  const auto in_all = CountIn(fmt::format("a {}", app), kPerApp, kWindow, now);
  return std::max(in_tenant, in_all);
}

Reply ThrottledReply(const Call& call, bool protection, Timespan wait, std::uint64_t variety) {
  const std::string inner = InnerError(call);
  std::string body;
  switch (variety % 3) {
    case 0:
      body = fmt::format(
          R"({{"error":{{"code":"UnknownError","message":"Too Many Requests","innerError":{{{}}}}}}})",
          inner);
      break;
    case 1:
      body = fmt::format(
          R"({{"error":{{"code":"UnknownError","message":"This request is throttled. Please try )"
          R"(again after the value (in seconds) specified in the Retry-After header. )"
          R"(CorrelationId: {}","innerError":{{{}}}}}}})",
          call.request_id, inner);
      break;
    default:
      body = fmt::format(R"({{"error":{{"code":"TooManyRequests","innerError":{{"code":"429",{},)"
                         R"("message":"Please retry after","status":"429"}},)"
                         R"("message":"Please retry again later."}}}})",
                         inner);
  }
  Reply reply = JsonReply(429, std::move(body), "application/json");
  reply.throttled = true;
  if (protection) return reply;
  const auto ms = std::max<std::int64_t>(wait.ticks / 10'000, 1);
  reply.SetHeader("Retry-After", variety % 4 == 3
                                     ? fmt::format("{}.{:03}", (ms + 1) / 1000, (ms + 1) % 1000)
                                     : fmt::format("{}", (ms + 999) / 1000));
  return reply;
}

}  // namespace picket::simulator

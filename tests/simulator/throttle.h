#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "tests/simulator/reply.h"

namespace picket::simulator {

// Graph's published limits, as sliding windows: sign-in and audit logs 5 requests in 10 s for an
// app in a tenant and 122 for an app in all; identity protection 1 in a second for all apps of a
// tenant. Refused requests count too. Thread-safe.
class Throttle {
 public:
  // Counts the request; the time until it would be taken when it is over a limit.
  [[nodiscard]] std::optional<Timespan> Count(bool protection, std::string_view app,
                                              std::string_view tenant, Instant now);

 private:
  [[nodiscard]] std::optional<Timespan> CountIn(const std::string& key, std::size_t limit,
                                                Timespan span, Instant now);

  std::mutex mutex_;
  std::map<std::string, std::deque<Instant>> windows_;
};

// The 429 in one of the shapes in which it is seen, by `variety`. Identity protection sends no
// Retry-After; others send whole seconds mostly, fractions sometimes.
Reply ThrottledReply(const Call& call, bool protection, Timespan wait, std::uint64_t variety);

}  // namespace picket::simulator

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "storage/sqlite/database.h"

namespace picket::storage {

// What must survive a restart of a stream's polling, so that `once` from a scheduler behaves as
// `run` does. Times of zero ticks mean "never" or "not set".
struct StreamState {
  std::string state = "waiting";  // waiting | ok | behind | throttled | off | failing | stuck
  std::string reason;             // for people: why it is not ok
  Instant not_before;             // Retry-After, breaker, slow re-probe
  Instant next_due;
  std::int64_t failures = 0;   // in a row
  Timespan interval;           // stretched for quiet streams
  Timespan width;              // of a slice, as it adapted
  std::int64_t page_size = 0;  // $top, as it adapted
  std::string probe;           // what was found out of the service, "name=value;…"
  Instant last_success;
  std::string last_error;
  std::string error_kind;  // of last_error: ErrorKindName, or "" when an older Picket wrote it
};

class StreamStates {
 public:
  explicit StreamStates(Database& database) : database_(database) {}
  [[nodiscard]] Result<StreamState> Get(std::string_view stream);
  // One statement: its own transaction when none is open.
  [[nodiscard]] Status Put(std::string_view stream, const StreamState& state);

 private:
  Database& database_;
};

}  // namespace picket::storage

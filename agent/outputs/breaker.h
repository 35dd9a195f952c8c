#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/outputs/output.h"
#include "base/time.h"
#include "storage/agent_store.h"

namespace picket::outputs {

// When an output is left alone, and which entry is to blame for a failure. A receiver that is away
// fails every entry: three different ones that fail in a row open the breaker, for 30 s, then twice
// as long, 15 min at most; then two entries are tried. One that fails while others go through is
// poison: it gets a strike each time. Values only: the caller keeps the state and the time.
class Breaker {
 public:
  explicit Breaker(storage::OutputState state) : state_(std::move(state)) {}

  [[nodiscard]] const storage::OutputState& state() const { return state_; }
  [[nodiscard]] bool Open(Instant now) const { return now < state_.not_before; }
  // The last try failed, and it was not the entry's own fault.
  [[nodiscard]] bool Failing() const { return state_.failing_since.has_value(); }
  // After the time passed another entry than the most urgent one must have its turn.
  [[nodiscard]] bool WantsAnother() const { return state_.openings > 0 && second_; }

  // Returns the entries that failed right before: each gets a strike. Those of a time in which all
  // failed do not.
  [[nodiscard]] std::vector<std::string> Succeeded(Instant now);
  // Returns for how long the entry itself waits: long only if it is to blame, so that the most
  // urgent one goes first when the receiver comes back.
  [[nodiscard]] Timespan Failed(const std::string& key, const storage::OutboxEntry& entry,
                                const Attempt& attempt, Instant now);
  // The entry was refused for good: the receiver is there.
  void Refused(const Error& error, Instant now);

 private:
  void Note(const Error& error, Instant now);
  void OpenFor(Timespan span, Instant now);

  storage::OutputState state_;
  bool second_ = false;
};

}  // namespace picket::outputs

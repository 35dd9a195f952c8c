#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/outputs/agent_alerts.h"
#include "agent/outputs/breaker.h"
#include "agent/outputs/output.h"
#include "base/clock.h"
#include "base/result.h"
#include "storage/agent_store.h"
#include "storage/outbox_file.h"

namespace picket::outputs {

// A file with an outbox: a tenant's, or the agent's own.
struct Source {
  std::string tenant;  // its name; "" for the agent's
  std::function<Result<std::unique_ptr<storage::OutboxFile>>()> open;
};

struct LaneSettings {
  std::string output;  // its name
  Timespan give_up_after = kDay * 7;
};

// How an output does, told when it changes: an error, or none when it is well again.
struct OutputNote {
  std::string output;
  std::optional<Error> error;
};

// What of one output waits in all sources, sent one by one: most urgent first, among equals the
// tenant that was served longest ago. An entry that is acknowledged becomes a delivery; one that
// fails waits, one that is refused for good, or is poison, or too old is dead, which the operator's
// other outputs tell. Entries whose acknowledgement a crash swallows are sent again with the same
// id. Knows no threads and does not wait: whoever calls Advance does. One thread at a time.
class Lane {
 public:
  // References must outlive it; `alerts` and `on_note` may be shared.
  Lane(LaneSettings settings, std::unique_ptr<Output> output, std::vector<Source> sources,
       storage::AgentStore& agent, AgentAlerts& alerts, Clock& clock,
       std::function<void(const OutputNote&)> on_note);

  // Reads how the output did. All sources are looked at first.
  [[nodiscard]] Status Open();
  // Something new may be in the source.
  void Touch(std::size_t source);

  struct Step {
    enum class Next : std::uint8_t {
      kAgain,  // there may be more
      kPace,   // the receiver wants its time between two: until `wait`
      kWait,   // nothing before `until`
      kIdle,   // nothing waits
      kStopped,
    };
    Next next = Next::kIdle;
    Instant until{};
    std::chrono::milliseconds wait{};
  };
  // Tries one entry, or does something else that is due.
  [[nodiscard]] Step Advance(const std::stop_token& stop);

  // Acknowledged since the start.
  [[nodiscard]] std::int64_t delivered() const { return delivered_; }
  [[nodiscard]] bool failing() const { return breaker_.Failing(); }
  [[nodiscard]] const std::string& name() const { return settings_.output; }

 private:
  // What is known of a source.
  struct Head {
    bool stale = true;
    std::optional<storage::OutboxEntry> due;  // the most urgent one
    std::optional<Instant> next;              // without one: when to look again
    std::int64_t served = 0;                  // when it had its last turn
  };
  // An acknowledgement that could not be written yet.
  struct Unwritten {
    std::size_t source;
    std::string id, receipt;
    Instant when;
  };

  [[nodiscard]] Result<storage::Outbox*> OutboxOf(std::size_t source);
  void Refresh(std::size_t source, Instant now);
  [[nodiscard]] bool WriteDown();
  [[nodiscard]] std::optional<std::size_t> Choose(Instant now);
  void ChooseLeastTried(Instant now, std::optional<std::size_t>& chosen);
  [[nodiscard]] Step Later(Instant now) const;
  [[nodiscard]] Step Try(std::size_t source, const std::stop_token& stop);
  [[nodiscard]] Result<bool> Digest(std::size_t source, Instant now);
  [[nodiscard]] Result<Message> MessageOf(std::size_t source, const storage::OutboxEntry& entry);
  [[nodiscard]] Status Settle(std::size_t source, const storage::OutboxEntry& entry,
                              const Attempt& attempt);
  [[nodiscard]] Status Delivered(std::size_t source, const storage::OutboxEntry& entry,
                                 const Attempt& attempt);
  [[nodiscard]] Status Failed(std::size_t source, const storage::OutboxEntry& entry,
                              const Attempt& attempt);
  [[nodiscard]] Status StrikeAll(const std::vector<std::string>& failed, const std::string& last);
  // The alert first: a crash between the two finds the entry pending, and the alert told.
  [[nodiscard]] Status Bury(std::size_t source, const storage::OutboxEntry& entry,
                            const Error& why);
  [[nodiscard]] Status TellDown(const Error& error);
  [[nodiscard]] Status Save();

  const LaneSettings settings_;
  const std::unique_ptr<Output> output_;
  const std::vector<Source> sources_;
  storage::AgentStore& agent_;
  AgentAlerts& alerts_;
  Clock& clock_;
  const std::function<void(const OutputNote&)> on_note_;
  Breaker breaker_{{}};
  std::vector<Head> heads_;
  std::vector<Unwritten> unwritten_;
  std::optional<std::size_t> open_source_;
  std::unique_ptr<storage::OutboxFile> file_;  // of open_source_
  std::optional<Clock::Ticks> last_sent_;
  std::int64_t turn_ = 0, delivered_ = 0;
  bool noted_ = false;  // the last note was an error
};

}  // namespace picket::outputs

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace picket::outputs {

// What a message is about, by the name that receivers see.
inline constexpr const char* kOpened = "incident.opened";
inline constexpr const char* kUpdated = "incident.updated";
inline constexpr const char* kClosed = "incident.closed";
inline constexpr const char* kAgentAlert = "agent.alert";
inline constexpr const char* kTest = "incident.test";
inline constexpr const char* kDigest = "digest";

// One thing to tell one receiver. Its texts come from events: an output escapes them for its place.
struct Message {
  std::string id;      // a UUID, the same at every try
  std::string type;    // one of the names above
  std::string tenant;  // its name in the config; "" for what concerns the agent itself
  int priority = 5;
  Instant created;
  std::string body;     // JSON: the incident as `incidents show`, or what else it is
  std::string receipt;  // what the receiver said to the last message about the same incident
};

enum class Fate : std::uint8_t {
  kDelivered,      // the receiver has it
  kRetry,          // not now: the receiver is away, slow or busy
  kRefused,        // it will never take this message; others it may
  kNotConfigured,  // it takes nothing until the operator acts
};

// What became of one try.
struct Attempt {
  Fate fate = Fate::kDelivered;
  std::string receipt;  // of a delivered one
  Error error;          // of another one; kCancelled: stopped, nothing is known
  // When the receiver says how long to wait.
  std::optional<std::chrono::milliseconds> after;
};

// A way out of the agent. Knows nothing of queues and tries: it sends one message and says what
// became of it. One thread at a time.
class Output {
 public:
  virtual ~Output() = default;
  [[nodiscard]] virtual Attempt Send(const Message& message, std::stop_token stop) = 0;
  // What a crash between sending and noting the acknowledgement does, for people.
  [[nodiscard]] virtual std::string Repetition() const = 0;
  // Where it goes, for people; never with a secret in it.
  [[nodiscard]] virtual std::string Where() const = 0;
  // People read it: what waited long becomes one digest. Machines get every message.
  [[nodiscard]] virtual bool ForPeople() const = 0;
  // The least time between two messages that the receiver bears.
  [[nodiscard]] virtual std::chrono::milliseconds Pace() const {
    return std::chrono::milliseconds(0);
  }
  // What can be checked without sending: the secrets, their form.
  [[nodiscard]] virtual Status Check() const { return {}; }
};

}  // namespace picket::outputs

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "storage/sqlite/database.h"

namespace picket::storage {

// A state of an incident on its way to one output.
struct OutboxEntry {
  std::string id;        // derived from output, incident and state: the same at every try
  std::string output;    // its name in the config
  std::string incident;  // or what else it is about; the unit of superseding
  std::string kind;      // "incident.opened", "incident.updated", …
  int priority = 0;      // 1 is the most urgent
  std::string body;      // JSON
  Instant created;
  std::string state = "pending";  // pending | superseded | dead
  Instant not_before;             // zero: at once
  std::int64_t attempts = 0;
  std::string error;  // of the last attempt
};

// What a receiver acknowledged.
struct Delivery {
  std::string id, output, incident, kind;
  Instant created, delivered;
  std::int64_t attempts = 0;
  std::string receipt;  // the receiver's own id, an etag, …
};

struct OutboxDepth {
  std::int64_t pending = 0, dead = 0;
};

// What is to be sent and what was. Put belongs into the transaction of the alerts that it tells of;
// what became of a try is a transaction of its own, after the try. One thread at a time.
class Outbox {
 public:
  explicit Outbox(Database& database) : database_(database) {}

  // Pending, in place of what is pending for the same output and incident. The same id again, or
  // one that was delivered, changes nothing.
  [[nodiscard]] Status Put(const OutboxEntry& entry);

  // Pending entries that may be tried now: most urgent first, then oldest.
  [[nodiscard]] Result<std::vector<OutboxEntry>> Due(std::string_view output, Instant now,
                                                     std::int64_t limit);
  // Oldest first. State: "" for all.
  [[nodiscard]] Result<std::vector<OutboxEntry>> Entries(std::string_view state,
                                                         std::int64_t limit);
  // The receiver has it. The entry becomes a delivery, also when it was superseded meanwhile.
  [[nodiscard]] Status Acknowledged(std::string_view id, std::string_view receipt, Instant now);
  // The try failed; another is for later.
  [[nodiscard]] Status Postponed(std::string_view id, std::string_view error, Instant not_before);
  // Refused for good, or too old. It stays listed.
  [[nodiscard]] Status Dead(std::string_view id, std::string_view error);

  // The newest one.
  [[nodiscard]] Result<std::optional<Delivery>> LastDelivery(std::string_view output,
                                                             std::string_view incident);
  [[nodiscard]] Result<OutboxDepth> Depth();
  // Forgets superseded entries and deliveries from before the time; an incident's last delivery is
  // kept, for the next one must know what the receiver has.
  [[nodiscard]] Status Expire(Instant oldest);

 private:
  Database& database_;
};

}  // namespace picket::storage

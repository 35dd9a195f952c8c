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
  std::string kind;      // "incident", "agent.alert", "incident.test", "digest"
  int priority = 0;      // 1 is the most urgent
  std::string body;      // JSON
  Instant created;
  std::string state = "pending";  // pending | superseded | folded | dead
  Instant not_before;             // zero: at once
  std::int64_t attempts = 0;
  std::string error;         // of the last attempt
  std::int64_t strikes = 0;  // tries that failed while another entry went through
  std::string digest;        // the entry that tells of this one too; "" for none
};

// What a receiver acknowledged.
struct Delivery {
  std::string id, output, incident, kind;
  Instant created, delivered;
  std::int64_t attempts = 0;
  std::string receipt;  // the receiver's own id, an etag, …
};

struct OutboxDepth {
  std::int64_t pending = 0, dead = 0;  // what is folded into a digest is pending
};

// What waits for one output.
struct OutputQueue {
  std::string output;
  OutboxDepth depth;
  std::optional<Instant> oldest;  // of the pending ones
  std::optional<Instant> next;    // when the next may be tried
};

enum class DueOrder : std::uint8_t { kMostUrgent, kFewestTries };

// What is to be sent and what was. Put belongs into the transaction of the alerts that it tells of;
// what became of a try is a transaction of its own, after the try. One thread at a time.
class Outbox {
 public:
  explicit Outbox(Database& database) : database_(database) {}

  // Pending, in place of what is pending for the same output and incident; what waited for an
  // earlier time than this one does so still. The same id again, or one that was delivered, changes
  // nothing.
  [[nodiscard]] Status Put(const OutboxEntry& entry);

  // Pending entries that may be tried now: most urgent first, then oldest; or those with the fewest
  // tries first.
  [[nodiscard]] Result<std::vector<OutboxEntry>> Due(std::string_view output, Instant now,
                                                     std::int64_t limit,
                                                     DueOrder order = DueOrder::kMostUrgent);
  // Oldest first. State: "" for all.
  [[nodiscard]] Result<std::vector<OutboxEntry>> Entries(std::string_view state,
                                                         std::int64_t limit);
  // The receiver has it. The entry becomes a delivery, also when it was superseded meanwhile; with
  // a digest, what is folded into it.
  [[nodiscard]] Status Acknowledged(std::string_view id, std::string_view receipt, Instant now);
  // The try failed; another is for later.
  [[nodiscard]] Status Postponed(std::string_view id, std::string_view error, Instant not_before);
  // It failed, and another went through right after. Returns its strikes so far.
  [[nodiscard]] Result<std::int64_t> Strike(std::string_view id);
  // Refused for good, or too old. It stays listed; what was folded into it goes alone.
  [[nodiscard]] Status Dead(std::string_view id, std::string_view error);

  // Pending ones of at least this number of priority that were made before the time and no digest
  // tells of: most urgent first.
  [[nodiscard]] Result<std::vector<OutboxEntry>> Waiting(std::string_view output, Instant before,
                                                         int priority, std::int64_t limit);
  // Puts a digest that tells of the entries. Folded ones are not sent themselves.
  enum class Folding : std::uint8_t { kFold, kAnnounce };
  [[nodiscard]] Status PutDigest(const OutboxEntry& digest, const std::vector<std::string>& ids,
                                 Folding folding);

  // The newest one.
  [[nodiscard]] Result<std::optional<Delivery>> LastDelivery(std::string_view output,
                                                             std::string_view incident);
  // Whether the output was or will be told of it.
  [[nodiscard]] Result<bool> Knows(std::string_view output, std::string_view incident);
  [[nodiscard]] Result<OutboxDepth> Depth();
  // Of every output that has entries, by name. `next` is no earlier than `now`.
  [[nodiscard]] Result<std::vector<OutputQueue>> Queues(Instant now);
  [[nodiscard]] Result<OutputQueue> Queue(std::string_view output, Instant now);
  // Forgets superseded entries and deliveries from before the time; an incident's last delivery is
  // kept, for the next one must know what the receiver has.
  [[nodiscard]] Status Expire(Instant oldest);

 private:
  Database& database_;
};

}  // namespace picket::storage

#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "storage/outbox.h"
#include "storage/sqlite/database.h"

namespace picket::storage {

// A request that counts against a budget.
struct RequestEntry {
  std::string app, family, tenant;
  Instant time;
};

// How an output does, kept so that `once` goes on where the last one ended.
struct OutputState {
  Instant not_before;                // nothing is sent until then; zero: at once
  std::int64_t openings = 0;         // how often in a row its breaker opened
  std::vector<std::string> failing;  // entries that failed since the last success
  std::optional<Instant> failing_since;
  std::string error_kind, error, hint;  // of the last failure; "" after a success
  std::optional<Instant> last_success;
};

// What belongs to no tenant: DATA_DIR/agent.db. Thread-safe.
class AgentStore {
 public:
  static Result<std::unique_ptr<AgentStore>> Open(const std::filesystem::path& data_dir);
  // For `status`: nothing is created or migrated. kNotFound when there is none.
  static Result<std::unique_ptr<AgentStore>> OpenToRead(const std::filesystem::path& data_dir);

  [[nodiscard]] Status NoteRequest(const RequestEntry& entry);
  // Newer than the time, oldest first; forgets what is older.
  [[nodiscard]] Result<std::vector<RequestEntry>> RequestsSince(Instant time);

  [[nodiscard]] Result<std::optional<Instant>> HeldUntil(std::string_view name);
  [[nodiscard]] Status Hold(std::string_view name, Instant until, std::string_view reason);

  // One that never failed or succeeded is as new.
  [[nodiscard]] Result<OutputState> Output(std::string_view name);
  [[nodiscard]] Status PutOutput(std::string_view name, const OutputState& state);
  // What waits for the outputs of what the agent itself has to tell.
  [[nodiscard]] Result<std::vector<OutputQueue>> Queues(Instant now);

 private:
  explicit AgentStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}
  std::mutex mutex_;
  const std::unique_ptr<Database> database_;
};

}  // namespace picket::storage

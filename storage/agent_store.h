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
#include "storage/sqlite/database.h"

namespace picket::storage {

// A request that counts against a budget.
struct RequestEntry {
  std::string app, family, tenant;
  Instant time;
};

// What belongs to no tenant: DATA_DIR/agent.db. Thread-safe.
class AgentStore {
 public:
  static Result<std::unique_ptr<AgentStore>> Open(const std::filesystem::path& data_dir);

  [[nodiscard]] Status NoteRequest(const RequestEntry& entry);
  // Newer than the time, oldest first; forgets what is older.
  [[nodiscard]] Result<std::vector<RequestEntry>> RequestsSince(Instant time);

  [[nodiscard]] Result<std::optional<Instant>> HeldUntil(std::string_view name);
  [[nodiscard]] Status Hold(std::string_view name, Instant until, std::string_view reason);

 private:
  explicit AgentStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}
  std::mutex mutex_;
  const std::unique_ptr<Database> database_;
};

}  // namespace picket::storage

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "storage/sqlite/database.h"

namespace picket::storage {

// What a person decided, and who it was.
struct Decision {
  std::int64_t id = 0;  // given by Append
  Instant time;
  std::string who;      // the OS user, or whom a receiver named
  std::string subject;  // what it is about: the id of an incident, an alert, an exception
  std::string kind;     // "note", "close", "reopen", …
  std::string text;     // as it was typed
};

// Append-only: the file itself refuses to change or delete one. One thread at a time.
class Decisions {
 public:
  explicit Decisions(Database& database) : database_(database) {}

  [[nodiscard]] Result<std::int64_t> Append(const Decision& decision);
  // Oldest first.
  [[nodiscard]] Result<std::vector<Decision>> Of(std::string_view subject);

 private:
  Database& database_;
};

}  // namespace picket::storage

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "storage/sqlite/database.h"

namespace picket::storage {

// The state of an incident that the outputs were told of last.
struct Publication {
  std::int64_t revision = 0;
  std::string digest;   // of all that was told
  std::string outline;  // of it what is told at once
};

// What was said of which incident, and from when on there is something to say: a tenant's history
// is no news. Writes happen in the caller's transaction. One thread at a time.
class Publications {
 public:
  explicit Publications(Database& database) : database_(database) {}

  [[nodiscard]] Result<std::optional<Publication>> Of(std::string_view incident);
  [[nodiscard]] Status Put(std::string_view incident, const Publication& publication);

  // The time of events from which on incidents are told; nullopt before it was set.
  [[nodiscard]] Result<std::optional<Instant>> TellFrom();
  [[nodiscard]] Status SetTellFrom(Instant time);

 private:
  Database& database_;
};

}  // namespace picket::storage

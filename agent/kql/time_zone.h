#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace picket::kql {

// The offsets of a time zone from UTC, as the system's time zone database has them (TZif, RFC
// 8536). Immutable; any thread.
class TimeZone {
 public:
  // By its name in the database: "Europe/Paris". nullptr: there is no such zone, or no database.
  static std::shared_ptr<const TimeZone> Find(std::string_view name);
  // The same of a file's content. nullptr: it is none.
  static std::shared_ptr<const TimeZone> Parse(std::string_view content);

  // nullopt: the file says nothing of so late a time, or the result is no time.
  [[nodiscard]] std::optional<Instant> ToLocal(Instant utc) const;
  // A local time that is skipped or comes twice when the clocks change has the offset that they
  // change to.
  [[nodiscard]] std::optional<Instant> ToUtc(Instant local) const;

 private:
  struct Change {
    std::int64_t at = 0;  // seconds since 1970
    std::int32_t offset = 0;
  };
  std::vector<Change> changes_;  // the first is from the beginning of time
  bool goes_on_ = true;          // false: the last one does not hold for ever
};

}  // namespace picket::kql

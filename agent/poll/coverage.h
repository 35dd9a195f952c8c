#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "storage/tenant_store.h"

namespace picket::poll {

// What was read of a stream, for those who must know whether they have all rows of a span.
struct StreamCoverage {
  bool off = false;               // a licence or permission is missing: nothing will come
  std::optional<Instant> begins;  // nothing from before it is read, or kept; none: not read yet
  std::vector<storage::Interval> covered;

  // The first part of [from, until] that is not read though it will be. nullopt: all is there.
  [[nodiscard]] std::optional<storage::Interval> Missing(Instant from, Instant until) const;
};

// From the ledger and the stream's state, as it is now. A stream that Graph does not have (one that
// only imports fill) is off.
Result<StreamCoverage> ReadCoverage(storage::TenantStore& store, const std::string& stream,
                                    Instant now, Timespan retention);

}  // namespace picket::poll

#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/poll/coverage.h"
#include "agent/rules/rule.h"
#include "base/result.h"
#include "base/time.h"
#include "storage/tenant_store.h"

namespace picket::rules {

// What of a tenant's streams was read, as a rule's ticks need to know it. A value: as it was when
// it was read.
class Completeness {
 public:
  // `streams`: those that are polled of the tenant. A table of another is not waited for.
  static Result<Completeness> Read(storage::TenantStore& store,
                                   const std::vector<std::string>& streams, Instant now,
                                   Timespan retention);

  // Why the tick's window does not have all its rows yet, for people; "" when it does. The part of
  // the window that backfill still reads counts too: a rule that compares with the last 14 days
  // must not take them for empty.
  [[nodiscard]] std::string WhyNot(const Rule& rule, const std::vector<std::string>& tables,
                                   Instant tick) const;
  // Whether any of the tables is polled: then the clock alone does not make a tick due.
  [[nodiscard]] bool AnyPolled(const std::vector<std::string>& tables) const;

 private:
  [[nodiscard]] const poll::StreamCoverage* Polled(const std::string& table) const;
  std::map<std::string, poll::StreamCoverage, std::less<>> by_stream_;
};

}  // namespace picket::rules

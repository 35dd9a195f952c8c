#pragma once

#include <cstdint>
#include <vector>

#include "agent/kql/engine.h"
#include "agent/rules/rule.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "storage/tenant_store.h"

namespace picket::rules {

// Which ticks, and what came since they were evaluated.
struct TouchSpan {
  Instant started, newest;                    // ticks in (started, newest]
  std::int64_t after_seq = 0, until_seq = 0;  // rows that came or changed in (after_seq, until_seq]
};

// The ticks whose answer the rows may have changed, in order: those whose window holds the row, as
// it is or as it was before, if the conditions that the rule's scans push down take it there. Never
// too few.
Result<std::vector<Instant>> TouchedTicks(const Rule& rule, const kql::Query& query,
                                          storage::TenantStore& store, const Guid& tenant,
                                          const TouchSpan& span);

}  // namespace picket::rules

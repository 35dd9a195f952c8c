#include "agent/poll/coverage.h"

#include <algorithm>

#include "agent/graph/collection.h"
#include "agent/poll/stream.h"

namespace picket::poll {

std::optional<storage::Interval> StreamCoverage::Missing(Instant from, Instant until) const {
  if (!begins) return storage::Interval{from, until};
  from = std::max(from, *begins);
  if (until < from) return std::nullopt;
  // Spans that were read end before their `to`.
  std::vector<storage::Interval> gaps = storage::Gaps({from, until + kTick}, covered);
  if (gaps.empty()) return std::nullopt;
  return storage::Interval{gaps.front().from, gaps.front().to - kTick};
}

Result<StreamCoverage> ReadCoverage(storage::TenantStore& store, const std::string& stream,
                                    Instant now, Timespan retention) {
  StreamCoverage coverage;
  const graph::Collection* collection = graph::FindCollection(stream);
  if (collection == nullptr) {
    coverage.off = true;
    return coverage;
  }
  PK_ASSIGN_OR_RETURN(const storage::StreamState state, store.streams().Get(stream));
  coverage.off = state.state == "off";
  const Probe probe = ParseProbe(state.probe);
  if (probe.horizon.ticks != 0) {
    // Backfill may end above its horizon: what Graph keeps moves on while it runs.
    coverage.begins = std::max(probe.horizon, now - std::min(collection->keeps, retention));
  }
  PK_ASSIGN_OR_RETURN(coverage.covered, store.ledger().Covered(stream));
  return coverage;
}

}  // namespace picket::poll

#pragma once

#include <string>
#include <vector>

#include "storage/outbox.h"

namespace picket::outputs {

// What waited longer than this for an output that was away is news no more, but a list.
inline constexpr Timespan kDigestAfter = kHour * 2;
// Fewer go one by one.
inline constexpr std::size_t kFewestInDigest = 5;
inline constexpr std::int64_t kMostInDigest = 500;
// For people; more urgent ones always go alone.
inline constexpr int kFoldedFrom = 3;

// One entry that tells of the others, which wait for the same output: derived of them, so that it
// is the same when it is made again. Announced ones follow it; folded ones do not.
storage::OutboxEntry MakeDigest(const std::vector<storage::OutboxEntry>& entries,
                                storage::Outbox::Folding folding, const std::string& tenant,
                                Instant now);

}  // namespace picket::outputs

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "storage/ledger.h"

namespace picket::poll {

using storage::Interval;

// The pure part of polling: which span to ask for next, given what was read. All functions here
// depend on their arguments only.

enum class Kind : std::uint8_t { kLive, kGap, kBackfill, kReconcile };
std::string_view KindName(Kind kind);  // as the ledger has it

struct Slice {
  Kind kind = Kind::kLive;
  Interval ask;          // what is asked for
  Instant counted_from;  // before it, a new event is late: this part counted as read
};

struct Coverage {
  Instant anchor;   // where the live edge began, at first contact
  Instant horizon;  // backfill goes down to here; not above anchor
  Instant floor;    // Graph keeps nothing older
  Instant kept;     // neither does the tenant's file: what was read before is not known any more
  Instant edge;     // up to here may be asked for now
  std::vector<Interval> covered;
};

// Never asked for: windows that would hold no whole millisecond.
inline constexpr Timespan kLeastWidth = kMinute;

// The live edge first, then gaps, newest first. nullopt: all is read.
std::optional<Slice> NextLive(const Coverage& coverage, Timespan width, Timespan overlap);
// The newest part before first contact that was not read.
std::optional<Slice> NextBackfill(const Coverage& coverage, Timespan width);
// What was never read and is gone: between anchor and floor, as far as the ledger remembers.
std::vector<Interval> LostParts(const Coverage& coverage);

// The next width after a window of this many pages: few pages widen it, many narrow it.
Timespan AdaptWidth(Timespan width, std::int64_t pages, Timespan widest);

// How many of the re-readings lie behind for a window that ended at `to`.
int StagesPassed(Instant to, Instant now, const std::vector<Timespan>& after);

struct Reconciliation {
  Interval ask;
  std::vector<storage::Window> windows;
};
// Read windows whose next re-reading is due, neighbours taken together up to `width`. They are let
// gather for a quarter of their delay, so that many small windows cost one request. Oldest first.
std::optional<Reconciliation> NextReconciliation(std::vector<storage::Window> windows, Instant now,
                                                 const std::vector<Timespan>& after,
                                                 Timespan width);

// The interval until the next poll: a stream that was quiet for long is asked less often.
Timespan NextInterval(Timespan poll_interval, Timespan longest, Timespan quiet_for);

// Waits double from `first` up to `longest`.
Timespan Backoff(std::int64_t failures, Timespan first, Timespan longest);

}  // namespace picket::poll

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "storage/record.h"
#include "storage/sqlite/database.h"

namespace picket::storage {

// A span of time that was asked of a stream: [from, to).
struct Window {
  std::int64_t id = 0;
  std::string stream;
  std::string kind;  // live | backfill | gap | reconcile | import | contact
  Instant from, to;
  std::string state;  // open | read | lost | stuck | abandoned
  int stage = 0;      // of reconciliation: how many of its steps are done
  std::int64_t pages = 0;
  PageCounts counts;
  Instant opened;
  std::optional<Instant> finished;
  std::string note;
};

// The note of a window that was read in a form which tells less than another (see NoteFallback).
inline constexpr std::string_view kReadByFallback = "read by the fallback";

struct Interval {
  Instant from, to;
  bool operator==(const Interval&) const = default;
};

// Sorted, disjoint, touching ones joined.
std::vector<Interval> Merged(std::vector<Interval> intervals);
// What of `whole` no interval covers, oldest first.
std::vector<Interval> Gaps(Interval whole, const std::vector<Interval>& covered);

// Computed from the ledger each time, never stored.
struct StreamProgress {
  std::optional<Instant> read_to;        // end of the unbroken run of read windows
  std::optional<Instant> complete_to;    // read_to less the measured lateness
  std::optional<Instant> reconciled_to;  // up to here every reconciliation is done
  // Rows, as far back as the ledger reaches.
  std::int64_t late = 0;
  std::int64_t rejected = 0;  // could not be kept
  std::int64_t expired = 0;   // were older than retention when they came
  // What counts as read and was not: lost and stuck windows.
  std::int64_t lost = 0;
  std::int64_t stuck = 0;
};

// The only record of what was read. Writes happen in the caller's transaction; a page's NotePage
// in that of its rows. One thread at a time.
class Ledger {
 public:
  explicit Ledger(Database& database) : database_(database) {}

  [[nodiscard]] Result<std::int64_t> Open(std::string_view stream, std::string_view kind,
                                          Instant from, Instant to, Instant now);
  [[nodiscard]] Status NotePage(std::int64_t window, const PageCounts& counts);
  // read: the last page is stored.
  [[nodiscard]] Status Finish(std::int64_t window, std::string_view state, Instant now,
                              std::string_view note);
  // A read window was read again: its stage moves on.
  [[nodiscard]] Status SetStage(std::int64_t window, int stage);
  // The live edge begins here: read_to counts from it. Replaces what was noted before.
  [[nodiscard]] Status NoteContact(std::string_view stream, Instant at, Instant now);
  // Read windows with the note are to be read again from the first re-reading on, and lose the
  // note. Returns how many.
  [[nodiscard]] Result<std::int64_t> Reopen(std::string_view stream, std::string_view note);
  // Windows that a crash left open: their pages are kept, but they were not read to the end.
  [[nodiscard]] Status AbandonOpen();

  // Newest first, without the note of the contact. States: "" for all.
  [[nodiscard]] Result<std::vector<Window>> Windows(std::string_view stream,
                                                    std::string_view state);
  // Read windows whose stage is below `stages` and that ended before the time, oldest first.
  [[nodiscard]] Result<std::vector<Window>> ToReconcile(std::string_view stream, int stages);
  // What counts as read: read, lost and stuck windows (the last two are known holes, shown apart).
  [[nodiscard]] Result<std::vector<Interval>> Covered(std::string_view stream);
  [[nodiscard]] Result<StreamProgress> Progress(std::string_view stream, int stages);
  // 99.9 % of the rows came no later than this; at least 15 min.
  [[nodiscard]] Result<Timespan> Lateness(std::string_view stream);
  // Was a file of this hash imported whole?
  [[nodiscard]] Result<bool> Imported(std::string_view hash);
  // Forgets windows that ended before; not open ones, and not imports. What was lost or stuck goes
  // with the events that it could have held.
  [[nodiscard]] Status Expire(Instant oldest);
  // Joins read windows of one stream, kind, stage and form that touch and ended before the time, so
  // that the ledger stays small; nothing that it tells changes but the number of windows. The time
  // must lie before all that may still be re-read.
  [[nodiscard]] Status Join(Instant before);

 private:
  [[nodiscard]] Status Replace(const Window& joined, const std::vector<std::int64_t>& others);

  Database& database_;
};

}  // namespace picket::storage

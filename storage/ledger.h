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
  std::string kind;  // live | backfill | gap | reconcile | import
  Instant from, to;
  std::string state;  // open | read | lost | stuck | abandoned
  int stage = 0;      // of reconciliation: how many of its steps are done
  std::int64_t pages = 0;
  PageCounts counts;
  Instant opened;
  std::optional<Instant> finished;
  std::string note;
};

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
  std::int64_t late = 0;                 // rows
  std::int64_t lost = 0;                 // windows
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
  // Windows that a crash left open: their pages are kept, but they were not read to the end.
  [[nodiscard]] Status AbandonOpen();

  // Newest first. States: "" for all.
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
  // Forgets windows that ended before; not open ones, and not imports.
  [[nodiscard]] Status Expire(Instant oldest);
  // Joins read windows of one stream, kind and stage that touch and ended before the time, so that
  // the ledger stays small; nothing that it tells changes but the number of windows. The time must
  // lie before all that may still be re-read.
  [[nodiscard]] Status Join(Instant before);

 private:
  [[nodiscard]] Status Replace(const Window& joined, const std::vector<std::int64_t>& others);

  Database& database_;
};

}  // namespace picket::storage

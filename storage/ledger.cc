#include "storage/ledger.h"

#include <algorithm>
#include <cmath>

namespace picket::storage {
namespace {

Window ReadWindow(const Statement& row) {
  Window window;
  window.id = row.Int(0);
  window.stream = row.Text(1);
  window.kind = row.Text(2);
  window.from = Instant{row.Int(3)};
  window.to = Instant{row.Int(4)};
  window.state = row.Text(5);
  window.stage = static_cast<int>(row.Int(6));
  window.pages = row.Int(7);
  window.counts = {.read = row.Int(8),
                   .added = row.Int(9),
                   .changed = row.Int(10),
                   .same = row.Int(11),
                   .poorer = row.Int(12),
                   .rejected = row.Int(13),
                   .expired = row.Int(14),
                   .late = row.Int(15)};
  window.opened = Instant{row.Int(16)};
  if (!row.IsNull(17)) window.finished = Instant{row.Int(17)};
  window.note = row.Text(18);
  return window;
}

constexpr std::string_view kColumns =
    "SELECT id, stream, kind, from_time, to_time, state, stage, pages, read, added, changed, same, "
    "poorer, rejected, expired, late, opened, finished, note FROM ledger ";

Result<std::vector<Window>> ReadWindows(Statement& select) {
  std::vector<Window> windows;
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return windows;
    windows.push_back(ReadWindow(select));
  }
}

}  // namespace

std::vector<Interval> Merged(std::vector<Interval> intervals) {
  std::sort(intervals.begin(), intervals.end(),
            [](const Interval& a, const Interval& b) { return a.from < b.from; });
  std::vector<Interval> merged;
  for (const Interval& interval : intervals) {
    if (interval.to <= interval.from) continue;
    if (!merged.empty() && interval.from <= merged.back().to) {
      merged.back().to = std::max(merged.back().to, interval.to);
    } else {
      merged.push_back(interval);
    }
  }
  return merged;
}

std::vector<Interval> Gaps(Interval whole, const std::vector<Interval>& covered) {
  std::vector<Interval> gaps;
  Instant at = whole.from;
  for (const Interval& interval : Merged(covered)) {
    if (interval.to <= at) continue;
    if (interval.from >= whole.to) break;
    if (interval.from > at) gaps.push_back({at, interval.from});
    at = interval.to;
  }
  if (at < whole.to) gaps.push_back({at, whole.to});
  return gaps;
}

Result<std::int64_t> Ledger::Open(std::string_view stream, std::string_view kind, Instant from,
                                  Instant to, Instant now) {
  PK_ASSIGN_OR_RETURN(Statement insert,
                      database_.Prepare("INSERT INTO ledger(stream, kind, from_time, to_time, "
                                        "state, opened) VALUES(?,?,?,?,'open',?)"));
  insert.Bind(1, stream).Bind(2, kind).Bind(3, from.ticks).Bind(4, to.ticks).Bind(5, now.ticks);
  PK_RETURN_IF_ERROR(insert.Run());
  return database_.LastInsertId();
}

Status Ledger::NotePage(std::int64_t window, const PageCounts& counts) {
  PK_ASSIGN_OR_RETURN(
      Statement update,
      database_.Prepare("UPDATE ledger SET pages=pages+1, read=read+?, added=added+?, "
                        "changed=changed+?, same=same+?, poorer=poorer+?, rejected=rejected+?, "
                        "expired=expired+?, late=late+? WHERE id=?"));
  update.Bind(1, counts.read).Bind(2, counts.added).Bind(3, counts.changed).Bind(4, counts.same);
  update.Bind(5, counts.poorer).Bind(6, counts.rejected).Bind(7, counts.expired);
  PK_RETURN_IF_ERROR(update.Bind(8, counts.late).Bind(9, window).Run());
  if (database_.Changes() == 1) return {};
  return Fail({.kind = ErrorKind::kInternal, .message = "the ledger has no such window"});
}

Status Ledger::Finish(std::int64_t window, std::string_view state, Instant now,
                      std::string_view note) {
  PK_ASSIGN_OR_RETURN(
      Statement update,
      database_.Prepare("UPDATE ledger SET state=?, finished=?, note=? WHERE id=?"));
  return update.Bind(1, state).Bind(2, now.ticks).Bind(3, note).Bind(4, window).Run();
}

Status Ledger::SetStage(std::int64_t window, int stage) {
  PK_ASSIGN_OR_RETURN(Statement update, database_.Prepare("UPDATE ledger SET stage=? WHERE id=?"));
  return update.Bind(1, std::int64_t{stage}).Bind(2, window).Run();
}

Status Ledger::NoteContact(std::string_view stream, Instant at, Instant now) {
  {
    PK_ASSIGN_OR_RETURN(
        Statement remove,
        database_.Prepare("DELETE FROM ledger WHERE stream=? AND state='read' AND kind='contact'"));
    PK_RETURN_IF_ERROR(remove.Bind(1, stream).Run());
  }
  PK_ASSIGN_OR_RETURN(Statement insert,
                      database_.Prepare("INSERT INTO ledger(stream, kind, from_time, to_time, "
                                        "state, opened) VALUES(?1,'contact',?2,?2,'read',?3)"));
  return insert.Bind(1, stream).Bind(2, at.ticks).Bind(3, now.ticks).Run();
}

Result<std::int64_t> Ledger::Reopen(std::string_view stream, std::string_view note) {
  PK_ASSIGN_OR_RETURN(
      Statement update,
      database_.Prepare("UPDATE ledger SET stage=0, note='' WHERE stream=? AND state='read' AND "
                        "kind IN ('live','gap','backfill') AND note=?"));
  PK_RETURN_IF_ERROR(update.Bind(1, stream).Bind(2, note).Run());
  return database_.Changes();
}

Status Ledger::AbandonOpen() {
  PK_ASSIGN_OR_RETURN(Statement update,
                      database_.Prepare("UPDATE ledger SET state='abandoned' WHERE state='open'"));
  return update.Run();
}

Result<std::vector<Window>> Ledger::Windows(std::string_view stream, std::string_view state) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare(std::string(kColumns) +
                        "WHERE stream=?1 AND (?2='' OR state=?2) AND kind<>'contact' ORDER BY id "
                        "DESC"));
  select.Bind(1, stream).Bind(2, state);
  return ReadWindows(select);
}

Result<std::vector<Window>> Ledger::ToReconcile(std::string_view stream, int stages) {
  PK_ASSIGN_OR_RETURN(Statement select,
                      database_.Prepare(std::string(kColumns) +
                                        "WHERE stream=? AND state='read' AND stage<? AND kind IN "
                                        "('live','gap','backfill') ORDER BY to_time"));
  select.Bind(1, stream).Bind(2, std::int64_t{stages});
  return ReadWindows(select);
}

Result<std::vector<Interval>> Ledger::Covered(std::string_view stream) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare("SELECT from_time, to_time FROM ledger WHERE stream=? AND state IN "
                        "('read','lost','stuck') AND kind IN ('live','gap','backfill')"));
  select.Bind(1, stream);
  std::vector<Interval> intervals;
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return Merged(std::move(intervals));
    intervals.push_back({Instant{select.Int(0)}, Instant{select.Int(1)}});
  }
}

Result<StreamProgress> Ledger::Progress(std::string_view stream, int stages) {
  StreamProgress progress;
  {
    PK_ASSIGN_OR_RETURN(
        Statement select,
        database_.Prepare("SELECT coalesce(sum(late),0), coalesce(sum(state='lost'),0), "
                          "min(CASE WHEN kind IN ('live','contact') THEN from_time END), "
                          "min(CASE WHEN state='read' AND stage<?2 AND kind IN "
                          "('live','gap','backfill') THEN from_time END), "
                          "coalesce(sum(rejected),0), coalesce(sum(expired),0), "
                          "coalesce(sum(state='stuck'),0) FROM ledger WHERE stream=?1"));
    PK_ASSIGN_OR_RETURN(const bool row,
                        select.Bind(1, stream).Bind(2, std::int64_t{stages}).Step());
    if (!row) return progress;
    progress.late = select.Int(0);
    progress.lost = select.Int(1);
    progress.rejected = select.Int(4);
    progress.expired = select.Int(5);
    progress.stuck = select.Int(6);
    if (select.IsNull(2)) return progress;
    // The live edge began here; the run that holds this point is the unbroken one.
    const Instant anchor{select.Int(2)};
    const bool unreconciled = !select.IsNull(3);
    const Instant first_unreconciled{select.Int(3)};
    PK_ASSIGN_OR_RETURN(const std::vector<Interval> covered, Covered(stream));
    for (const Interval& run : covered) {
      if (run.from <= anchor && anchor < run.to) progress.read_to = run.to;
    }
    if (progress.read_to) {
      progress.reconciled_to =
          unreconciled ? std::min(first_unreconciled, *progress.read_to) : *progress.read_to;
    }
  }
  if (progress.read_to) {
    PK_ASSIGN_OR_RETURN(const Timespan lateness, Lateness(stream));
    progress.complete_to = *progress.read_to - lateness;
  }
  return progress;
}

Result<Timespan> Ledger::Lateness(std::string_view stream) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare("SELECT bucket, rows FROM lateness WHERE stream=? ORDER BY bucket"));
  select.Bind(1, stream);
  std::vector<std::pair<std::int64_t, std::int64_t>> buckets;
  std::int64_t total = 0;
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) break;
    buckets.emplace_back(select.Int(0), select.Int(1));
    total += select.Int(1);
  }
  constexpr Timespan kLeast = kMinute * 15;
  const auto enough = static_cast<std::int64_t>(std::ceil(static_cast<double>(total) * 0.999));
  std::int64_t seen = 0;
  for (const auto& [bucket, rows] : buckets) {
    seen += rows;
    if (seen >= enough) {
      return bucket == 0 ? kLeast
                         : std::max(kLeast, kMinute * (std::int64_t{1}
                                                       << std::min<std::int64_t>(bucket, 20)));
    }
  }
  return kLeast;
}

Result<bool> Ledger::Imported(std::string_view hash) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare(
          "SELECT 1 FROM ledger WHERE kind='import' AND state='read' AND note=? LIMIT 1"));
  return select.Bind(1, hash).Step();
}

Status Ledger::Expire(Instant oldest) {
  PK_ASSIGN_OR_RETURN(
      Statement remove,
      database_.Prepare("DELETE FROM ledger WHERE to_time<? AND state<>'open' AND kind<>'import'"));
  return remove.Bind(1, oldest.ticks).Run();
}

Status Ledger::Join(Instant before) {
  std::vector<Window> windows;
  {
    PK_ASSIGN_OR_RETURN(
        Statement select,
        database_.Prepare(std::string(kColumns) +
                          "WHERE state='read' AND kind NOT IN ('import','contact') AND to_time<? "
                          "ORDER BY stream, kind, stage, from_time, id"));
    select.Bind(1, before.ticks);
    PK_ASSIGN_OR_RETURN(windows, ReadWindows(select));
  }
  for (std::size_t at = 0; at < windows.size();) {
    Window joined = std::move(windows[at]);
    std::vector<std::int64_t> others;
    for (++at; at < windows.size(); ++at) {
      const Window& next = windows[at];
      const bool touches = next.stream == joined.stream && next.kind == joined.kind &&
                           next.stage == joined.stage && next.from <= joined.to &&
                           (next.note == kReadByFallback) == (joined.note == kReadByFallback);
      if (!touches) break;
      joined.to = std::max(joined.to, next.to);
      joined.pages += next.pages;
      joined.counts += next.counts;
      joined.opened = std::min(joined.opened, next.opened);
      joined.finished = std::max(joined.finished, next.finished);
      if (joined.note != next.note) joined.note.clear();
      others.push_back(next.id);
    }
    if (!others.empty()) PK_RETURN_IF_ERROR(Replace(joined, others));
  }
  return {};
}

Status Ledger::Replace(const Window& joined, const std::vector<std::int64_t>& others) {
  for (const std::int64_t id : others) {
    PK_ASSIGN_OR_RETURN(Statement remove, database_.Prepare("DELETE FROM ledger WHERE id=?"));
    PK_RETURN_IF_ERROR(remove.Bind(1, id).Run());
  }
  PK_ASSIGN_OR_RETURN(
      Statement update,
      database_.Prepare("UPDATE ledger SET to_time=?, pages=?, read=?, added=?, changed=?, same=?, "
                        "poorer=?, rejected=?, expired=?, late=?, opened=?, finished=?, note=? "
                        "WHERE id=?"));
  const PageCounts& counts = joined.counts;
  update.Bind(1, joined.to.ticks).Bind(2, joined.pages).Bind(3, counts.read);
  update.Bind(4, counts.added).Bind(5, counts.changed).Bind(6, counts.same);
  update.Bind(7, counts.poorer).Bind(8, counts.rejected).Bind(9, counts.expired);
  update.Bind(10, counts.late).Bind(11, joined.opened.ticks);
  if (joined.finished) {
    update.Bind(12, joined.finished->ticks);
  } else {
    update.BindNull(12);
  }
  return update.Bind(13, joined.note).Bind(14, joined.id).Run();
}

}  // namespace picket::storage

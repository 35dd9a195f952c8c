#include "agent/poll/stream.h"

#include <algorithm>

#include "agent/graph/failure.h"
#include "base/log.h"

namespace picket::poll {
namespace {

constexpr Timespan kFirstWait = kSecond * 30;
constexpr Timespan kLongestWait = kMinute * 30;
constexpr Timespan kReprobe = kMinute * 15;
constexpr Timespan kLongestReprobe = kHour;
constexpr Timespan kSweepEvery = kHour;
constexpr std::int64_t kStrikes = 3;

// Windows are cut at whole seconds: their ends then read well, and lose nothing (`le` and `ge`).
Instant WholeSecond(Instant t) { return Instant{t.ticks - t.ticks % kSecond.ticks}; }

}  // namespace

Stream::Stream(const graph::Collection& collection, const Settings& settings,
               storage::TenantStore& store, bool named)
    : collection_(collection), settings_(settings), store_(store), named_(named) {}

bool Job::Narrow() {
  const Timespan wide = part.to - part.from;
  if (kind != Kind::kReconcile || !extra.empty() || wide <= kLeastWidth) return false;
  widest = std::max(kLeastWidth, Timespan{wide.ticks / 2});
  part.from = part.to - widest;
  next_link.clear();
  pages = 0;
  restarts = 0;
  return true;
}

bool Job::NextPart() {
  if (part.from <= ask.from) return false;
  part.to = part.from;
  part.from = std::max(ask.from, part.to - widest);
  pages = 0;
  restarts = 0;
  return true;
}

Timespan Stream::width() const {
  if (state_.width.ticks <= 0) return kHour;
  return std::clamp(state_.width, kLeastWidth, collection_.max_slice);
}

Status Stream::Load() {
  PK_ASSIGN_OR_RETURN(state_, store_.streams().Get(name()));
  probe_ = ParseProbe(state_.probe);
  coverage_.anchor = probe_.anchor;
  coverage_.horizon = probe_.horizon;
  PK_ASSIGN_OR_RETURN(coverage_.covered, store_.ledger().Covered(name()));
  return LoadWaiting();
}

// What is to be read again, and the holes that are known.
Status Stream::LoadWaiting() {
  const int stages = static_cast<int>(settings_.reconcile_after.size());
  PK_ASSIGN_OR_RETURN(to_reconcile_, store_.ledger().ToReconcile(name(), stages));
  PK_ASSIGN_OR_RETURN(std::vector<storage::Window> stuck, store_.ledger().Windows(name(), "stuck"));
  PK_ASSIGN_OR_RETURN(const auto lost, store_.ledger().Windows(name(), "lost"));
  stuck_ = static_cast<std::int64_t>(stuck.size());
  lost_ = static_cast<std::int64_t>(lost.size());
  // What was passed by is asked for again with the re-readings.
  for (storage::Window& window : stuck) {
    if (window.stage < stages) to_reconcile_.push_back(std::move(window));
  }
  return {};
}

Status Stream::Save() {
  state_.probe = FormatProbe(probe_);
  return store_.streams().Put(name(), state_);
}

Instant Stream::EdgeAt(const Now& now) const { return WholeSecond(now.sure() - settings_.settle); }

Status Stream::BeginContact(const Now& now) {
  coverage_.anchor = WholeSecond(coverage_.edge - settings_.first_window);
  const Timespan back = std::min(settings_.backfill, collection_.keeps);
  coverage_.horizon = std::min(coverage_.anchor, WholeSecond(coverage_.edge - back));
  // What was in reach at an earlier contact stays so.
  if (probe_.horizon.ticks != 0) coverage_.horizon = std::min(coverage_.horizon, probe_.horizon);
  probe_.anchor = coverage_.anchor;
  probe_.horizon = coverage_.horizon;
  probe_.last_row = now.own;
  PK_ASSIGN_OR_RETURN(storage::Transaction transaction, store_.Begin());
  PK_RETURN_IF_ERROR(store_.ledger().NoteContact(name(), coverage_.anchor, now.own));
  PK_RETURN_IF_ERROR(Save());
  return transaction.Commit();
}

Status Stream::BeginRound(const Now& now, bool all_streams) {
  failed_ = false;
  began_ = now.own;
  // A time further ahead than any of ours is from a clock that has been put back since.
  // Nor does a stream that is asked for by name now wait as long as one that was not.
  const Timespan most = named_ && LacksLicence(state_) ? kLongestReprobe : kDay;
  const bool held = state_.not_before > now.own && state_.not_before <= now.own + most;
  const Timespan longest = std::max(settings_.quiet_interval, settings_.poll_interval);
  const bool waits = state_.next_due > now.own && state_.next_due <= now.own + longest;
  const bool stretched = state_.interval > settings_.poll_interval;
  usable_ = !held;
  due_ = usable_ && (!waits || (all_streams && stretched));
  const Instant edge = EdgeAt(now);
  coverage_.floor = edge - collection_.keeps;
  coverage_.kept = edge - settings_.retention;
  // Where nothing could be had so far, for want of a licence or permission, this is the contact.
  const bool first =
      probe_.anchor.ticks == 0 || (state_.state == "off" && state_.last_success.ticks == 0);
  if (first) {
    if (!due_) return {};
    coverage_.edge = edge;
    PK_RETURN_IF_ERROR(BeginContact(now));
  } else {
    // Between polls only what was already in reach is filled.
    const Instant known =
        coverage_.covered.empty() ? coverage_.anchor : coverage_.covered.back().to;
    coverage_.edge = due_ ? edge : std::min(edge, known);
  }
  if (!usable_) return {};
  if (due_) TryBetterForm(now.own);
  return LoadWaiting();
}

Status Stream::RecordLost(Instant now) {
  const std::vector<Interval> lost = LostParts(coverage_);
  if (lost.empty()) return {};
  PK_ASSIGN_OR_RETURN(storage::Transaction transaction, store_.Begin());
  for (const Interval& part : lost) {
    PK_ASSIGN_OR_RETURN(const std::int64_t id,
                        store_.ledger().Open(name(), "gap", part.from, part.to, now));
    PK_RETURN_IF_ERROR(store_.ledger().Finish(id, "lost", now, "older than Graph keeps"));
  }
  PK_RETURN_IF_ERROR(transaction.Commit());
  lost_ += static_cast<std::int64_t>(lost.size());
  coverage_.covered.insert(coverage_.covered.end(), lost.begin(), lost.end());
  coverage_.covered = storage::Merged(std::move(coverage_.covered));
  return {};
}

// Late rows of a window that Graph no longer has will never be seen: the ledger says so, and the
// window is not waited for.
Status Stream::GiveUpRereading(Instant now) {
  std::vector<storage::Window> gone;
  std::erase_if(to_reconcile_, [&](const storage::Window& window) {
    if (window.to > coverage_.floor) return false;
    gone.push_back(window);
    return true;
  });
  PK_RETURN_IF_ERROR(LoseStuck(now));
  if (gone.empty()) return {};
  Log(LogLevel::kWarn, "poll.not_read_again",
      "Windows could not be read again while Graph still had them; late rows may be missing",
      {{"stream", name()}, {"windows", static_cast<std::int64_t>(gone.size())}});
  PK_ASSIGN_OR_RETURN(storage::Transaction transaction, store_.Begin());
  for (const storage::Window& window : gone) {
    PK_RETURN_IF_ERROR(
        store_.ledger().SetStage(window.id, static_cast<int>(settings_.reconcile_after.size())));
    PK_RETURN_IF_ERROR(store_.ledger().Finish(window.id, window.state, now,
                                              "not read again: older than Graph keeps"));
  }
  return transaction.Commit();
}

Status Stream::LoseStuck(Instant now) {
  if (stuck_ == 0) return {};
  PK_ASSIGN_OR_RETURN(const auto stuck, store_.ledger().Windows(name(), "stuck"));
  for (const storage::Window& window : stuck) {
    if (window.to > coverage_.floor) continue;
    PK_RETURN_IF_ERROR(store_.ledger().Finish(window.id, "lost", now, window.note));
    --stuck_;
    ++lost_;
  }
  return {};
}

Job Stream::MakeJob(const Slice& slice) const {
  Job job;
  job.kind = slice.kind;
  job.ask = slice.ask;
  job.part = slice.ask;
  job.counted_from = slice.counted_from;
  return job;
}

std::optional<Job> Stream::NextLive() const {
  if (!usable_ || failed_ || probe_.anchor.ticks == 0) return std::nullopt;
  const auto slice = poll::NextLive(coverage_, width(), settings_.overlap);
  if (!slice) return std::nullopt;
  return MakeJob(*slice);
}

std::optional<Job> Stream::NextBackfill() const {
  if (!usable_ || failed_ || probe_.anchor.ticks == 0) return std::nullopt;
  const auto slice = poll::NextBackfill(coverage_, width());
  if (!slice) return std::nullopt;
  return MakeJob(*slice);
}

Result<std::optional<Job>> Stream::NextReconciliation(const Now& now) const {
  if (!usable_ || failed_) return std::optional<Job>();
  std::vector<storage::Window> windows = to_reconcile_;
  std::erase_if(windows, [&](const auto& window) { return window.to <= coverage_.floor; });
  auto group = poll::NextReconciliation(std::move(windows), now.sure(), settings_.reconcile_after,
                                        std::max(width(), kHour));
  if (!group) return std::optional<Job>();
  Job job;
  job.kind = Kind::kReconcile;
  job.ask = group->ask;
  job.part = group->ask;
  job.counted_from = group->ask.to;
  job.reread = std::move(group->windows);
  return std::optional<Job>(std::move(job));
}

std::optional<Job> Stream::NextSweep(Instant now) const {
  // Detections that change are seen by lastUpdatedDateTime; without it, by asking for all at risk.
  const bool needed = collection_.variants.size() > 1 &&
                      collection_.family == graph::Family::kIdentityProtection &&
                      probe_.variant > 0;
  if (!needed || !usable_ || failed_) return std::nullopt;
  if (probe_.swept <= now && now - probe_.swept < kSweepEvery) return std::nullopt;
  Job job;
  job.kind = Kind::kReconcile;
  job.ask = {coverage_.floor, coverage_.edge};
  job.part = job.ask;
  job.counted_from = coverage_.floor;
  job.extra = "riskState eq 'atRisk'";
  return job;
}

bool Stream::AskedTooFar(const Job& job, std::optional<Instant> date) const {
  // Date has whole seconds, and travelled.
  constexpr Timespan kTolerance = kSecond * 5;
  return date && job.part.to > *date - settings_.settle + kTolerance;
}

// The query holds all of the window up to there, whatever the service adds later.
Result<bool> Stream::Clip(Job& job, const Now& now) {
  const Instant edge = EdgeAt(now);
  if (job.kind == Kind::kReconcile || edge <= job.counted_from) {
    PK_RETURN_IF_ERROR(Reanchor(now));
    return false;
  }
  coverage_.edge = std::min(coverage_.edge, edge);
  job.ask.to = std::min(job.ask.to, edge);
  job.part = job.ask;
  return true;
}

Status Stream::Reanchor(const Now& now) {
  coverage_.edge = std::min(coverage_.edge, EdgeAt(now));
  coverage_.floor = coverage_.edge - collection_.keeps;
  coverage_.kept = coverage_.edge - settings_.retention;
  const bool untouched =
      coverage_.covered.empty() && coverage_.anchor > coverage_.edge - settings_.first_window;
  return untouched ? BeginContact(now) : Status{};
}

Status Stream::Finished(Job& job, const Now& times) {
  const Instant now = times.own;
  storage::Ledger& ledger = store_.ledger();
  PK_ASSIGN_OR_RETURN(storage::Transaction transaction, store_.Begin());
  if (job.window == 0) {
    PK_ASSIGN_OR_RETURN(
        job.window, ledger.Open(name(), poll::KindName(job.kind), job.ask.from, job.ask.to, now));
  }
  const bool fallback = job.kind != Kind::kReconcile && probe_.variant > 0;
  PK_RETURN_IF_ERROR(
      ledger.Finish(job.window, "read", now, fallback ? storage::kReadByFallback : job.extra));
  if (fallback) probe_.fell_back = true;
  if (probe_.variant == 0 && probe_.fell_back) {
    PK_RETURN_IF_ERROR(ledger.Reopen(name(), storage::kReadByFallback));
    probe_.fell_back = false;
  }
  if (job.kind != Kind::kReconcile) {
    PK_RETURN_IF_ERROR(ledger.SetStage(
        job.window, StagesPassed(job.ask.to, times.sure(), settings_.reconcile_after)));
  }
  for (const storage::Window& window : job.reread) {
    // A clock that is ahead may have sent us here too early: then this reading is not the one due.
    const int passed = StagesPassed(window.to, times.sure(), settings_.reconcile_after);
    PK_RETURN_IF_ERROR(ledger.SetStage(window.id, std::max(window.stage, passed)));
    if (window.state == "stuck") {
      PK_RETURN_IF_ERROR(ledger.Finish(window.id, "read", now, "read after it had been stuck"));
      --stuck_;
    }
  }
  if (!job.extra.empty()) probe_.swept = now;
  if (job.counts.added > 0) probe_.last_row = now;
  probe_.refusals = 0;
  if (job.kind != Kind::kReconcile) {
    state_.width = AdaptWidth(width(), job.pages, collection_.max_slice);
  }
  if (trying_small_) probe_.top = page_size();
  trying_small_ = false;
  if (state_.page_size > 0) {
    state_.page_size = std::min<std::int64_t>(largest_page(), state_.page_size * 2);
  }
  state_.failures = 0;
  state_.not_before = {};
  state_.last_success = now;
  PK_RETURN_IF_ERROR(Save());
  PK_RETURN_IF_ERROR(transaction.Commit());
  if (job.kind != Kind::kReconcile) {
    coverage_.covered.push_back(job.ask);
    coverage_.covered = storage::Merged(std::move(coverage_.covered));
  }
  std::erase_if(to_reconcile_, [&](const storage::Window& waiting) {
    return std::any_of(job.reread.begin(), job.reread.end(),
                       [&](const auto& done) { return done.id == waiting.id; });
  });
  return {};
}

Status Stream::PassBy(Job& job, Instant now, const Error& error) {
  PK_ASSIGN_OR_RETURN(storage::Transaction transaction, store_.Begin());
  if (job.window == 0) {
    PK_ASSIGN_OR_RETURN(job.window, store_.ledger().Open(name(), poll::KindName(job.kind),
                                                         job.ask.from, job.ask.to, now));
  }
  if (job.kind == Kind::kReconcile) {
    PK_RETURN_IF_ERROR(store_.ledger().Finish(job.window, "abandoned", now, error.message));
    for (const storage::Window& window : job.reread) {
      PK_RETURN_IF_ERROR(store_.ledger().SetStage(window.id, window.stage + 1));
      PK_RETURN_IF_ERROR(
          store_.ledger().Finish(window.id, window.state, now, "not read again: " + error.message));
    }
    if (!job.extra.empty()) probe_.swept = now;
  } else {
    PK_RETURN_IF_ERROR(store_.ledger().Finish(job.window, "stuck", now, error.message));
  }
  SetLastError(error);
  PK_RETURN_IF_ERROR(Save());
  PK_RETURN_IF_ERROR(transaction.Commit());
  std::erase_if(to_reconcile_, [&](const storage::Window& waiting) {
    return std::any_of(job.reread.begin(), job.reread.end(),
                       [&](const auto& done) { return done.id == waiting.id; });
  });
  if (job.kind == Kind::kReconcile) return {};
  ++stuck_;
  coverage_.covered.push_back(job.ask);
  coverage_.covered = storage::Merged(std::move(coverage_.covered));
  return {};
}

Status Stream::Abandon(const Job& job, Instant now, const Error& error) {
  if (job.window == 0) return {};
  return store_.ledger().Finish(job.window, "abandoned", now, error.message);
}

void Stream::SetLastError(const Error& error) {
  state_.last_error = error.message;
  state_.error_kind = ErrorKindName(error.kind);
}

Status Stream::Throttled(const Error& error, Instant until) {
  failed_ = true;
  state_.state = "throttled";
  state_.reason = error.message;
  SetLastError(error);
  state_.not_before = until;
  return Save();
}

Status Stream::Failed(const Error& error, Instant now) {
  failed_ = true;
  ++state_.failures;
  SetLastError(error);
  state_.reason = error.hint.empty() ? error.message : error.message + ". " + error.hint;
  state_.state = "failing";
  Timespan wait = Backoff(state_.failures, kFirstWait, kLongestWait);
  if (error.kind == ErrorKind::kPermission) {
    // Licensed tenants get this answer now and then: believed only when it stays.
    if (probe_.refusals++ == 0) probe_.first_refusal = now;
    const bool licence = error.remote_code == graph::kNoLicence;
    const bool sure = !licence || coverage_.covered.empty() ||
                      (probe_.refusals >= kStrikes && now - probe_.first_refusal >= kLongestWait);
    if (sure) state_.state = "off";
    wait = sure ? std::min(kLongestReprobe, kReprobe * probe_.refusals) : kReprobe;
    if (IsUnlicensed()) wait = Backoff(probe_.refusals, kReprobe, kDay);
  } else if (error.kind == ErrorKind::kNotFound || error.kind == ErrorKind::kRefused) {
    state_.state = "off";
    wait = kHour;
  }
  state_.not_before = now + wait;
  return Save();
}

Status Stream::RoundDone(const Now& times) {
  if (failed_ || !usable_) return {};
  const Instant now = times.own;
  // Only Graph's own clock can say that something is gone for good.
  if (times.graph && probe_.anchor.ticks != 0) {
    coverage_.floor = EdgeAt(times) - collection_.keeps;
    coverage_.kept = EdgeAt(times) - settings_.retention;
    PK_RETURN_IF_ERROR(RecordLost(now));
    PK_RETURN_IF_ERROR(GiveUpRereading(now));
  }
  const bool behind = NextLive().has_value();
  if (due_ && !behind) {
    const Timespan quiet = probe_.last_row > now ? Timespan{} : now - probe_.last_row;
    state_.interval = NextInterval(settings_.poll_interval, settings_.quiet_interval, quiet);
    state_.next_due = began_ + state_.interval;
  }
  state_.state = stuck_ > 0 ? "stuck" : behind ? "behind" : "ok";
  state_.reason = stuck_ > 0 ? "Graph did not answer for some windows; they are asked for again"
                  : behind   ? "not yet read up to now"
                             : "";
  if (!behind) {
    state_.last_error.clear();
    state_.error_kind.clear();
  }
  return Save();
}

Status Stream::RememberFetched(std::int64_t seq) {
  probe_.fetched = seq;
  probe_.fetch_tries = 0;
  return Save();
}

Result<bool> Stream::FetchFailed() {
  constexpr std::int64_t kMost = 12;
  const bool enough = ++probe_.fetch_tries >= kMost;
  PK_RETURN_IF_ERROR(Save());
  return enough;
}

Instant Stream::NextDue() const { return std::max(state_.next_due, state_.not_before); }

}  // namespace picket::poll

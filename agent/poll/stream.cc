#include "agent/poll/stream.h"

#include <algorithm>

#include "agent/graph/failure.h"

namespace picket::poll {
namespace {

constexpr int kSmallestPage = 200;
constexpr Timespan kFirstWait = kSecond * 30;
constexpr Timespan kLongestWait = kMinute * 30;
constexpr Timespan kReprobe = kMinute * 15;
constexpr Timespan kSweepEvery = kHour;
constexpr std::int64_t kStrikes = 3;

// Windows are cut at whole seconds: their ends then read well, and lose nothing (`le` and `ge`).
Instant WholeSecond(Instant t) { return Instant{t.ticks - t.ticks % kSecond.ticks}; }

}  // namespace

Stream::Stream(const graph::Collection& collection, const Settings& settings,
               storage::TenantStore& store)
    : collection_(collection), settings_(settings), store_(store) {}

const graph::Variant& Stream::variant() const {
  const auto last = static_cast<std::int64_t>(collection_.variants.size()) - 1;
  return collection_
      .variants[static_cast<std::size_t>(std::clamp<std::int64_t>(probe_.variant, 0, last))];
}

int Stream::page_size() const {
  if (state_.page_size <= 0) return collection_.max_page;
  return static_cast<int>(
      std::clamp<std::int64_t>(state_.page_size, kSmallestPage, collection_.max_page));
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
  PK_ASSIGN_OR_RETURN(const auto stuck, store_.ledger().Windows(name(), "stuck"));
  PK_ASSIGN_OR_RETURN(const auto lost, store_.ledger().Windows(name(), "lost"));
  stuck_ = static_cast<std::int64_t>(stuck.size());
  lost_ = static_cast<std::int64_t>(lost.size());
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
  probe_.anchor = coverage_.anchor;
  probe_.horizon = coverage_.horizon;
  probe_.last_row = now.own;
  return Save();
}

Status Stream::BeginRound(const Now& now, bool all_streams) {
  failed_ = false;
  began_ = now.own;
  // A time further ahead than any of ours is from a clock that has been put back since.
  const bool held = state_.not_before > now.own && state_.not_before <= now.own + kDay;
  const Timespan longest = std::max(settings_.quiet_interval, settings_.poll_interval);
  const bool waits = state_.next_due > now.own && state_.next_due <= now.own + longest;
  const bool stretched = state_.interval > settings_.poll_interval;
  usable_ = !held;
  due_ = usable_ && (!waits || (all_streams && stretched));
  const Instant edge = EdgeAt(now);
  coverage_.floor = edge - collection_.keeps;
  if (probe_.anchor.ticks == 0) {
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
  const int stages = static_cast<int>(settings_.reconcile_after.size());
  PK_ASSIGN_OR_RETURN(to_reconcile_, store_.ledger().ToReconcile(name(), stages));
  PK_ASSIGN_OR_RETURN(std::vector<storage::Window> stuck, store_.ledger().Windows(name(), "stuck"));
  // What was passed by is asked for again with the re-readings.
  for (storage::Window& window : stuck) {
    if (window.stage < stages && window.from > coverage_.floor) {
      to_reconcile_.push_back(std::move(window));
    }
  }
  return {};
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

Job Stream::MakeJob(const Slice& slice) const {
  Job job;
  job.kind = slice.kind;
  job.ask = slice.ask;
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
  auto group = poll::NextReconciliation(to_reconcile_, now.sure(), settings_.reconcile_after,
                                        std::max(width(), kHour));
  if (!group) return std::optional<Job>();
  Job job;
  job.kind = Kind::kReconcile;
  job.ask = group->ask;
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
  job.counted_from = coverage_.floor;
  job.extra = "riskState eq 'atRisk'";
  return job;
}

bool Stream::AskedTooFar(const Job& job, std::optional<Instant> date) const {
  // Date has whole seconds, and travelled.
  constexpr Timespan kTolerance = kSecond * 5;
  return date && job.ask.to > *date - settings_.settle + kTolerance;
}

Status Stream::Reanchor(const Now& now) {
  coverage_.edge = std::min(coverage_.edge, EdgeAt(now));
  coverage_.floor = coverage_.edge - collection_.keeps;
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
  PK_RETURN_IF_ERROR(ledger.Finish(job.window, "read", now, job.extra));
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
  if (state_.page_size > 0) {
    state_.page_size = std::min<std::int64_t>(collection_.max_page, state_.page_size * 2);
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
    }
  } else {
    PK_RETURN_IF_ERROR(store_.ledger().Finish(job.window, "stuck", now, error.message));
  }
  state_.last_error = error.message;
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

Status Stream::Abandon(Job& job, Instant now, const Error& error) {
  if (job.window == 0) return {};
  return store_.ledger().Finish(job.window, "abandoned", now, error.message);
}

bool Stream::Shrink() {
  if (width() > kLeastWidth) {
    state_.width = std::max(kLeastWidth, Timespan{width().ticks / 2});
    return true;
  }
  return ShrinkPage();
}

bool Stream::ShrinkPage() {
  if (page_size() <= kSmallestPage) return false;
  state_.page_size = std::max(kSmallestPage, page_size() / 2);
  return true;
}

Result<bool> Stream::TryNextVariant() {
  // What was read by one time cannot be continued by another: only before the first window.
  const auto next = static_cast<std::size_t>(std::max<std::int64_t>(probe_.variant, 0)) + 1;
  if (next >= collection_.variants.size()) return false;
  const bool same_time = collection_.variants[next].time_field == variant().time_field;
  if (!same_time && !coverage_.covered.empty()) return false;
  probe_.variant = static_cast<std::int64_t>(next);
  PK_RETURN_IF_ERROR(Save());
  return true;
}

Status Stream::Throttled(const Error& error, Instant until) {
  failed_ = true;
  state_.state = "throttled";
  state_.reason = error.message;
  state_.last_error = error.message;
  state_.not_before = until;
  return Save();
}

Status Stream::Failed(const Error& error, Instant now) {
  failed_ = true;
  ++state_.failures;
  state_.last_error = error.message;
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
    wait = sure ? kReprobe * std::min<std::int64_t>(4, probe_.refusals) : kReprobe;
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
    PK_RETURN_IF_ERROR(RecordLost(now));
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
  if (!behind) state_.last_error.clear();
  return Save();
}

Status Stream::RememberFetched(std::int64_t seq) {
  probe_.fetched = seq;
  return Save();
}

Instant Stream::NextDue() const {
  const Instant due = std::max(state_.next_due, state_.not_before);
  return due;
}

std::vector<HealthEvent> Stream::Health(Instant now) const {
  std::vector<HealthEvent> events;
  const auto add = [&](HealthEvent::Kind kind, std::string message, std::string hint) {
    events.push_back({kind, name(), std::move(message), std::move(hint)});
  };
  if (state_.state == "off" && probe_.refusals > 0) {
    const bool licence = state_.last_error.find("licence") != std::string::npos;
    add(licence ? HealthEvent::Kind::kLicence : HealthEvent::Kind::kPermission, state_.last_error,
        state_.reason);
  }
  if (lost_ > 0) {
    add(HealthEvent::Kind::kLostWindow,
        std::to_string(lost_) + " part(s) were not read while Graph still had them",
        "Picket did not run, or could not read, for longer than Graph keeps.");
  }
  if (stuck_ > 0) {
    add(HealthEvent::Kind::kStuck,
        std::to_string(stuck_) + " window(s) were passed by: Graph did not answer for them",
        "Picket asks for them again.");
  }
  constexpr std::int64_t kMissed = 4;
  const Timespan patience = std::max(state_.interval, settings_.poll_interval) * kMissed + kHour;
  if (state_.last_success.ticks > 0 && state_.last_success + patience < now) {
    add(HealthEvent::Kind::kStalled, "not read since " + FormatRfc3339(state_.last_success),
        state_.reason);
  }
  return events;
}

}  // namespace picket::poll

#include "agent/poll/tenant_work.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"

namespace picket::poll {
namespace {

using graph::Family;

constexpr Timespan kLongestOnceWait = kSecond * 60;
constexpr double kReservedShare = 0.25;  // of the other four fifths: a fifth of all

}  // namespace

TenantWork::TenantWork(TenantSettings tenant, const Settings& settings, storage::TenantStore& store,
                       graph::Client& client, graph::Budgets& budgets, const Clock& clock)
    : tenant_(std::move(tenant)),
      settings_(settings),
      store_(store),
      client_(client),
      budgets_(budgets),
      clock_(clock) {
  lanes_[0].family = Family::kAuditLogs;
  lanes_[1].family = Family::kIdentityProtection;
}

Status TenantWork::Load() {
  const std::lock_guard lock(mutex_);
  for (const std::string& name : tenant_.streams) {
    if (graph::FindCollection(name) == nullptr) {
      return Fail({.kind = ErrorKind::kInvalidConfig,
                   .message = "tenant " + tenant_.name + ": there is no stream '" + name + "'"});
    }
  }
  PK_RETURN_IF_ERROR(store_.ledger().AbandonOpen());
  for (const graph::Collection& collection : graph::Collections()) {
    const bool wanted =
        tenant_.streams.empty() || std::find(tenant_.streams.begin(), tenant_.streams.end(),
                                             collection.stream) != tenant_.streams.end();
    if (!wanted) continue;
    streams_.push_back(
        std::make_unique<Stream>(collection, settings_, store_, !tenant_.streams.empty()));
    PK_RETURN_IF_ERROR(streams_.back()->Load());
    lanes_[collection.family == Family::kAuditLogs ? 0 : 1].streams.push_back(
        streams_.back().get());
  }
  return {};
}

Stream::Now TenantWork::NowHere() const { return {clock_.Now(), client_.GraphNow()}; }

graph::Account TenantWork::AccountOf(const Lane& lane) const {
  return {.app = tenant_.app, .tenant = ToString(tenant_.id), .family = lane.family};
}

void TenantWork::BeginRound(const RoundOptions& options) {
  const std::lock_guard lock(mutex_);
  options_ = options;
  round_ = TenantRound{};
  round_.tenant = tenant_.name;
  failed_.reset();
  backfill_began_.reset();
  began_ = clock_.Steady();
  for (Lane& lane : lanes_) {
    lane.job.reset();
    ItemAgain(lane);
    lane.stream = nullptr;
    lane.refusals = {};
    lane.throttles = 0;
    lane.smallest = 0;
    lane.reached = false;
    lane.given_up = false;
  }
  const Stream::Now now = NowHere();
  for (const auto& stream : streams_) {
    Status begun = stream->BeginRound(now, options.all_streams);
    if (begun && stream->collection().stream == "riskDetections") begun = QueueSignIns(*stream);
    if (!begun) {
      FailTenant(begun.error());
      return;
    }
    round_.polled = round_.polled || stream->due();
  }
}

bool TenantWork::RoundIsLong() const {
  return !options_.once && clock_.Steady() - began_ >= ToMillis(settings_.poll_interval);
}

bool TenantWork::PickLive(Lane& lane) {
  for (Stream* stream : lane.streams) {
    if (auto job = stream->NextLive(); job && job->kind == Kind::kLive) {
      lane.stream = stream;
      lane.job = std::move(job);
      return true;
    }
  }
  // The newest gap of all streams first.
  for (Stream* stream : lane.streams) {
    auto job = stream->NextLive();
    if (job && RoundIsLong()) {
      round_.backfill_left = true;
      return false;
    }
    if (!job || (lane.job && lane.job->ask.to >= job->ask.to)) continue;
    lane.stream = stream;
    lane.job = std::move(job);
  }
  return lane.job.has_value();
}

Result<bool> TenantWork::PickReconciliation(Lane& lane) {
  const Instant now = clock_.Now();
  for (Stream* stream : lane.streams) {
    auto job = stream->NextSweep(now);
    if (!job) {
      PK_ASSIGN_OR_RETURN(job, stream->NextReconciliation(NowHere()));
    }
    if (!job) continue;
    lane.stream = stream;
    lane.job = std::move(job);
    return true;
  }
  return false;
}

bool TenantWork::PickBackfill(Lane& lane) {
  const bool spent = options_.once ? backfill_began_ && clock_.Steady() - *backfill_began_ >=
                                                            ToMillis(settings_.once_backfill)
                                   : RoundIsLong();
  for (Stream* stream : lane.streams) {
    auto job = stream->NextBackfill();
    if (!job) continue;
    if (spent || (options_.once && settings_.once_backfill.ticks <= 0)) {
      round_.backfill_left = true;
      lane.job.reset();
      return false;
    }
    if (lane.job && lane.job->ask.to >= job->ask.to) continue;
    lane.stream = stream;
    lane.job = std::move(job);
  }
  if (lane.job && !backfill_began_) backfill_began_ = clock_.Steady();
  return lane.job.has_value();
}

bool TenantWork::PickItem(Lane& lane) {
  if (lane.items.empty()) return false;
  lane.item = std::move(lane.items.front());
  lane.item_tries = 0;
  lane.items.pop_front();
  return true;
}

// It was not fetched in the end: the next round begins with it.
void TenantWork::ItemAgain(Lane& lane) {
  if (lane.item) lane.items.push_front(*std::move(lane.item));
  lane.item.reset();
}

Stream* TenantWork::FindStream(std::string_view name) const {
  for (const auto& stream : streams_) {
    if (stream->collection().stream == name) return stream.get();
  }
  return nullptr;
}

Result<bool> TenantWork::Pick(Lane& lane) {
  lane.stream = nullptr;
  if (failed_ || lane.given_up) return false;
  if (lane.credit >= 1) {
    PK_ASSIGN_OR_RETURN(const bool reconcile, PickReconciliation(lane));
    if (reconcile) return true;
  }
  if (PickLive(lane)) return true;
  if (PickItem(lane)) return true;
  if (lane.credit < 1) {
    // Backfill may take what is left over, but not the fifth that is reserved.
    PK_ASSIGN_OR_RETURN(const bool reconcile, PickReconciliation(lane));
    if (reconcile) return true;
  }
  return PickBackfill(lane);
}

void TenantWork::Spent(Lane& lane) {
  ++round_.requests;
  constexpr double kMost = 4;
  const bool reserved = lane.job && lane.job->kind == Kind::kReconcile;
  lane.credit =
      reserved ? std::max(0.0, lane.credit - 1) : std::min(kMost, lane.credit + kReservedShare);
}

Result<graph::Page> TenantWork::Ask(Lane& lane, std::stop_token stop) {
  if (lane.item) {
    const graph::Collection& of = *lane.item->of;
    const Stream* stream = FindStream(of.stream);
    const graph::Variant& variant = stream ? stream->variant() : of.variants.front();
    return client_.Get(of, graph::ItemUrl(client_.root(), of, variant, lane.item->id),
                       lane.refusals, stop);
  }
  const Stream& stream = *lane.stream;
  const Job& job = *lane.job;
  if (!job.next_link.empty()) {
    return client_.Follow(stream.collection(), stream.variant(), job.next_link, lane.refusals,
                          stop);
  }
  std::optional<graph::Span> span;
  if (job.extra.empty()) span = graph::Span{job.part.from, job.part.to};
  return client_.Get(
      stream.collection(),
      graph::ListUrl(client_.root(), stream.collection(), stream.variant(),
                     graph::Filter(stream.variant(), span, job.extra), stream.page_size()),
      lane.refusals, stop);
}

Step TenantWork::Run(Lane& lane, std::stop_token stop) {
  if (stop.stop_requested()) return {.next = Step::Next::kDone};
  if (!lane.job && !lane.item) {
    const std::lock_guard lock(mutex_);
    const Result<bool> picked = Pick(lane);
    if (!picked) FailTenant(picked.error());
    if (!picked || !*picked) return {.next = Step::Next::kDone};
  }
  const auto taken = budgets_.TryTake(AccountOf(lane));
  if (!taken) {
    const std::lock_guard lock(mutex_);
    FailTenant(taken.error());
    return {.next = Step::Next::kDone};
  }
  if (*taken) {
    const std::lock_guard lock(mutex_);
    return HeldBack(lane, std::max(kMillisecond, **taken),
                    {.kind = ErrorKind::kThrottled, .message = "Graph asked to wait"});
  }
  const Result<graph::Page> page = Ask(lane, stop);
  budgets_.Answered(AccountOf(lane));
  const std::lock_guard lock(mutex_);
  Spent(lane);
  if (!page) return OnError(lane, page.error());
  return OnPage(lane, *page);
}

// A long wait ends the round of `once`; what was read stays, and the rest is for the next.
Step TenantWork::HeldBack(Lane& lane, Timespan wait, const Error& error) {
  if (!options_.once || wait <= kLongestOnceWait) return {.next = Step::Next::kWait, .wait = wait};
  const Instant until = clock_.Now() + wait;
  for (Stream* stream : lane.streams) {
    if (!stream->usable()) continue;
    if (auto saved = stream->Throttled(error, until); !saved) FailTenant(saved.error());
    round_.errors.insert_or_assign(stream->name(), error);
  }
  lane.given_up = true;
  if (auto left = LeaveJob(lane, error); !left) FailTenant(left.error());
  ItemAgain(lane);
  return {.next = Step::Next::kDone};
}

Status TenantWork::LeaveJob(Lane& lane, const Error& error) {
  if (!lane.job) return {};
  const Job job = *std::exchange(lane.job, std::nullopt);
  return lane.stream->Abandon(job, clock_.Now(), error);
}

void TenantWork::FailTenant(const Error& error) {
  if (error.kind == ErrorKind::kCancelled || failed_) return;
  failed_ = error;
  round_.errors.insert_or_assign("", error);
  LogError("poll.tenant_failed", error, {{"tenant", tenant_.name}});
  if (error.kind == ErrorKind::kStorage) return;  // nothing can be saved either
  for (const auto& stream : streams_) {
    if (!stream->usable()) continue;
    if (auto saved = stream->Failed(error, clock_.Now()); !saved) return;
  }
}

bool TenantWork::WantsAnotherTurn() {
  const std::lock_guard lock(mutex_);
  return !failed_ && !lanes_[0].given_up && !lanes_[0].items.empty();
}

// Without any sign-ins the tenant is below what Picket needs: that stays a failure.
void TenantWork::NoteUnlicensed() {
  const bool blind = std::all_of(streams_.begin(), streams_.end(), [](const auto& stream) {
    return stream->IsUnlicensed() || !stream->name().starts_with("signIns.");
  });
  if (blind) return;
  for (const auto& stream : streams_) {
    if (!stream->IsUnlicensed()) continue;
    round_.errors.erase(stream->name());
    round_.unlicensed.push_back(
        {.stream = stream->name(), .error = stream->LastError(), .asked = stream->failed()});
  }
}

TenantRound TenantWork::EndRound() {
  const std::lock_guard lock(mutex_);
  const Instant now = clock_.Now();
  if (const Stream::Now times = NowHere(); times.graph) round_.data_time = times.sure();
  for (const auto& stream : streams_) {
    if (!failed_) {
      if (auto saved = stream->RoundDone(NowHere()); !saved) FailTenant(saved.error());
    }
    for (HealthEvent& event : stream->Health(now)) round_.health.push_back(std::move(event));
  }
  // A tenant that failed as a whole left them where they were; so does a stop.
  if (!failed_ || failed_->kind != ErrorKind::kStorage) {
    for (Lane& lane : lanes_) {
      const Error why = failed_.value_or(Error{.message = "the round ended"});
      if (auto left = LeaveJob(lane, why); !left) FailTenant(left.error());
    }
  }
  round_.well = !failed_;
  NoteUnlicensed();
  for (const auto& stream : streams_) {
    const bool excused = stream->IsUnlicensed() && !round_.unlicensed.empty();
    if (auto held = stream->Held(); held && !excused) round_.held.push_back(*std::move(held));
    // What was passed by leaves its stream as it was, but not this round.
    const bool failed = round_.errors.contains(stream->name()) && stream->state().state != "off";
    round_.well = round_.well && stream->IsWell() && !failed;
  }
  for (const auto& [stream, counts] : round_.counts) {
    if (counts.rejected == 0) continue;
    round_.health.push_back(
        {HealthEvent::Kind::kRejected, stream,
         Counted(counts.rejected, "record") + " could not be kept: " + round_.rejections[stream],
         "The rest of the page is kept. Others of its kind are counted in "
         "the ledger."});
  }
  if (failed_) {
    const ErrorKind kind = failed_->kind;
    round_.health.push_back({kind == ErrorKind::kLimit     ? HealthEvent::Kind::kFull
                             : kind == ErrorKind::kStorage ? HealthEvent::Kind::kStorage
                                                           : HealthEvent::Kind::kAuth,
                             "", failed_->message, failed_->hint});
  }
  constexpr Timespan kTolerated = kMinute * 5;
  const Stream::Now here = NowHere();
  if (settings_.check_clock && here.graph) {
    const Timespan skew = here.own - *here.graph;
    if (skew > kTolerated || skew < Timespan{-kTolerated.ticks}) {
      round_.health.push_back(
          {HealthEvent::Kind::kClock, "",
           "this machine's clock is off by " +
               FormatTimespan({std::abs(skew.ticks) / kSecond.ticks * kSecond.ticks}),
           "Set the clock (NTP). Windows end at Graph's time meanwhile."});
    }
  }
  return std::move(round_);
}

Instant TenantWork::NextDue() const {
  const std::lock_guard lock(mutex_);
  Instant next{Instant::kMaxTicks};
  for (const auto& stream : streams_) next = std::min(next, stream->NextDue());
  return next;
}

}  // namespace picket::poll

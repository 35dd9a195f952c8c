// What an answer of Graph means for a lane: the kind of the error decides.

#include <algorithm>
#include <random>

#include "agent/poll/tenant_work.h"
#include "base/log.h"

namespace picket::poll {
namespace {

constexpr Timespan kFirstWait = kSecond * 2;
constexpr Timespan kLongestWait = kMinute * 5;
constexpr Timespan kTokenLives = kMinute * 4;  // a longer wait kills the skiptoken
constexpr int kMostTries = 5;
constexpr int kMostTriesUnexpected = 3;
constexpr int kMostRestarts = 3;
constexpr int kMostSmallest = 4;
constexpr int kMostThrottles = 10;  // in a row, in one round

Step WaitFor(Timespan wait) { return {.next = Step::Next::kWait, .wait = wait}; }

}  // namespace

// Half of a backoff differs by tenant and moment, so that many tenants don't come back at once.
Timespan TenantWork::WaitOf(const Error& error, int tries) const {
  if (error.retry_after) return Timespan{error.retry_after->count() * kMillisecond.ticks};
  const Timespan wait = Backoff(tries, kFirstWait, kLongestWait);
  const auto moment = static_cast<std::uint64_t>(clock_.Steady().time_since_epoch().count());
  std::mt19937_64 random(std::hash<std::string>{}(tenant_.name) ^ moment);
  std::uniform_int_distribution<std::int64_t> half(0, wait.ticks / 2);
  return Timespan{wait.ticks - wait.ticks / 2 + half(random)};
}

Step TenantWork::OnError(Lane& lane, const Error& error) {
  if (error.kind == ErrorKind::kCancelled) return {.next = Step::Next::kDone};
  if (error.remote_code == graph::kTokenRefused) return {};
  Result<Step> step = Answer(lane, error);
  if (step) return *step;
  FailTenant(step.error());
  return {.next = Step::Next::kDone};
}

Result<Step> TenantWork::Answer(Lane& lane, const Error& error) {
  if (error.kind == ErrorKind::kThrottled) return OnThrottled(lane, error);
  switch (error.kind) {
    case ErrorKind::kAuth:
    case ErrorKind::kInvalidConfig:
    case ErrorKind::kStorage:
    case ErrorKind::kLimit:
    case ErrorKind::kInternal:
      FailTenant(error);
      return Step{.next = Step::Next::kDone};
    default:
      break;
  }
  if (lane.item) {
    const bool worth = error.kind == ErrorKind::kTransient || error.kind == ErrorKind::kShrink ||
                       error.kind == ErrorKind::kUnexpectedReply;
    if (worth && ++lane.item_tries < kMostTries) return WaitFor(WaitOf(error, lane.item_tries));
    // Gone, or not to be had (a licensed tenant is told now and then that it has no licence). Only
    // the latter is worth another round.
    const bool gone = error.kind == ErrorKind::kNotFound || error.kind == ErrorKind::kRefused;
    fetch_failed_ = fetch_failed_ || (!gone && lane.family == graph::Family::kAuditLogs);
    Log(LogLevel::kWarn, "poll.not_fetched_again", "A record could not be fetched again",
        {{"tenant", tenant_.name},
         {"stream", std::string(lane.item->of->stream)},
         {"error", error.message}});
    PK_RETURN_IF_ERROR(ItemDone(lane));
    return Step{};
  }
  switch (error.kind) {
    case ErrorKind::kTransient:
      return Retry(lane, error, kMostTries);
    case ErrorKind::kUnexpectedReply:
      if (lane.stream->ShrinkPage()) lane.job->next_link.clear();
      return Retry(lane, error, kMostTriesUnexpected);
    case ErrorKind::kShrink:
      return OnShrink(lane, error);
    case ErrorKind::kExpiredPage:
      return OnExpiredPage(lane, error);
    case ErrorKind::kRefused:
    case ErrorKind::kNotFound:
      return OnRefused(lane, error);
    default:
      return Drop(lane, error);
  }
}

Step TenantWork::OnThrottled(Lane& lane, const Error& error) {
  ++lane.throttles;
  const Timespan wait = WaitOf(error, lane.throttles);
  const auto held = budgets_.Hold(AccountOf(lane), wait, error.message);
  if (!held) {
    FailTenant(held.error());
    return {.next = Step::Next::kDone};
  }
  // The rows stay; the window is read from its first page again.
  if (wait >= kTokenLives && lane.job) lane.job->next_link.clear();
  const bool hopeless = options_.once && lane.throttles >= kMostThrottles;
  return HeldBack(lane, hopeless ? std::max(wait, kLongestWait) : wait, error);
}

Result<Step> TenantWork::Retry(Lane& lane, const Error& error, int most) {
  if (++lane.job->tries >= most) return Drop(lane, error);
  const Timespan wait = WaitOf(error, lane.job->tries);
  if (wait >= kTokenLives) lane.job->next_link.clear();
  return HeldBack(lane, wait, error);
}

Result<Step> TenantWork::Drop(Lane& lane, const Error& error) {
  PK_RETURN_IF_ERROR(lane.stream->Abandon(*lane.job, clock_.Now(), error));
  lane.job.reset();
  // Nothing was reached at all: the other streams would only wait as long again.
  const bool unreachable = error.kind == ErrorKind::kTransient && !lane.reached;
  for (Stream* stream : lane.streams) {
    if (stream != lane.stream && !(unreachable && stream->usable())) continue;
    PK_RETURN_IF_ERROR(stream->Failed(error, clock_.Now()));
    round_.errors.insert_or_assign(stream->name(), error);
  }
  if (lane.stream->IsUnlicensed()) {
    Log(LogLevel::kInfo, "poll.not_licensed", "The tenant's licence does not give the stream",
        {{"tenant", tenant_.name}, {"stream", lane.stream->name()}, {"error", error.message}});
  } else {
    LogError("poll.stream_failed", error,
             {{"tenant", tenant_.name}, {"stream", lane.stream->name()}});
  }
  lane.given_up = lane.given_up || unreachable;
  return Step{};
}

Result<Step> TenantWork::Replan(Lane& lane, const Error& error, Timespan wait) {
  PK_RETURN_IF_ERROR(lane.stream->Abandon(*lane.job, clock_.Now(), error));
  lane.job.reset();
  return WaitFor(wait);
}

Result<Step> TenantWork::OnShrink(Lane& lane, const Error& error) {
  Job& job = *lane.job;
  const bool reread = job.kind == Kind::kReconcile;
  if (reread ? job.Narrow() || lane.stream->ShrinkPage() : lane.stream->Shrink()) {
    lane.smallest = 0;
    if (!reread) return Replan(lane, error, kSecond);
    job.next_link.clear();
    return WaitFor(kSecond);
  }
  if (++lane.smallest < kMostSmallest) {
    job.next_link.clear();
    return WaitFor(WaitOf(error, lane.smallest));
  }
  return PassBy(lane, error);
}

Result<Step> TenantWork::PassBy(Lane& lane, const Error& error) {
  Job& job = *lane.job;
  lane.smallest = 0;
  round_.errors.insert_or_assign(lane.stream->name(), error);
  Log(LogLevel::kWarn, "poll.stuck", "A window was passed by; it is asked for again later",
      {{"tenant", tenant_.name},
       {"stream", lane.stream->name()},
       {"from", FormatRfc3339(job.ask.from)},
       {"to", FormatRfc3339(job.ask.to)}});
  PK_RETURN_IF_ERROR(lane.stream->PassBy(job, clock_.Now(), error));
  lane.job.reset();
  return Step{};
}

Result<Step> TenantWork::OnExpiredPage(Lane& lane, const Error& error) {
  Job& job = *lane.job;
  job.next_link.clear();
  job.pages = 0;
  if (++job.restarts <= kMostRestarts) return Step{};
  if (job.kind == Kind::kReconcile) {
    // The live edge must not wait for a re-reading that fails.
    if (!job.Narrow()) return PassBy(lane, error);
    return WaitFor(kSecond);
  }
  if (!lane.stream->Shrink()) return Drop(lane, error);
  return Replan(lane, error, kSecond);
}

Result<Step> TenantWork::OnRefused(Lane& lane, const Error& error) {
  Job& job = *lane.job;
  if (!job.next_link.empty()) return OnExpiredPage(lane, error);  // a page, not the query
  // Once may be a mishap of the service; what is decided here is remembered for a day.
  if (++job.tries < 2) return WaitFor(kSecond);
  PK_ASSIGN_OR_RETURN(const bool other, lane.stream->TryAnotherForm(clock_.Now()));
  if (!other) return Drop(lane, error);
  Log(LogLevel::kWarn, "poll.fallback", "The service refused the query; another form is used",
      {{"tenant", tenant_.name},
       {"stream", lane.stream->name()},
       {"version", std::string(lane.stream->variant().version)},
       {"column", std::string(lane.stream->variant().time_field)},
       {"top", std::int64_t{lane.stream->page_size()}}});
  return Replan(lane, error, kMillisecond);
}

}  // namespace picket::poll

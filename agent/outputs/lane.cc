#include "agent/outputs/lane.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "agent/outputs/digest.h"
#include "base/log.h"

namespace picket::outputs {
namespace {

// An entry that failed so often while others went through is poison.
constexpr std::int64_t kMostStrikes = 10;
// An output that fails for so long is told of by the others.
constexpr Timespan kTellDownAfter = kMinute * 30;
// A file that cannot be opened is tried again.
constexpr Timespan kReopen = kMinute;

std::string KeyOf(std::size_t source, const storage::OutboxEntry& entry,
                  const std::vector<Source>& sources) {
  return sources[source].tenant + "\t" + entry.id;
}

std::string ErrorText(const Error& error) {
  return error.hint.empty() ? error.message : error.message + ". " + error.hint;
}

}  // namespace

Lane::Lane(LaneSettings settings, std::unique_ptr<Output> output, std::vector<Source> sources,
           storage::AgentStore& agent, AgentAlerts& alerts, Clock& clock,
           std::function<void(const OutputNote&)> on_note)
    : settings_(std::move(settings)),
      output_(std::move(output)),
      sources_(std::move(sources)),
      agent_(agent),
      alerts_(alerts),
      clock_(clock),
      on_note_(std::move(on_note)),
      heads_(sources_.size()) {}

Status Lane::Open() {
  PK_ASSIGN_OR_RETURN(storage::OutputState state, agent_.Output(settings_.output));
  breaker_ = Breaker(std::move(state));
  return {};
}

void Lane::Touch(std::size_t source) { heads_.at(source).stale = true; }

Result<storage::Outbox*> Lane::OutboxOf(std::size_t source) {
  if (open_source_ != source) {
    open_source_.reset();
    file_.reset();
    PK_ASSIGN_OR_RETURN(file_, sources_[source].open());
    open_source_ = source;
  }
  return &file_->outbox();
}

void Lane::Refresh(std::size_t source, Instant now) {
  Head& head = heads_[source];
  head.stale = false;
  head.due.reset();
  head.next.reset();
  const auto read = [&]() -> Status {
    PK_ASSIGN_OR_RETURN(storage::Outbox* const outbox, OutboxOf(source));
    PK_ASSIGN_OR_RETURN(std::vector<storage::OutboxEntry> due,
                        outbox->Due(settings_.output, now, 1));
    if (!due.empty()) {
      head.due = std::move(due.front());
      return {};
    }
    PK_ASSIGN_OR_RETURN(const storage::OutputQueue queue, outbox->Queue(settings_.output, now));
    head.next = queue.next;
    return {};
  };
  if (const Status status = read(); !status) {
    if (status.error().kind == ErrorKind::kNotFound) return;  // nothing was read of it yet
    LogError("output.unreadable", status.error(), {{"tenant", sources_[source].tenant}});
    head.next = now + kReopen;
    open_source_.reset();
  }
}

// What a receiver has must not be sent again because a disk was full.
bool Lane::WriteDown() {
  while (!unwritten_.empty()) {
    const Unwritten& one = unwritten_.back();
    const auto write = [&]() -> Status {
      PK_ASSIGN_OR_RETURN(storage::Outbox* const outbox, OutboxOf(one.source));
      return outbox->Acknowledged(one.id, one.receipt, one.when);
    };
    if (const Status status = write(); !status) {
      if (status.error().kind != ErrorKind::kTransient) {
        LogError("output.unwritten", status.error(), {{"tenant", sources_[one.source].tenant}});
      }
      return false;
    }
    heads_[one.source].stale = true;
    ++delivered_;
    unwritten_.pop_back();
  }
  return true;
}

std::optional<std::size_t> Lane::Choose(Instant now) {
  std::optional<std::size_t> chosen;
  const auto order = [this](std::size_t i) {
    const Head& head = heads_[i];
    return std::make_tuple(head.due->priority, head.served, head.due->created, i);
  };
  for (std::size_t i = 0; i < heads_.size(); ++i) {
    if (heads_[i].stale || (heads_[i].next && *heads_[i].next <= now)) Refresh(i, now);
    if (heads_[i].due && (!chosen || order(i) < order(*chosen))) chosen = i;
  }
  if (chosen && breaker_.WantsAnother()) ChooseLeastTried(now, chosen);
  return chosen;
}

void Lane::ChooseLeastTried(Instant now, std::optional<std::size_t>& chosen) {
  std::optional<storage::OutboxEntry> least;
  for (std::size_t i = 0; i < heads_.size(); ++i) {
    if (!heads_[i].due) continue;
    const Result<storage::Outbox*> outbox = OutboxOf(i);
    if (!outbox) continue;
    auto due = (*outbox)->Due(settings_.output, now, 1, storage::DueOrder::kFewestTries);
    if (!due || due->empty() || (least && least->attempts <= due->front().attempts)) continue;
    least = std::move(due->front());
    chosen = i;
  }
  if (least) heads_[*chosen].due = std::move(least);
}

Lane::Step Lane::Later(Instant now) const {
  std::optional<Instant> next;
  bool waiting = false;
  for (const Head& head : heads_) {
    waiting = waiting || head.due || head.next;
    if (head.next && (!next || *head.next < *next)) next = head.next;
    if (head.due) next = now;
  }
  if (!waiting) return {.next = Step::Next::kIdle};
  return {.next = Step::Next::kWait, .until = std::max(*next, breaker_.state().not_before)};
}

Lane::Step Lane::Advance(const std::stop_token& stop) {
  if (stop.stop_requested()) return {.next = Step::Next::kStopped};
  const Instant now = clock_.Now();
  if (!WriteDown()) return {.next = Step::Next::kWait, .until = now + kSecond};
  if (breaker_.Open(now)) {
    for (std::size_t i = 0; i < heads_.size(); ++i) {
      if (heads_[i].stale) Refresh(i, now);
    }
    return Later(now);
  }
  const std::optional<std::size_t> chosen = Choose(now);
  if (!chosen) return Later(now);
  if (last_sent_) {
    const auto ready = *last_sent_ + output_->Pace();
    if (const auto steady = clock_.Steady(); steady < ready) {
      return {.next = Step::Next::kPace,
              .wait = std::chrono::duration_cast<std::chrono::milliseconds>(ready - steady) +
                      std::chrono::milliseconds(1)};
    }
  }
  return Try(*chosen, stop);
}

Lane::Step Lane::Try(std::size_t source, const std::stop_token& stop) {
  Head& head = heads_[source];
  const storage::OutboxEntry entry = *std::exchange(head.due, std::nullopt);
  head.stale = true;
  head.served = ++turn_;
  const Instant now = clock_.Now();
  const auto work = [&]() -> Status {
    if (now - entry.created > settings_.give_up_after) {
      return Bury(source, entry,
                  {.kind = ErrorKind::kLimit,
                   .message = fmt::format("it waited longer than {}{}",
                                          FormatTimespan(settings_.give_up_after),
                                          entry.error.empty() ? "" : "; last: " + entry.error)});
    }
    PK_ASSIGN_OR_RETURN(const bool digested, Digest(source, now));
    if (digested) return {};
    PK_ASSIGN_OR_RETURN(const Message message, MessageOf(source, entry));
    const Attempt attempt = output_->Send(message, stop);
    last_sent_ = clock_.Steady();
    if (attempt.fate != Fate::kDelivered && attempt.error.kind == ErrorKind::kCancelled) return {};
    return Settle(source, entry, attempt);
  };
  if (const Status status = work(); !status) {
    // Nothing is lost: what was not written down is tried again.
    LogError("output.unwritten", status.error(), {{"tenant", sources_[source].tenant}});
    head.stale = false;
    head.next = now + kSecond;
  }
  return {.next = stop.stop_requested() ? Step::Next::kStopped : Step::Next::kAgain};
}

Result<bool> Lane::Digest(std::size_t source, Instant now) {
  using Folding = storage::Outbox::Folding;
  if (breaker_.Failing()) return false;  // the most urgent one tries first whether it is back
  const Folding folding = output_->ForPeople() ? Folding::kFold : Folding::kAnnounce;
  PK_ASSIGN_OR_RETURN(storage::Outbox* const outbox, OutboxOf(source));
  PK_ASSIGN_OR_RETURN(const std::vector<storage::OutboxEntry> waiting,
                      outbox->Waiting(settings_.output, now - kDigestAfter,
                                      folding == Folding::kFold ? kFoldedFrom : 1, kMostInDigest));
  if (waiting.size() < kFewestInDigest) return false;
  std::vector<std::string> ids;
  for (const storage::OutboxEntry& entry : waiting) ids.push_back(entry.id);
  PK_RETURN_IF_ERROR(
      outbox->PutDigest(MakeDigest(waiting, folding, sources_[source].tenant, now), ids, folding));
  return true;
}

Result<Message> Lane::MessageOf(std::size_t source, const storage::OutboxEntry& entry) {
  PK_ASSIGN_OR_RETURN(storage::Outbox* const outbox, OutboxOf(source));
  PK_ASSIGN_OR_RETURN(const std::optional<storage::Delivery> last,
                      outbox->LastDelivery(settings_.output, entry.incident));
  // What the receiver never heard of is opened, whatever became of it meanwhile.
  const std::string type = entry.kind == "incident" ? (last ? kUpdated : kOpened) : entry.kind;
  return Message{.id = entry.id,
                 .type = type,
                 .tenant = sources_[source].tenant,
                 .priority = entry.priority,
                 .created = entry.created,
                 .body = entry.body,
                 .receipt = last ? last->receipt : std::string()};
}

Status Lane::Settle(std::size_t source, const storage::OutboxEntry& entry, const Attempt& attempt) {
  switch (attempt.fate) {
    case Fate::kDelivered:
      return Delivered(source, entry, attempt);
    case Fate::kRetry:
    case Fate::kNotConfigured:
      return Failed(source, entry, attempt);
    case Fate::kRefused:
      breaker_.Refused(attempt.error, clock_.Now());
      PK_RETURN_IF_ERROR(Bury(source, entry, attempt.error));
      return Save();
  }
  return {};
}

Status Lane::Delivered(std::size_t source, const storage::OutboxEntry& entry,
                       const Attempt& attempt) {
  unwritten_.push_back({source, entry.id, attempt.receipt, clock_.Now()});
  (void)WriteDown();
  const std::string last = breaker_.state().error;
  const std::vector<std::string> failed = breaker_.Succeeded(clock_.Now());
  if (std::exchange(noted_, false) && on_note_) on_note_({settings_.output, std::nullopt});
  PK_RETURN_IF_ERROR(StrikeAll(failed, last));
  return Save();
}

Status Lane::StrikeAll(const std::vector<std::string>& failed, const std::string& last) {
  for (const std::string& key : failed) {
    const std::size_t tab = key.find('\t');
    const auto found = std::find_if(sources_.begin(), sources_.end(), [&](const Source& source) {
      return source.tenant == key.substr(0, tab);
    });
    if (tab == std::string::npos || found == sources_.end()) continue;
    const auto source = static_cast<std::size_t>(found - sources_.begin());
    PK_ASSIGN_OR_RETURN(storage::Outbox* const outbox, OutboxOf(source));
    const std::string id = key.substr(tab + 1);
    PK_ASSIGN_OR_RETURN(const std::int64_t strikes, outbox->Strike(id));
    if (strikes < kMostStrikes) continue;
    const storage::OutboxEntry entry{.id = id, .kind = "incident"};
    PK_RETURN_IF_ERROR(
        Bury(source, entry,
             {.kind = ErrorKind::kRefused,
              .message = fmt::format("it failed {} times while others went through; last: {}",
                                     strikes, last)}));
  }
  return {};
}

Status Lane::Failed(std::size_t source, const storage::OutboxEntry& entry, const Attempt& attempt) {
  const Instant now = clock_.Now();
  const Timespan wait = breaker_.Failed(KeyOf(source, entry, sources_), entry, attempt, now);
  PK_ASSIGN_OR_RETURN(storage::Outbox* const outbox, OutboxOf(source));
  PK_RETURN_IF_ERROR(outbox->Postponed(entry.id, ErrorText(attempt.error), now + wait));
  if (!std::exchange(noted_, true)) {  // once, not at every try
    LogError("output.failed", attempt.error, {{"output", settings_.output}});
    if (on_note_) on_note_({settings_.output, attempt.error});
  }
  const bool long_since = now - breaker_.state().failing_since.value_or(now) > kTellDownAfter;
  if (attempt.fate == Fate::kNotConfigured || long_since) {
    PK_RETURN_IF_ERROR(TellDown(attempt.error));
  }
  return Save();
}

Status Lane::TellDown(const Error& error) {
  const Instant since = breaker_.state().failing_since.value_or(clock_.Now());
  const Result<std::size_t> told =
      alerts_.Raise({.key = "down\n" + settings_.output + "\n" + FormatRfc3339(since),
                     .subject = "output.down:" + settings_.output,
                     .title = fmt::format("The output '{}' does not deliver", settings_.output),
                     .text = fmt::format("Since {}: {}", FormatRfc3339(since), error.message),
                     .hint = error.hint,
                     .output = settings_.output,
                     .tenant = {},
                     .time = clock_.Now()});
  return told ? Status() : Fail(told.error());
}

Status Lane::Bury(std::size_t source, const storage::OutboxEntry& entry, const Error& why) {
  const std::string& tenant = sources_[source].tenant;
  if (entry.kind != kAgentAlert && entry.kind != kTest) {
    const Result<std::size_t> told = alerts_.Raise(
        {.key = "dead\n" + entry.id,
         .subject = "output.dead:" + settings_.output,
         .title = fmt::format("The output '{}' could not deliver an incident", settings_.output),
         .text = why.message,
         .hint =
             why.hint.empty() ? "'picket status' and 'picket incidents list' show more." : why.hint,
         .output = settings_.output,
         .tenant = tenant,
         .time = clock_.Now()});
    if (!told) return Fail(told.error());
  }
  LogError("output.dead", why, {{"output", settings_.output}, {"tenant", tenant}});
  PK_ASSIGN_OR_RETURN(storage::Outbox* const outbox, OutboxOf(source));
  return outbox->Dead(entry.id, ErrorText(why));
}

Status Lane::Save() { return agent_.PutOutput(settings_.output, breaker_.state()); }

}  // namespace picket::outputs

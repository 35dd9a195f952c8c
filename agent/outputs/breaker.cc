#include "agent/outputs/breaker.h"

#include <algorithm>
#include <utility>

namespace picket::outputs {
namespace {

constexpr std::size_t kOpensAt = 3;
constexpr Timespan kFirstWait = kSecond * 30;
constexpr Timespan kLongestWait = kMinute * 15;
constexpr Timespan kLongestEntryWait = kMinute * 5;
constexpr Timespan kLongestPoisonWait = kHour;
// Only the operator helps: asked again now and then, in case that he has.
constexpr Timespan kOperatorWait = kMinute * 15;

Timespan Doubled(Timespan first, std::int64_t times, Timespan most) {
  Timespan span = first;
  for (; times > 0 && span < most; --times) span = span * 2;
  return std::min(span, most);
}

}  // namespace

void Breaker::Note(const Error& error, Instant now) {
  if (!state_.failing_since) state_.failing_since = now;
  state_.error_kind = ErrorKindName(error.kind);
  state_.error = error.message;
  state_.hint = error.hint;
}

void Breaker::OpenFor(Timespan span, Instant now) {
  state_.not_before = now + span;
  ++state_.openings;
  state_.failing.clear();  // it was not their fault
  second_ = false;
}

std::vector<std::string> Breaker::Succeeded(Instant now) {
  std::vector<std::string> failed = std::exchange(state_.failing, {});
  state_ = {};
  state_.last_success = now;
  second_ = false;
  return failed;
}

Timespan Breaker::Failed(const std::string& key, const storage::OutboxEntry& entry,
                         const Attempt& attempt, Instant now) {
  Note(attempt.error, now);
  if (attempt.fate == Fate::kNotConfigured) {
    OpenFor(kOperatorWait, now);
    return {};
  }
  const auto& failing = state_.failing;
  if (std::find(failing.begin(), failing.end(), key) == failing.end()) {
    state_.failing.push_back(key);
  }
  if (attempt.after) {
    OpenFor(Timespan{attempt.after->count() * 10'000}, now);
    return {};
  }
  const bool probing = state_.openings > 0;
  if (probing && !second_) {  // the receiver may be well, and this entry its poison
    second_ = true;
  } else if (probing || state_.failing.size() >= kOpensAt) {
    OpenFor(Doubled(kFirstWait, state_.openings, kLongestWait), now);
    return {};
  }
  if (entry.strikes > 0) return Doubled(kFirstWait, entry.strikes, kLongestPoisonWait);
  return probing ? kFirstWait : Doubled(kFirstWait, entry.attempts, kLongestEntryWait);
}

void Breaker::Refused(const Error& error, Instant now) {
  const std::optional<Instant> last_success = state_.last_success;
  (void)Succeeded(now);
  state_.last_success = last_success;
  state_.error_kind = ErrorKindName(error.kind);
  state_.error = error.message;
  state_.hint = error.hint;
}

}  // namespace picket::outputs

// What of a stream an operator must learn of.

#include "agent/poll/stream.h"

namespace picket::poll {

bool LacksLicence(const storage::StreamState& state) {
  return state.state == "off" && state.last_error.find("licence") != std::string::npos;
}

// One that was read once and is not licensed any more is a loss.
bool Stream::IsUnlicensed() const {
  return !named_ && state_.last_success.ticks == 0 && LacksLicence(state_);
}

// The reason is the error and its remedy.
std::string Stream::LastHint() const {
  const bool both = state_.reason.size() > state_.last_error.size() + 2;
  return both ? state_.reason.substr(state_.last_error.size() + 2) : "";
}

Error Stream::LastError() const {
  const ErrorKind unknown = state_.state == "off" ? ErrorKind::kPermission : ErrorKind::kTransient;
  return {.kind = ErrorKindNamed(state_.error_kind).value_or(unknown),
          .message = state_.last_error,
          .hint = LastHint()};
}

std::optional<HeldStream> Stream::Held() const {
  if (usable_) return std::nullopt;
  return HeldStream{.stream = name(), .until = state_.not_before, .error = LastError()};
}

bool Stream::IsWell() const {
  if (state_.state == "off") {
    const bool never = state_.last_success.ticks == 0;
    const std::optional<ErrorKind> kind = ErrorKindNamed(state_.error_kind);
    const bool no_such = kind == ErrorKind::kNotFound || kind == ErrorKind::kRefused;
    return LacksLicence(state_) || (never && no_such);
  }
  // What is stuck is asked for again for weeks; a part of the past, not the stream.
  return state_.state == "ok" || state_.state == "stuck";
}

std::vector<HealthEvent> Stream::Health(Instant now) const {
  std::vector<HealthEvent> events;
  const auto add = [&](HealthEvent::Kind kind, std::string message, std::string hint) {
    events.push_back({kind, name(), std::move(message), std::move(hint)});
  };
  const bool refused = state_.state == "off" && probe_.refusals > 0;
  if (refused) {
    add(LacksLicence(state_) ? HealthEvent::Kind::kLicence : HealthEvent::Kind::kPermission,
        state_.last_error, LastHint());
  }
  if (lost_ > 0) {
    add(HealthEvent::Kind::kLostWindow,
        std::to_string(lost_) + " part(s) were not read while Graph still had them",
        "Picket did not run, or could not read, for longer than Graph keeps. 'picket status' lists "
        "them.");
  }
  if (stuck_ > 0) {
    add(HealthEvent::Kind::kStuck,
        std::to_string(stuck_) + " window(s) were passed by: Graph did not answer for them",
        "Picket asks for them again.");
  }
  // What the cloud never gave is off, and no news.
  const bool never = state_.last_success.ticks == 0;
  if (refused || probe_.anchor.ticks == 0 || (never && state_.state == "off")) return events;
  constexpr std::int64_t kMissed = 4;
  const Timespan patience = std::max(state_.interval, settings_.poll_interval) * kMissed + kHour;
  const Instant since = never ? probe_.anchor + settings_.first_window : state_.last_success;
  if (since + patience < now) {
    add(HealthEvent::Kind::kStalled,
        (never ? "never read, since " : "not read since ") + FormatRfc3339(since), state_.reason);
  }
  return events;
}

}  // namespace picket::poll

#include "auth/token_cache.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace picket::auth {
namespace {

using std::chrono::milliseconds;

// For the request that the token is for, and for clocks that differ.
constexpr Timespan kSpare = kSecond * 30;

milliseconds HoldOff(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kAuth:
      return std::chrono::minutes(1);
    case ErrorKind::kPermission:
    case ErrorKind::kInternal:  // a request that Entra calls malformed stays so
      return std::chrono::minutes(5);
    case ErrorKind::kInvalidConfig:
      // Without a remote code nothing was refused: a file of ours is amiss, and soon mended.
      return error.remote_code.empty() ? std::chrono::seconds(1) : std::chrono::minutes(5);
    case ErrorKind::kThrottled:
      return error.retry_after.value_or(std::chrono::seconds(5));
    default:
      return std::chrono::seconds(1);
  }
}

Error Remembered(Error error, milliseconds left) {
  if (error.retry_after) error.retry_after = std::max(left, milliseconds(1));
  return error;
}

}  // namespace

std::string TokenCache::KeyOf(const AppSettings& app, const Guid& tenant,
                              std::string_view audience) {
  return app.name + "\n" + app.client_id + "\n" + ToString(tenant) + "\n" + std::string(audience);
}

Result<SecretString> TokenCache::Get(const AppSettings& app, const Guid& tenant,
                                     std::string_view audience, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  Entry& entry = entries_[KeyOf(app, tenant, audience)];  // stays where it is: std::map
  while (true) {
    const Instant now = clock_.Now();
    const Clock::Ticks steady = clock_.Steady();
    const bool held = entry.failure && steady < entry.asked_again_from;
    if (entry.token) {
      const bool good = now + kSpare < entry.token->expires;
      if (now < entry.token->refresh_from || (good && (held || entry.refreshing))) {
        return entry.token->value.Clone();
      }
    }
    if (held) {
      return Fail(Remembered(*entry.failure, std::chrono::duration_cast<milliseconds>(
                                                 entry.asked_again_from - steady)));
    }
    if (!entry.refreshing) break;
    if (!refreshed_.wait(lock, stop, [&entry] { return !entry.refreshing; })) {
      return Fail({.kind = ErrorKind::kCancelled, .message = "stopped"});
    }
  }
  entry.refreshing = true;
  const std::string claims = entry.claims;
  lock.unlock();
  Result<Token> token = client_.Request(app, tenant, audience, claims, stop);
  lock.lock();
  entry.refreshing = false;
  refreshed_.notify_all();
  if (!token) {
    Remember(entry, token.error());
    const bool good = entry.token && clock_.Now() + kSpare < entry.token->expires;
    if (good && token.error().kind != ErrorKind::kCancelled) return entry.token->value.Clone();
    return Fail(std::move(token).error());
  }
  entry.failure.reset();
  if (entry.claims != claims) {  // they came meanwhile, and this token would be refused for them
    lock.unlock();
    return Get(app, tenant, audience, std::move(stop));
  }
  entry.token = *std::move(token);
  entry.met = std::exchange(entry.claims, {});
  return entry.token->value.Clone();
}

void TokenCache::Remember(Entry& entry, const Error& error) {
  if (error.kind == ErrorKind::kCancelled) return;  // the caller's wish, not the endpoint's word
  entry.failure = error;
  entry.asked_again_from = clock_.Steady() + HoldOff(error);
}

std::optional<std::vector<std::string>> TokenCache::Roles(const AppSettings& app,
                                                          const Guid& tenant,
                                                          std::string_view audience) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(KeyOf(app, tenant, audience));
  if (found == entries_.end() || !found->second.token) return std::nullopt;
  return found->second.token->roles;
}

void TokenCache::Reject(const AppSettings& app, const Guid& tenant, std::string_view audience,
                        std::string_view token, std::string_view claims) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[KeyOf(app, tenant, audience)];
  const bool current = entry.token && entry.token->value.Reveal() == token;
  // Another may have renewed it in the meantime.
  if (!current && (claims.empty() || (entry.token && entry.met == claims))) return;
  entry.token.reset();
  if (!claims.empty()) entry.claims = claims;
}

}  // namespace picket::auth

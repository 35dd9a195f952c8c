#include "auth/token_cache.h"

namespace picket::auth {

std::string TokenCache::KeyOf(const AppSettings& app, const Guid& tenant,
                              std::string_view audience) {
  return app.client_id + "\n" + ToString(tenant) + "\n" + std::string(audience);
}

Result<SecretString> TokenCache::Get(const AppSettings& app, const Guid& tenant,
                                     std::string_view audience, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  Entry& entry = entries_[KeyOf(app, tenant, audience)];
  while (true) {
    const Instant now = clock_.Now();
    if (entry.token && now < entry.token->refresh_from) return entry.token->value.Clone();
    if (entry.refusal && now < entry.refused_until) return Fail(*entry.refusal);
    if (!entry.refreshing) break;
    // Someone is at it already.
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
  if (token) {
    entry.token = *std::move(token);
    entry.refusal.reset();
    entry.claims.clear();
    return entry.token->value.Clone();
  }
  Error error = std::move(token).error();
  // What is still good for a while is better than nothing.
  if (entry.token && clock_.Now() + kSecond * 30 < entry.token->expires &&
      error.kind != ErrorKind::kCancelled) {
    return entry.token->value.Clone();
  }
  if (error.kind == ErrorKind::kAuth || error.kind == ErrorKind::kPermission ||
      error.kind == ErrorKind::kInvalidConfig) {
    entry.refusal = error;
    entry.refused_until = clock_.Now() + kMinute;
  }
  return Fail(std::move(error));
}

std::vector<std::string> TokenCache::Roles(const AppSettings& app, const Guid& tenant,
                                           std::string_view audience) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(KeyOf(app, tenant, audience));
  if (found == entries_.end() || !found->second.token) return {};
  return found->second.token->roles;
}

void TokenCache::Reject(const AppSettings& app, const Guid& tenant, std::string_view audience,
                        std::string_view token, std::string_view claims) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[KeyOf(app, tenant, audience)];
  // Another may have renewed it in the meantime.
  if (entry.token && entry.token->value.Reveal() == token) {
    entry.token.reset();
    entry.claims = claims;
  }
}

}  // namespace picket::auth

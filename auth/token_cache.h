#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "auth/token_client.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace picket::auth {

// The tokens of all tenants, in memory only. Renews early; one refresh at a time for an app, tenant
// and audience, the others use the token that is still good or wait. A failure is remembered and
// given again for a while instead of asking anew: a rejected credential for a minute, what only the
// configuration or an administrator can repair for five, a throttling for as long as it says, all
// else for a second. A failed renewal leaves the old token in use while it is good. Thread-safe.
class TokenCache {
 public:
  TokenCache(const TokenClient& client, const Clock& clock) : client_(client), clock_(clock) {}

  [[nodiscard]] Result<SecretString> Get(const AppSettings& app, const Guid& tenant,
                                         std::string_view audience, std::stop_token stop);
  // The application roles in the token last given; nullopt before, and when it does not say. A
  // token without any is issued too: the lack shows only as 403 at the resource.
  [[nodiscard]] std::optional<std::vector<std::string>> Roles(const AppSettings& app,
                                                              const Guid& tenant,
                                                              std::string_view audience);
  // The resource refused this token (401); the next Get asks for another, with these claims (the
  // JSON of a claims challenge, "" without one). Without claims nothing happens when the token is
  // no longer the current one. A challenge is for the application, not for one of its tokens: it
  // holds until a token was asked for with its claims, whoever meets it first.
  void Reject(const AppSettings& app, const Guid& tenant, std::string_view audience,
              std::string_view token, std::string_view claims);

 private:
  struct Entry {
    std::optional<Token> token;
    std::optional<Error> failure;
    Clock::Ticks asked_again_from;  // monotonic: a step of the wall clock must not shut us out
    std::string claims;             // demanded of the next token
    std::string met;                // those that the token was asked for with
    bool refreshing = false;
  };
  void Remember(Entry& entry, const Error& error);
  static std::string KeyOf(const AppSettings& app, const Guid& tenant, std::string_view audience);

  const TokenClient& client_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any refreshed_;
  std::map<std::string, Entry> entries_;
};

}  // namespace picket::auth

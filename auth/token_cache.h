#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "auth/token_client.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace picket::auth {

// The tokens of all tenants, in memory only. Renews early; one refresh at a time for a tenant and
// audience, the others wait for it; a refusal is not asked again for a minute. Thread-safe.
class TokenCache {
 public:
  TokenCache(const TokenClient& client, const Clock& clock) : client_(client), clock_(clock) {}

  [[nodiscard]] Result<SecretString> Get(const AppSettings& app, const Guid& tenant,
                                         std::string_view audience, std::stop_token stop);
  // The roles of the token last given; empty before.
  [[nodiscard]] std::vector<std::string> Roles(const AppSettings& app, const Guid& tenant,
                                               std::string_view audience);
  // The resource refused this token; the next Get asks for another, with these claims.
  void Reject(const AppSettings& app, const Guid& tenant, std::string_view audience,
              std::string_view token, std::string_view claims);

 private:
  struct Entry {
    std::optional<Token> token;
    std::optional<Error> refusal;
    Instant refused_until;
    std::string claims;
    bool refreshing = false;
  };
  static std::string KeyOf(const AppSettings& app, const Guid& tenant, std::string_view audience);

  const TokenClient& client_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any refreshed_;
  std::map<std::string, Entry> entries_;
};

}  // namespace picket::auth

#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "tests/simulator/directory.h"
#include "tests/simulator/faults.h"
#include "tests/simulator/reply.h"

namespace picket::simulator {

// An error of Entra ID's, by its published number.
struct AadSts {
  int number = 0;
  std::string error;  // "invalid_client"
  int status = 400;
  std::string message;
};
// Numbers that the simulator gives; the error's name and status follow from them.
AadSts MakeAadSts(int number, std::string message);
Reply AadStsReply(const Call& call, const AadSts& error);

// What an access token of ours says.
struct TokenClaims {
  std::string tenant, app, audience, id;
  std::vector<std::string> roles;
  Instant not_before, expires;
};

struct EntraSettings {
  Timespan token_lifetime;
  bool refuse_replays = true;
};

// login.microsoftonline.com: the v2.0 token endpoint for client credentials, and the discovery
// documents that Microsoft's own clients ask for. Thread-safe.
class Entra {
 public:
  Entra(const Directory& directory, EntraSettings settings)
      : directory_(directory), settings_(settings) {}
  // Once, before the first request: where we are reached.
  void SetUrl(std::string url) { url_ = std::move(url); }

  // nullopt when the path is none of Entra's.
  [[nodiscard]] std::optional<Reply> Answer(const Call& call, const std::optional<Fault>& fault);
  // The tenant of a path of Entra's, "" for none.
  [[nodiscard]] static std::string TenantOf(std::string_view path);

  // The claims of a token that we issued, whatever became of it since; nullopt for any other.
  [[nodiscard]] static std::optional<TokenClaims> Read(std::string_view token);
  [[nodiscard]] bool IsRevoked(const TokenClaims& token) const;
  // Continuous access evaluation: the token is revoked, and the next ones of its app in its tenant
  // until one was asked for with the claims of the challenge.
  void Challenge(const TokenClaims& token);
  [[nodiscard]] bool IsChallenged(const TokenClaims& token) const;
  void RevokeAll();

 private:
  struct Resource {
    std::string audience;
    bool graph = false;
  };
  [[nodiscard]] Reply Token(const Call& call, const std::string& tenant,
                            const std::optional<Fault>& fault);
  [[nodiscard]] std::optional<AadSts> CheckApp(const Call& call, const TenantSpec& tenant,
                                               std::string& client_id);
  [[nodiscard]] std::optional<AadSts> CheckAssertion(const Call& call, const AppSpec& app,
                                                     const std::string& assertion);
  [[nodiscard]] std::optional<AadSts> CheckScope(const std::string& scope,
                                                 Resource& resource) const;
  [[nodiscard]] Reply Issue(const Call& call, const TenantSpec& tenant, const std::string& app,
                            const Resource& resource);
  [[nodiscard]] Reply OpenIdConfiguration(const std::string& tenant) const;
  [[nodiscard]] Reply InstanceDiscovery(const Call& call) const;

  const Directory& directory_;
  const EntraSettings settings_;
  std::string url_;
  mutable std::mutex mutex_;
  std::map<std::string, Instant> seen_assertions_;       // client id and jti → its end
  std::set<std::string> issued_, revoked_, challenged_;  // ids of tokens
  std::set<std::string> challenges_;                     // apps and tenants
};

}  // namespace picket::simulator

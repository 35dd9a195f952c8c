#pragma once

#include <string>
#include <utility>

#include "agent/graph/token_source.h"
#include "auth/token_cache.h"

namespace picket::graph {

// One tenant's tokens for Graph, from the cache that all tenants share. What it refers to must
// outlive it. Thread-safe.
class CachedTokens final : public TokenSource {
 public:
  // `audience` as the cloud settings give it: "https://graph.microsoft.com".
  CachedTokens(auth::TokenCache& cache, const auth::AppSettings& app, const Guid& tenant,
               std::string audience)
      : cache_(cache), app_(app), tenant_(tenant), audience_(std::move(audience)) {}

  [[nodiscard]] Result<SecretString> Token(std::stop_token stop) override {
    return cache_.Get(app_, tenant_, audience_, std::move(stop));
  }
  void Reject(std::string_view token, std::string_view claims) override {
    cache_.Reject(app_, tenant_, audience_, token, claims);
  }

 private:
  auth::TokenCache& cache_;
  const auth::AppSettings& app_;
  const Guid tenant_;
  const std::string audience_;
};

}  // namespace picket::graph

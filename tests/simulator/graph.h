#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/simulator/directory.h"
#include "tests/simulator/entra.h"
#include "tests/simulator/faults.h"
#include "tests/simulator/page.h"
#include "tests/simulator/reply.h"
#include "tests/simulator/store.h"
#include "tests/simulator/throttle.h"

namespace picket::simulator {

struct GraphSettings {
  bool limits = true;
  bool filter_by_last_update = true;
  PageSettings pages;
};

// graph.microsoft.com: the lists that Picket reads, in v1.0 and beta. Thread-safe.
class Graph {
 public:
  Graph(Directory& directory, Entra& entra, const Store& store, const GraphSettings& settings)
      : directory_(directory),
        entra_(entra),
        store_(store),
        settings_(settings),
        pager_(store, settings.pages) {}
  void SetUrl(std::string url) { url_ = std::move(url); }

  // Whose request it is, by its token, good or not; nullopt for a token that is not ours.
  [[nodiscard]] static std::optional<TokenClaims> Caller(const Call& call);
  [[nodiscard]] Reply Answer(const Call& call, const std::optional<TokenClaims>& caller,
                             const std::optional<Fault>& fault);

 private:
  struct Route {
    const ListSpec* list = nullptr;
    bool beta = false;
    std::string id;  // of one record; "" for the list
  };
  [[nodiscard]] std::optional<Reply> CheckToken(const Call& call,
                                                const std::optional<TokenClaims>& caller) const;
  [[nodiscard]] std::optional<Reply> CheckRights(const Call& call, const ListSpec& list,
                                                 const TokenClaims& caller,
                                                 const TenantSpec& tenant) const;
  [[nodiscard]] std::optional<Route> FindRoute(const std::string& path) const;
  [[nodiscard]] Reply ListPage(const Call& call, const Route& route, const TenantSpec& tenant,
                               const Rendering& rendering, const std::optional<Fault>& fault);
  [[nodiscard]] Reply One(const Call& call, const Route& route, const TenantSpec& tenant,
                          const Rendering& rendering) const;
  [[nodiscard]] std::string PageBody(const Route& route, const Query& query,
                                     const Pager::Page& page,
                                     const std::optional<Fault>& fault) const;

  Directory& directory_;
  Entra& entra_;
  const Store& store_;
  const GraphSettings settings_;
  Pager pager_;
  Throttle throttle_;
  std::string url_;
};

// 403 in the list's own words.
Reply MissingRoleReply(const Call& call, const ListSpec& list);
Reply MissingLicenceReply(const Call& call, const ListSpec& list);

}  // namespace picket::simulator

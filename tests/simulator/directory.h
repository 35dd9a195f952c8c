#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulator/simulator.h"

namespace picket::simulator {

// Which tenants and applications there are. Thread-safe.
class Directory {
 public:
  void Put(TenantSpec tenant);
  void Put(AppSpec app);
  // By GUID in any case.
  [[nodiscard]] std::optional<TenantSpec> Tenant(std::string_view id) const;
  [[nodiscard]] std::optional<AppSpec> App(std::string_view client_id) const;
  // Another tenant than this one, for tokens that went astray.
  [[nodiscard]] std::optional<TenantSpec> OtherTenant(std::string_view id) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, TenantSpec, std::less<>> tenants_;
  std::map<std::string, AppSpec, std::less<>> apps_;
};

}  // namespace picket::simulator

#include "tests/simulator/directory.h"

#include "base/text.h"

namespace picket::simulator {

void Directory::Put(TenantSpec tenant) {
  const std::lock_guard lock(mutex_);
  std::string id = ToString(tenant.id);
  tenants_.insert_or_assign(std::move(id), std::move(tenant));
}

void Directory::Put(AppSpec app) {
  const std::lock_guard lock(mutex_);
  std::string id = AsciiLower(app.client_id);
  apps_.insert_or_assign(std::move(id), std::move(app));
}

std::optional<TenantSpec> Directory::Tenant(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto found = tenants_.find(AsciiLower(id));
  return found == tenants_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<AppSpec> Directory::App(std::string_view client_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = apps_.find(AsciiLower(client_id));
  return found == apps_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<TenantSpec> Directory::OtherTenant(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, tenant] : tenants_) {
    if (name != AsciiLower(id)) return tenant;
  }
  return std::nullopt;
}

}  // namespace picket::simulator

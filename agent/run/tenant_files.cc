#include "agent/run/tenant_files.h"

#include "agent/graph/collection.h"
#include "agent/tables/mapping.h"
#include "agent/tables/record_decoder.h"
#include "base/text.h"

namespace picket::run {

Result<std::unique_ptr<storage::TenantStore>> OpenTenant(const Settings& settings,
                                                         const Guid& tenant, bool read_only) {
  return storage::TenantStore::Open(
      settings.data_dir, tenant, tables::StreamSchemas(), tables::ValuesOf(tenant),
      {.read_only = read_only, .max_bytes = settings.max_size, .min_free = settings.min_free});
}

std::vector<std::string> StreamsOf(const Tenant& tenant) {
  if (!tenant.streams.empty()) return tenant.streams;
  std::vector<std::string> names;
  for (const graph::Collection& collection : graph::Collections()) {
    names.emplace_back(collection.stream);
  }
  return names;
}

Result<const Tenant*> FindTenant(const Settings& settings, std::string_view name) {
  std::vector<std::string_view> names;
  for (const Tenant& tenant : settings.tenants) {
    if (tenant.name == name || EqualsIgnoreCase(ToString(tenant.id), name)) return &tenant;
    names.push_back(tenant.name);
  }
  const std::string_view nearest = Nearest(name, names);
  return Fail({.kind = ErrorKind::kNotFound,
               .message = "no tenant '" + EscapeTerminal(name) + "' in the config",
               .hint = nearest.empty() ? "" : "Did you mean '" + std::string(nearest) + "'?"});
}

}  // namespace picket::run

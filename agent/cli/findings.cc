#include "agent/cli/findings.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/run/tenant_files.h"

namespace picket::cli {
namespace {

template <class View, class Load>
std::vector<View> ViewsOf(Context& context, const run::Settings& settings,
                          const std::vector<const run::Tenant*>& tenants, const Load& load) {
  std::vector<View> views;
  ReadEach(context, settings, tenants,
           [&](const run::Tenant& tenant, storage::TenantStore& store) -> Status {
             PK_ASSIGN_OR_RETURN(std::vector<View> own, load(store, tenant.name));
             std::move(own.begin(), own.end(), std::back_inserter(views));
             return {};
           });
  std::stable_sort(views.begin(), views.end(), [](const View& a, const View& b) {
    return a.priority != b.priority ? a.priority < b.priority : a.last_seen > b.last_seen;
  });
  return views;
}

}  // namespace

std::vector<const run::Tenant*> ChooseTenants(Context& context, const run::Settings& settings,
                                              const std::string& only) {
  std::vector<const run::Tenant*> tenants;
  if (only.empty()) {
    for (const run::Tenant& tenant : settings.tenants) tenants.push_back(&tenant);
    return tenants;
  }
  const Result<const run::Tenant*> tenant = run::FindTenant(settings, only);
  if (tenant) {
    tenants.push_back(*tenant);
  } else {
    Failed(context, tenant.error());
  }
  return tenants;
}

void ReadEach(Context& context, const run::Settings& settings,
              const std::vector<const run::Tenant*>& tenants, const ReadTenant& read) {
  std::size_t good = 0;
  bool bad = false;
  for (const run::Tenant* tenant : tenants) {
    auto store = run::OpenTenant(settings, tenant->id, /*read_only=*/true);
    if (!store && store.error().kind == ErrorKind::kNotFound) {
      Say(fmt::format("{}: {}. {}", tenant->name, store.error().message, store.error().hint));
      ++good;
      continue;
    }
    Status done = store ? read(*tenant, **store) : Status(Fail(store.error()));
    if (done) {
      ++good;
    } else {
      bad = true;
      Failed(context, std::move(done).error().In(tenant->name));
    }
  }
  if (bad && good > 0) context.exit_code = 3;
}

std::vector<alerts::AlertView> AlertsOf(Context& context, const run::Settings& settings,
                                        const std::vector<const run::Tenant*>& tenants, bool all,
                                        alerts::Evidence evidence) {
  return ViewsOf<alerts::AlertView>(context, settings, tenants,
                                    [&](storage::TenantStore& store, const std::string& name) {
                                      return alerts::LoadAlerts(store, name, all, evidence);
                                    });
}

std::vector<alerts::IncidentView> IncidentsOf(Context& context, const run::Settings& settings,
                                              const std::vector<const run::Tenant*>& tenants,
                                              bool all, alerts::Evidence evidence) {
  return ViewsOf<alerts::IncidentView>(context, settings, tenants,
                                       [&](storage::TenantStore& store, const std::string& name) {
                                         return alerts::LoadIncidents(store, name, all, evidence);
                                       });
}

}  // namespace picket::cli

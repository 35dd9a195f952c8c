#include "agent/cli/findings.h"

#include <algorithm>

#include "agent/run/tenant_files.h"

namespace picket::cli {
namespace {

template <class View>
std::vector<View> LoadFrom(Context& context, const run::Settings& settings, const std::string& only,
                           bool all, alerts::Evidence evidence,
                           Result<std::vector<View>> (*load)(storage::TenantStore&,
                                                             const std::string&, bool,
                                                             alerts::Evidence)) {
  std::vector<View> views;
  std::vector<const run::Tenant*> tenants;
  if (only.empty()) {
    for (const run::Tenant& tenant : settings.tenants) tenants.push_back(&tenant);
  } else {
    const Result<const run::Tenant*> tenant = run::FindTenant(settings, only);
    if (!tenant) {
      Failed(context, tenant.error());
      return views;
    }
    tenants.push_back(*tenant);
  }
  for (const run::Tenant* tenant : tenants) {
    auto store = run::OpenTenant(settings, tenant->id, /*read_only=*/true);
    if (!store) {
      if (store.error().kind == ErrorKind::kNotFound) continue;
      Failed(context, std::move(store).error().In(tenant->name));
      continue;
    }
    Result<std::vector<View>> own = load(**store, tenant->name, all, evidence);
    if (!own) {
      Failed(context, std::move(own).error().In(tenant->name));
      continue;
    }
    std::move(own->begin(), own->end(), std::back_inserter(views));
  }
  std::stable_sort(views.begin(), views.end(), [](const View& a, const View& b) {
    return a.priority != b.priority ? a.priority < b.priority : a.last_seen > b.last_seen;
  });
  return views;
}

}  // namespace

std::vector<alerts::AlertView> LoadAllAlerts(Context& context, const std::string& tenant, bool all,
                                             alerts::Evidence evidence) {
  const auto settings = LoadSettings(context);
  if (!settings) return {};
  return LoadFrom<alerts::AlertView>(context, *settings, tenant, all, evidence,
                                     &alerts::LoadAlerts);
}

std::vector<alerts::IncidentView> LoadAllIncidents(Context& context, const std::string& tenant,
                                                   bool all, alerts::Evidence evidence) {
  const auto settings = LoadSettings(context);
  if (!settings) return {};
  return IncidentsOf(context, *settings, tenant, all, evidence);
}

std::vector<alerts::IncidentView> IncidentsOf(Context& context, const run::Settings& settings,
                                              const std::string& tenant, bool all,
                                              alerts::Evidence evidence) {
  return LoadFrom<alerts::IncidentView>(context, settings, tenant, all, evidence,
                                        &alerts::LoadIncidents);
}

}  // namespace picket::cli

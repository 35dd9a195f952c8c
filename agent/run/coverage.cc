#include "agent/run/coverage.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "agent/graph/collection.h"
#include "agent/run/tenant_files.h"
#include "agent/tables/mapping.h"

namespace picket::run {
namespace {

bool Contains(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// "AuditLog.Read.All" → "AuditLog.ReadWrite.All"
std::string ToWrite(std::string_view role) {
  std::string text(role);
  const std::size_t at = text.find(".Read.");
  if (at != std::string::npos) text.replace(at, 6, ".ReadWrite.");
  return text;
}

// "" when the tenant gets rows of the table.
Result<std::string> WhyNoRows(storage::TenantStore* store, const std::vector<std::string>& polled,
                              const tables::TableMapping& table) {
  const std::string stream(table.stream);
  const bool collected = graph::FindCollection(stream) != nullptr;
  if (collected && Contains(polled, stream)) {
    if (store == nullptr) return std::string();
    PK_ASSIGN_OR_RETURN(const storage::StreamState state, store->streams().Get(stream));
    return state.state == "off" ? fmt::format("{} is off: {}", stream, state.reason)
                                : std::string();
  }
  if (store != nullptr) {
    PK_ASSIGN_OR_RETURN(const std::int64_t events, store->events().Count(stream));
    if (events > 0) return std::string();
  }
  return collected ? fmt::format("the config's streams leave {} out", stream)
                   : std::string("nothing was imported into it");
}

}  // namespace

std::vector<MissingRole> MissingRoles(const std::vector<std::string>& roles,
                                      const std::vector<std::string>& streams) {
  std::vector<MissingRole> missing;
  for (const graph::Collection& collection : graph::Collections()) {
    if (!Contains(streams, collection.stream)) continue;
    if (Contains(roles, collection.permission) || Contains(roles, ToWrite(collection.permission))) {
      continue;
    }
    auto found = std::find_if(missing.begin(), missing.end(), [&](const MissingRole& one) {
      return one.role == collection.permission;
    });
    if (found == missing.end()) {
      missing.push_back({.role = std::string(collection.permission), .streams = {}});
      found = std::prev(missing.end());
    }
    found->streams.emplace_back(collection.stream);
  }
  return missing;
}

Error ToError(const MissingRole& missing) {
  return {
      .kind = ErrorKind::kPermission,
      .message = fmt::format("the application lacks the permission {}; without it Picket cannot "
                             "read {}",
                             missing.role, fmt::join(missing.streams, ", ")),
      .hint = fmt::format(
          "In Entra ID, add the application permission {} to the app registration and grant "
          "admin consent in this tenant; or name in 'streams' what is to be read.",
          missing.role)};
}

Result<TablesWithoutRows> FindTablesWithoutRows(const Settings& settings, const Tenant& tenant) {
  auto store = OpenTenant(settings, tenant.id, /*read_only=*/true);
  if (!store && store.error().kind != ErrorKind::kNotFound) return Fail(store.error());
  return FindTablesWithoutRows(store ? store->get() : nullptr, tenant);
}

Result<TablesWithoutRows> FindTablesWithoutRows(storage::TenantStore* store, const Tenant& tenant) {
  TablesWithoutRows missing;
  const std::vector<std::string> polled = StreamsOf(tenant);
  for (const tables::TableMapping* table : tables::AllTables()) {
    PK_ASSIGN_OR_RETURN(std::string why, WhyNoRows(store, polled, *table));
    if (!why.empty()) missing.emplace(table->table, std::move(why));
  }
  return missing;
}

}  // namespace picket::run

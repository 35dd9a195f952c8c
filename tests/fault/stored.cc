#include "tests/fault/stored.h"

#include <algorithm>

#include "agent/graph/collection.h"
#include "agent/poll/settings.h"
#include "agent/tables/mapping.h"
#include "agent/tables/record_decoder.h"
#include "storage/tenant_store.h"

namespace picket::fault {
namespace {

Status ReadEvents(storage::TenantStore& store, const std::string& name, StoredStream& stream) {
  PK_ASSIGN_OR_RETURN(const std::vector<std::string> ids, store.events().Ids(name));
  for (const std::string& id : ids) {
    if (!stream.events.try_emplace(id).second) stream.twice.push_back(id);
  }
  std::map<std::int64_t, std::string> by_key;
  {
    PK_ASSIGN_OR_RETURN(storage::EventScan scan, store.events().Scan(name, {}));
    while (true) {
      PK_ASSIGN_OR_RETURN(const bool more, scan.Next());
      if (!more) break;
      PK_ASSIGN_OR_RETURN(const std::string_view json, scan.Json());
      PK_ASSIGN_OR_RETURN(const std::string id, store.events().IdOf(name, scan.key()));
      if (!stream.events[id].json.empty()) stream.twice.push_back(id);
      stream.events[id].json = json;
      by_key[scan.key()] = id;
    }
  }
  if (name != "signIns.interactive") return {};
  for (const auto& [key, id] : by_key) {
    PK_ASSIGN_OR_RETURN(stream.events[id].findings,
                        store.alerts().FindingsOfEvent(kSeedRule, name, key, id));
  }
  return {};
}

Status ReadLedger(storage::TenantStore& store, const std::string& name, StoredStream& stream) {
  PK_ASSIGN_OR_RETURN(const auto windows, store.ledger().Windows(name, ""));
  for (const storage::Window& window : windows) {
    stream.added += window.counts.added;
    if (window.state != "read" || window.kind == "reconcile") continue;
    stream.read.push_back({window.from, window.to});
    if (window.kind == "live") stream.live.push_back({window.from, window.to});
  }
  stream.read = storage::Merged(std::move(stream.read));
  const int stages = static_cast<int>(poll::Settings().reconcile_after.size());
  PK_ASSIGN_OR_RETURN(stream.progress, store.ledger().Progress(name, stages));
  PK_ASSIGN_OR_RETURN(const storage::StreamState state, store.streams().Get(name));
  stream.state = state.state;
  stream.reason = state.reason;
  return {};
}

}  // namespace

Result<Stored> ReadStored(const std::filesystem::path& data_dir, const Guid& tenant,
                          const std::vector<std::string>& streams) {
  Stored stored;
  if (!std::filesystem::exists(storage::TenantStore::PathOf(data_dir, tenant))) return stored;
  // Not read-only: a process that died may have left work for the next one to finish first.
  PK_ASSIGN_OR_RETURN(const std::unique_ptr<storage::TenantStore> store,
                      storage::TenantStore::Open(data_dir, tenant, tables::StreamSchemas(),
                                                 tables::ValuesOf(tenant), {}));
  stored.exists = true;
  PK_RETURN_IF_ERROR(store->Check());
  for (const graph::Collection& collection : graph::Collections()) {
    const std::string name(collection.stream);
    if (!streams.empty() && std::find(streams.begin(), streams.end(), name) == streams.end()) {
      continue;
    }
    StoredStream& stream = stored.streams[name];
    PK_RETURN_IF_ERROR(ReadEvents(*store, name, stream));
    PK_RETURN_IF_ERROR(ReadLedger(*store, name, stream));
  }
  PK_ASSIGN_OR_RETURN(const std::vector<storage::AlertRow> alerts, store->alerts().Alerts(true));
  for (const storage::AlertRow& alert : alerts) {
    PK_ASSIGN_OR_RETURN(auto findings, store->alerts().FindingsOfAlert(alert.id));
    stored.alerts.push_back({alert, std::move(findings)});
  }
  return stored;
}

}  // namespace picket::fault

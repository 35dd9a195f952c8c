#include "tests/poll/poll_fixture.h"

#include "agent/tables/mapping.h"

namespace picket::poll {

Bench::Bench(PlayClock& play_clock, const std::filesystem::path& dir, const std::string& name,
             unsigned seed, std::vector<std::string> streams)
    : clock(play_clock), directory(dir / name), graph(play_clock, seed) {
  tenant.name = name;
  tenant.id = Uuid5(kPicketNamespace, name);
  tenant.app = "app";
  tenant.streams = std::move(streams);
  settings.backfill = kDay * 2;
  settings.once_backfill = kHour;
}

void Bench::Restart() {
  poller.reset();
  client.reset();
  store.reset();
  budgets.reset();
  journal.reset();
  agent_store.reset();
  agent_store = storage::AgentStore::Open(directory).value();
  journal = std::make_unique<StoredJournal>(*agent_store);
  budgets = std::make_unique<graph::Budgets>(clock, journal.get());
  ASSERT_TRUE(budgets->Load());
  auto opened = storage::TenantStore::Open(directory, tenant.id, tables::StreamSchemas(), {},
                                           {.max_bytes = max_bytes});
  ASSERT_TRUE(opened) << opened.error().message;
  store = *std::move(opened);
  client = std::make_unique<graph::Client>(graph, tokens, clock, graph::ClientSettings{});
  poller = std::make_unique<TenantPoller>(tenant, settings, *store, *client, *budgets, clock);
  const Status loaded = poller->Load();
  ASSERT_TRUE(loaded) << loaded.error().message;
}

TenantRound Bench::Round(const RoundOptions& options) {
  if (!poller) Restart();
  return RunRound({poller.get()}, settings, options, clock, nullptr, {}).front();
}

std::set<std::string> Bench::Stored(const std::string& stream) {
  const std::vector<std::string> ids = store->events().Ids(stream).value();
  const std::set<std::string> unique(ids.begin(), ids.end());
  EXPECT_EQ(unique.size(), ids.size()) << "no row twice";
  return unique;
}

std::set<std::string> Bench::Emitted(const std::string& stream) {
  std::set<std::string> ids;
  for (const auto& [id, event] : graph.Events(stream)) ids.insert(id);
  return ids;
}

std::string Bench::JsonOf(const std::string& stream, const std::string& id) {
  auto scan = store->events().Scan(stream, {}).value();
  while (scan.Next().value()) {
    const std::string json(scan.Json().value());
    if (json.find("\"" + id + "\"") != std::string::npos) return json;
  }
  return "";
}

StreamStatus Bench::StatusOf(const std::string& stream) {
  return ReadStatus(*store, {stream}, settings).value().front();
}

}  // namespace picket::poll

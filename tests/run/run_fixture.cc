#include "tests/run/run_fixture.h"

#include <fstream>

#include "agent/run/tenant_files.h"
#include "base/files.h"
#include "tests/simulator/generator.h"

namespace picket::run {

namespace fs = std::filesystem;

void AgentTest::SetUp() {
  ASSERT_TRUE(simulator_.Start());
  simulator_.RegisterApp({.client_id = kApp, .secrets = {"secret"}});
  simulator_.RegisterApp({.client_id = kOtherApp, .expired_secrets = {"secret"}});
  ASSERT_TRUE(WriteFileAtomically(folder_ / "secret", "secret"));
  ASSERT_TRUE(WriteFileAtomically(folder_ / "ca.pem", simulator_.CaPem()));
  settings_.data_dir = folder_ / "data";
  settings_.cloud = {
      .authority = simulator_.Url(), .graph = simulator_.Url(), .arm = simulator_.Url()};
  settings_.network.ca_file = (folder_ / "ca.pem").string();
  settings_.poll.backfill = {};
  settings_.shipped_rules = false;
  settings_.min_free = 0;
  AddApp("", kApp);
  AddApp("other", kOtherApp);
  for (const Guid& tenant : {a_, b_}) simulator_.AddTenant({.id = tenant});
  settings_.tenants = {{.name = "a", .id = a_, .app = "", .streams = {kStream}},
                       {.name = "b", .id = b_, .app = "", .streams = {kStream}}};
}

void AgentTest::AddApp(const std::string& name, const char* client_id) {
  settings_.apps[name] = {.name = name,
                          .client_id = client_id,
                          .by_certificate = false,
                          .client_secret = SecretRef{"file", (folder_ / "secret").string()}};
}

void AgentTest::Emit(const Guid& tenant, int count, Instant now, int hours) {
  const simulator::Principal who{.id = "u", .name = "U", .user = "u@contoso.example"};
  for (int i = 0; i < count; ++i) {
    const Instant at = now - kMinute * 4 - Timespan{(kMinute * 50 * hours).ticks / count * i};
    simulator_.Emit(tenant, simulator::List::kSignIns,
                    SignInJson(tenant, ToString(Uuid5(tenant, std::to_string(i))), at, who,
                               "interactiveUser", ""),
                    at);
  }
}

void AgentTest::Break(const Guid& tenant) {
  const fs::path file = storage::TenantStore::PathOf(settings_.data_dir, tenant);
  ASSERT_TRUE(EnsurePrivateDirectory(settings_.data_dir));
  ASSERT_TRUE(EnsurePrivateDirectory(file.parent_path()));
  std::ofstream(file) << "this is no database, and long enough to be looked at as one";
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
}

void AgentTest::Mend(const Guid& tenant) {
  fs::remove(storage::TenantStore::PathOf(settings_.data_dir, tenant));
}

std::set<std::string> AgentTest::Stored(const Guid& tenant) {
  auto store = OpenTenant(settings_, tenant, /*read_only=*/true);
  EXPECT_TRUE(store) << (store ? "" : store.error().message);
  if (!store) return {};
  const auto ids = (*store)->events().Ids(kStream).value();
  return {ids.begin(), ids.end()};
}

void AgentTest::ExpectAllStored(const Guid& tenant) {
  EXPECT_EQ(Stored(tenant), simulator_.EmittedIds(tenant, kStream));
}

}  // namespace picket::run

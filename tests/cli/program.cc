#include "tests/cli/program.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "tests/simulator/generator.h"

namespace picket {

namespace fs = std::filesystem;
using nlohmann::json;

Outcome ProgramTest::Picket(const std::string& arguments) const {
  return Shell("\"$PICKET\" " + arguments);
}

Outcome ProgramTest::Shell(const std::string& command) const {
  const std::string whole = "cd '" + dir_.string() +
                            "' && export PICKET='" PICKET_PROGRAM "' && { " + command +
                            "\n} 2>stderr.txt";
  Outcome outcome;
  std::FILE* pipe = ::popen(whole.c_str(), "r");
  if (pipe == nullptr) return outcome;
  std::array<char, 4096> buffer{};
  std::size_t got = 0;
  while ((got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0) {
    outcome.out.append(buffer.data(), got);
  }
  const int status = ::pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  outcome.out += Read("stderr.txt");
  return outcome;
}

void ProgramTest::Write(const std::string& name, const std::string& text) const {
  std::ofstream(dir_ / name, std::ios::binary) << text;
  fs::permissions(dir_ / name, fs::perms::owner_read | fs::perms::owner_write);
}

std::string ProgramTest::Read(const std::string& name) const {
  std::ifstream file(dir_ / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void TenantTest::SetUp() {
  graph_ = std::make_unique<simulator::Simulator>(simulator::SimulatorOptions{
      .now = [this] { return SystemClock().Now() + Timespan{passed_.load()}; },
      .tls = false,
      .limits = false});
  ASSERT_TRUE(graph_->Start());
  graph_->AddTenant({.id = tenant_});
  for (int i = 0; i < 5; ++i) Emit();
  Write("secret", secret_);
}

std::string TenantTest::NextApp() {
  const std::string id = ToString(Uuid5(tenant_, "app " + std::to_string(++apps_)));
  graph_->RegisterApp({.client_id = id, .secrets = {secret_}});
  return id;
}

void TenantTest::WriteConfig(const ConfigSpec& spec) {
  Write("picket.toml",
        fmt::format("[agent]\ndata_dir = \"data\"\npoll_interval = \"1s\"\n"
                    "[cloud]\nauthority = \"{0}\"\ngraph = \"{0}\"\n"
                    "[app]\nclient_id = \"{1}\"\n{2}"
                    "[poll]\nbackfill = \"0\"\n"
                    "[retention]\nmin_free = \"0\"\n{3}"
                    "[[tenant]]\nname = \"contoso\"\ntenant_id = \"{4}\"\nstreams = {5}\n",
                    graph_->Url(), NextApp(), spec.credential, spec.more,
                    spec.tenant_id.empty() ? ToString(tenant_) : spec.tenant_id, spec.streams));
}

std::string TenantTest::OnceArguments() {
  Pass(kMinute);
  return "once --all-streams --now " + FormatRfc3339(graph_->Now());
}

Outcome TenantTest::Once() { return Picket(OnceArguments()); }

void TenantTest::Emit(const std::string& patch) {
  const Instant now = graph_->Now();
  const std::string id = ToString(Uuid5(tenant_, "event " + std::to_string(++emitted_)));
  const simulator::Principal who{.id = "0d8e5f1c-2b3a-4c5d-9e6f-70818293a4b5",
                                 .name = "Clara Huber",
                                 .user = "clara.huber@contoso.example"};
  graph_->Emit(tenant_, simulator::List::kSignIns,
               simulator::SignInJson(tenant_, id, now - kMinute * 5 - kMillisecond * 100 * emitted_,
                                     who, "interactiveUser", patch),
               now);
}

std::set<std::string> TenantTest::StoredIds() const {
  const Outcome query = Shell(
      "\"$PICKET\" query 'SigninLogs | project Id' --tenant contoso --config good.toml "
      "--format json 2>/dev/null");
  std::set<std::string> ids;
  const json result = json::parse(query.out.substr(0, query.out.find('\n')), nullptr, false);
  if (!result.is_object()) return ids;
  for (const json& row : result["rows"]) {
    EXPECT_TRUE(ids.insert(row[0].get<std::string>()).second) << "twice: " << row[0];
  }
  return ids;
}

std::set<std::string> TenantTest::EmittedIds() const {
  return graph_->EmittedIds(tenant_, "signIns.interactive");
}

void TenantTest::ReadAll() {
  WriteConfig(good_);
  Write("good.toml", Read("picket.toml"));
  const Outcome once = Once();
  ASSERT_EQ(once.code, 0) << once.out;
  before_ = StoredIds();
  ASSERT_EQ(before_, EmittedIds());
  ASSERT_EQ(before_.size(), 5U);
}

void TenantTest::ExpectNothingLost() {
  WriteConfig(good_);
  Write("good.toml", Read("picket.toml"));
  for (const std::string& id : before_) EXPECT_TRUE(StoredIds().contains(id)) << id << " is gone";
  Emit();
  const Outcome once = Once();
  EXPECT_EQ(once.code, 0) << once.out;
  EXPECT_EQ(StoredIds(), EmittedIds());
}

fs::path TenantTest::Database() const {
  return dir_ / "data" / "tenants" / (ToString(tenant_) + ".db");
}

}  // namespace picket

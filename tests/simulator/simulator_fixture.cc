#include "tests/simulator/simulator_fixture.h"

#include "base/http.h"

namespace picket::simulator {

using nlohmann::json;

void SimulatorTest::Begin(SimulatorOptions options) {
  options.now = [this] { return Now(); };
  options.tls = false;
  simulator_ = std::make_unique<Simulator>(std::move(options));
  ASSERT_TRUE(simulator_->Start());
  simulator_->AddTenant({.id = tenant_});
  simulator_->RegisterApp({.client_id = kApp, .secrets = {"s+/="}});
  client_ = std::make_unique<httplib::Client>(simulator_->Url());
  token_ = Token(tenant_);
}

std::string SimulatorTest::Token(const Guid& tenant, const std::string& app,
                                 const std::string& claims) {
  httplib::Params form = {{"client_id", app},
                          {"client_secret", "s+/="},
                          {"grant_type", "client_credentials"},
                          {"scope", simulator_->Url() + "/.default"}};
  if (!claims.empty()) form.emplace("claims", claims);
  const auto answer = client_->Post("/" + ToString(tenant) + "/oauth2/v2.0/token", form);
  return answer ? Body(answer).value("access_token", "") : "";
}

httplib::Result SimulatorTest::Get(const std::string& path, const std::string& token) {
  return client_->Get(path, httplib::Headers{{"Authorization", "Bearer " + token}});
}

std::vector<std::string> SimulatorTest::Ids(const std::string& list, const std::string& filter) {
  std::vector<std::string> ids;
  const auto page = Get(list + "?$filter=" + PercentEncode(filter));
  EXPECT_EQ(page->status, 200) << filter << ": " << page->body;
  const json body = Body(page);
  for (const json& row : body["value"]) ids.push_back(row.value("id", ""));
  return ids;
}

int SimulatorTest::StatusOf(const std::string& list, const std::string& filter) {
  return Get(list + "?$filter=" + PercentEncode(filter))->status;
}

void SimulatorTest::Emit(int count) {
  for (int i = 0; i < count; ++i) {
    Emit(ToString(Uuid5(tenant_, std::to_string(i))), Now() - kHour - kSecond * i);
  }
}

void SimulatorTest::Emit(const std::string& id, Instant created, const std::string& patch,
                         const char* event_type) {
  const Principal who{.id = "u", .name = "U", .user = "u@contoso.example"};
  simulator_->Emit(tenant_, List::kSignIns,
                   SignInJson(tenant_, id, created, who, event_type, patch), created);
}

std::string SimulatorTest::NextOf(const httplib::Result& page) {
  const std::string link = Body(page).value("@odata.nextLink", "");
  return link.empty() ? link : link.substr(simulator_->Url().size());
}

void SimulatorTest::Collect(const httplib::Result& page, std::multiset<std::string>& ids) {
  const json body = Body(page);
  for (const json& row : body["value"]) ids.insert(row["id"]);
}

json SimulatorTest::Body(const httplib::Result& answer) {
  return answer ? json::parse(answer->body, nullptr, /*allow_exceptions=*/false) : json();
}

}  // namespace picket::simulator

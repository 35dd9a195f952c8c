#include "tests/scenarios/scenario.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "tests/scenarios/stage.h"

namespace picket::simulator {
namespace {

struct Entry {
  ScenarioName name;
  void (*play)(Stage&);
};

void PlayAll(Stage& stage);

const std::vector<Entry>& Entries() {
  static const std::vector<Entry> entries = {
      {{"benign", "Ordinary days of two tenants"}, [](Stage&) {}},
      {{"password-spray", "Wrong passwords of many users from one address, then one that fits"},
       &PlayPasswordSpray},
      {{"anonymizing-proxy", "A sign-in through an anonymizing proxy"}, &PlayAnonymizingProxy},
      {{"storage-token-reuse", "A stolen token reads a storage account, without any sign-in"},
       &PlayStorageTokenReuse},
      {{"aws-reconnaissance", "A stolen access key looks around in AWS"}, &PlayAwsReconnaissance},
      {{"risk-added-later", "A sign-in of the day before is found risky only now"},
       &PlayRiskAddedLater},
      {{"confirmed-compromise", "An administrator confirmed the compromise of an account"},
       &PlayConfirmedCompromise},
      {{"guest-single-factor", "A guest of another tenant enters with one factor"},
       &PlayGuestSingleFactor},
      {{"dismissed-risk", "A risk that was looked at and dismissed"}, &PlayDismissedRisk},
      {{"demo", "All of them in two tenants"}, &PlayAll}};
  return entries;
}

void PlayAll(Stage& stage) {
  for (const Entry& entry : Entries()) {
    if (entry.play != &PlayAll) entry.play(stage);
  }
}

}  // namespace

const std::vector<ScenarioName>& ScenarioNames() {
  static const std::vector<ScenarioName> names = [] {
    std::vector<ScenarioName> all;
    for (const Entry& entry : Entries()) all.push_back(entry.name);
    return all;
  }();
  return names;
}

Result<Scenario> LoadScenario(Simulator& simulator, std::string_view name, Instant now,
                              std::uint64_t seed) {
  const auto& entries = Entries();
  const auto entry = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& other) { return other.name.name == name; });
  if (entry == entries.end()) {
    return Fail({.kind = ErrorKind::kNotFound,
                 .message = "there is no scenario '" + EscapeTerminal(name) + "'"});
  }
  Scenario scenario{.name = std::string(name),
                    .about = std::string(entry->name.about),
                    .tenants = {},
                    .client_id = ToString(Uuid5(kPicketNamespace, "scenario app")),
                    // With characters that must be encoded in a form.
                    .secret = fmt::format("scenario~secret+/=&{}", seed)};
  for (const char* tenant : {"contoso", "fabrikam"}) {
    scenario.tenants.push_back({.name = tenant,
                                .id = Uuid5(kPicketNamespace, std::string("scenario ") + tenant),
                                .domain = std::string(tenant) + ".example"});
    simulator.AddTenant({.id = scenario.tenants.back().id, .name = tenant});
  }
  simulator.RegisterApp({.client_id = scenario.client_id, .secrets = {scenario.secret}});
  Stage stage(simulator, scenario, now, seed);
  PlayBenign(stage);
  entry->play(stage);
  return scenario;
}

Principal Stage::Person(const ScenarioTenant& tenant, const std::string& first,
                        const std::string& last) {
  const std::string user = AsciiLower(first + "." + last) + "@" + tenant.domain;
  return {.id = ToString(Uuid5(tenant.id, user)), .name = first + " " + last, .user = user};
}

std::string Stage::NewId() {
  return ToString(
      Uuid5(kPicketNamespace, fmt::format("scenario {} {} {}", seed_, now_.ticks, ++ids_)));
}

std::string Stage::SignIn(const ScenarioTenant& tenant, const Principal& who, Timespan ago,
                          const std::string& patch) {
  const std::string id = NewId();
  const Instant created = now_ - ago;
  simulator_.Emit(tenant.id, List::kSignIns,
                  SignInJson(tenant.id, id, created, who, "interactiveUser", patch),
                  std::min(now_, created + kMinute));
  return id;
}

void PlayBenign(Stage& stage) {
  for (const ScenarioTenant* tenant : {&stage.contoso(), &stage.fabrikam()}) {
    Live(stage.simulator(), {.tenant = tenant->id,
                             .domain = tenant->domain,
                             .seed = stage.seed(),
                             .from = stage.now() - kDay,
                             .to = stage.now() - kMinute * 6,
                             .users = tenant == &stage.contoso() ? 40 : 20,
                             .sign_ins = tenant == &stage.contoso() ? 400 : 200,
                             .audits = 10,
                             .detections = 0,
                             .late = 0,
                             .very_late = 0});
  }
}

}  // namespace picket::simulator

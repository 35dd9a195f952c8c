#pragma once

#include <string>

#include "base/time.h"
#include "tests/scenarios/scenario.h"
#include "tests/simulator/generator.h"
#include "tests/simulator/simulator.h"

namespace picket::simulator {

// Where a scenario is played: in which tenants, at what time, and what is noted of it.
class Stage {
 public:
  Stage(Simulator& simulator, Scenario& scenario, Instant now, std::uint64_t seed)
      : simulator_(simulator), scenario_(scenario), now_(now), seed_(seed) {}

  [[nodiscard]] const ScenarioTenant& contoso() const { return scenario_.tenants.at(0); }
  [[nodiscard]] const ScenarioTenant& fabrikam() const { return scenario_.tenants.at(1); }
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  [[nodiscard]] Simulator& simulator() { return simulator_; }

  // "clara" → Clara Huber, clara.huber@contoso.example
  [[nodiscard]] static Principal Person(const ScenarioTenant& tenant, const std::string& first,
                                        const std::string& last);
  // An interactive sign-in; visible a minute later. Returns its id.
  std::string SignIn(const ScenarioTenant& tenant, const Principal& who, Timespan ago,
                     const std::string& patch = "");
  std::string NewId();

  void Expect(Expectation expectation) { scenario_.expected.push_back(std::move(expectation)); }
  void AddFile(ScenarioFile file) { scenario_.files.push_back(std::move(file)); }

 private:
  Simulator& simulator_;
  Scenario& scenario_;
  const Instant now_;
  const std::uint64_t seed_;
  int ids_ = 0;
};

// Ordinary days of both tenants.
void PlayBenign(Stage& stage);

// Sign-ins (sign_in_attacks.cc).
void PlayPasswordSpray(Stage& stage);
void PlayAnonymizingProxy(Stage& stage);
void PlayRiskAddedLater(Stage& stage);
void PlayConfirmedCompromise(Stage& stage);
void PlayGuestSingleFactor(Stage& stage);
void PlayDismissedRisk(Stage& stage);

// Logs of other services (imported_logs.cc).
void PlayStorageTokenReuse(Stage& stage);
void PlayAwsReconnaissance(Stage& stage);

}  // namespace picket::simulator

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/http.h"
#include "tests/fault/plan.h"
#include "tests/fault/shared_clock.h"
#include "tests/fault/wire.h"
#include "tests/simulator/simulator.h"

namespace picket::fault {

// A sign-in that was found risky only hours after it was read.
struct LateRisk {
  Guid tenant;
  std::string sign_in;
  Timespan delay;  // from the sign-in to the risk
};

// How often something struck, by its name.
using Strikes = std::map<std::string, std::int64_t>;

// Entra and Graph of one run, with everything that ever happens in its tenants. What is to become
// visible later does so by the clock.
class World {
 public:
  World(const Plan& plan, const SharedClock& clock);

  [[nodiscard]] const std::string& client_id() const { return client_id_; }
  [[nodiscard]] const std::string& secret() const { return secret_; }
  [[nodiscard]] const std::vector<Guid>& tenants() const { return tenants_; }
  [[nodiscard]] const std::vector<LateRisk>& late_risks() const { return late_risks_; }
  [[nodiscard]] simulator::Simulator& simulator() { return simulator_; }
  [[nodiscard]] const simulator::Simulator& simulator() const { return simulator_; }

  [[nodiscard]] FromWorld Answer(const HttpRequest& request);
  // From now on nothing goes wrong any more.
  void Clear();
  // Requests that came to a host that tokens are not for, and bore one.
  [[nodiscard]] std::int64_t leaks() const { return leaks_; }
  [[nodiscard]] Strikes Struck() const;

 private:
  void Populate(const Guid& tenant, int number);
  void AddVictims(const Guid& tenant);
  void MakePoorer(const Guid& tenant);
  void ObeyPlan();

  const Plan& plan_;
  const SharedClock& clock_;
  const std::string client_id_ = "11111111-2222-4333-8444-555555555555";
  const std::string secret_ = "the secret of the run";
  simulator::Simulator simulator_;
  std::vector<Guid> tenants_;
  std::vector<LateRisk> late_risks_;
  bool lapsed_ = false;
  std::int64_t leaks_ = 0, late_rows_ = 0, changed_rows_ = 0, poorer_rows_ = 0, lapses_ = 0;
};

inline constexpr const char* kWorldUrl = "https://graph.simulated.example";
inline constexpr const char* kOtherHost = "https://elsewhere.example";

}  // namespace picket::fault

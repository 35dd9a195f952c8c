#include "tests/simulator/stand_in.h"

#include "tests/simulator/lists.h"
#include "tests/simulator/simulator.h"

namespace picket::simulator {

struct StandIn::State {
  explicit State(std::function<Instant()> now) : simulator({.now = std::move(now), .tls = false}) {}
  Simulator simulator;
};

StandIn::StandIn(std::function<Instant()> now) : state_(std::make_unique<State>(std::move(now))) {}

StandIn::~StandIn() = default;

Status StandIn::Start() { return state_->simulator.Start(); }

std::string StandIn::Url() const { return state_->simulator.Url(); }

void StandIn::AddTenant(const Guid& tenant, std::string client_id, std::string secret) {
  state_->simulator.AddTenant({.id = tenant});
  state_->simulator.RegisterApp(
      {.client_id = std::move(client_id), .secrets = {std::move(secret)}});
}

void StandIn::Put(const Guid& tenant, const std::string& list, std::string json,
                  Instant visible_from) {
  const ListSpec* spec = FindList(list);
  PK_CHECK(spec != nullptr, "a list of Graph's");
  state_->simulator.Emit(tenant, spec->list, json, visible_from);
}

std::int64_t StandIn::requests() const { return state_->simulator.RequestCount(); }

}  // namespace picket::simulator

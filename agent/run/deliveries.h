#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/alerts/publisher.h"
#include "agent/outputs/agent_alerts.h"
#include "agent/outputs/deliverer.h"
#include "agent/run/settings.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/result.h"
#include "storage/agent_store.h"

namespace picket::run {

// Whom to tell of the tenant's incidents.
alerts::Telling TellingOf(const Settings& settings, const Tenant& tenant);

using OutputObserver = std::function<void(const outputs::OutputNote&)>;

// Delivery from the outboxes of all tenants, and of the agent itself, to the outputs of a config,
// from Open to Finish: that of one `once`, or of all of a `run`.
class Deliveries {
 public:
  // References must outlive it. `on_note` comes from any thread.
  static Result<std::unique_ptr<Deliveries>> Open(const Settings& settings,
                                                  storage::AgentStore& agent,
                                                  HttpTransport& network, Clock& clock,
                                                  OutputObserver on_note);
  // Something new may be in the outbox of the tenant (as counted in the settings).
  void Touch(std::size_t tenant) { deliverer_->Touch(tenant); }
  // Sends what is due, then ends.
  void Finish(std::stop_token stop) { deliverer_->Finish(std::move(stop)); }
  [[nodiscard]] std::int64_t delivered() const { return deliverer_->delivered(); }
  [[nodiscard]] std::vector<std::string> Failing() const { return deliverer_->Failing(); }

 private:
  Deliveries() = default;
  std::unique_ptr<outputs::AgentAlerts> alerts_;
  std::unique_ptr<outputs::Deliverer> deliverer_;  // ends before the alerts do
};

}  // namespace picket::run

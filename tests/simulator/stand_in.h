#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"

namespace picket::simulator {

// A small stand-in for Entra and Graph over HTTP on a loopback port: the token endpoint (client
// secrets), and the lists of sign-ins, audits and risk as Graph pages them (newest first, $filter
// by time and type, $top, skiptokens). The demo plays against it. Thread-safe.
class StandIn {
 public:
  // `now` is Graph's clock: it stamps answers, and events become visible by it.
  explicit StandIn(std::function<Instant()> now);
  ~StandIn();
  StandIn(const StandIn&) = delete;
  StandIn& operator=(const StandIn&) = delete;

  // Listens on a free port.
  [[nodiscard]] Status Start();
  [[nodiscard]] std::string Url() const;  // http://127.0.0.1:PORT

  void AddTenant(const Guid& tenant, std::string client_id, std::string secret);
  // `list`: "auditLogs/signIns", "identityProtection/riskDetections", … The JSON is a Graph record.
  // The same id again replaces the record.
  void Put(const Guid& tenant, const std::string& list, std::string json, Instant visible_from);
  [[nodiscard]] std::int64_t requests() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace picket::simulator

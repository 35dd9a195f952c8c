#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"

namespace picket::simulator {

// The simulator over http://, with client secrets and Graph's paths as names of lists. For callers
// that need no more of it. Thread-safe.
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

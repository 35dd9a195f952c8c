#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "agent/run/settings.h"
#include "base/http.h"
#include "tests/scratch_directory.h"
#include "tests/simulator/simulator.h"

namespace picket::bench {

// A simulated tenant with a week of interactive sign-ins, over TLS in this process, and what the
// program needs to poll it: a config in a directory of its own.
class BenchTenantOverTls {
 public:
  BenchTenantOverTls(int sign_ins, bool limits);

  simulator::Simulator& simulator() { return simulator_; }
  // Writes picket.toml anew, with an empty data directory.
  [[nodiscard]] std::string FreshConfig();
  // The same for an agent in this process, which evaluates no rules.
  [[nodiscard]] run::Settings FreshSettings();
  // An access token of the simulator's, for requests of one's own.
  [[nodiscard]] std::string Token(HttpTransport& network) const;
  [[nodiscard]] std::string CaFile() const;
  [[nodiscard]] std::int64_t emitted() const;

 private:
  const ScratchDirectory directory_;
  simulator::Simulator simulator_;
  int configs_ = 0;
};

}  // namespace picket::bench

#pragma once

#include <memory>

#include "agent/outputs/output.h"
#include "agent/outputs/settings.h"
#include "base/clock.h"
#include "base/http.h"

namespace picket::outputs {

// The output that the settings ask for. References must outlive it.
std::unique_ptr<Output> MakeOutput(const OutputSettings& settings, HttpTransport& network,
                                   Clock& clock);

// A made-up incident that says so, of P5, as an outbox's body. `time`: when.
std::string TestIncident(const std::string& tenant, Instant time);

}  // namespace picket::outputs

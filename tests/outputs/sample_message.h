#pragma once

#include <string>

#include "agent/outputs/output.h"

namespace picket::outputs {

// An incident in whose every text `text` stands.
Message IncidentWith(const std::string& text, const std::string& type = kOpened);
// One of the agent's own alerts, and a digest, likewise.
Message AlertWith(const std::string& text);
Message DigestWith(const std::string& text);

}  // namespace picket::outputs

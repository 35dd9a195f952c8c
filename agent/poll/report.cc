#include "agent/poll/report.h"

namespace picket::poll {

std::string_view KindName(HealthEvent::Kind kind) {
  switch (kind) {
    case HealthEvent::Kind::kAuth:
      return "auth";
    case HealthEvent::Kind::kPermission:
      return "permission";
    case HealthEvent::Kind::kLicence:
      return "licence";
    case HealthEvent::Kind::kStalled:
      return "stalled";
    case HealthEvent::Kind::kLostWindow:
      return "lost_window";
    case HealthEvent::Kind::kStuck:
      return "stuck";
    case HealthEvent::Kind::kClock:
      return "clock";
    case HealthEvent::Kind::kFull:
      return "full";
    case HealthEvent::Kind::kStorage:
      return "storage";
    case HealthEvent::Kind::kRejected:
      return "rejected";
  }
  return "stalled";
}

std::string HealthEvent::key() const { return std::string(KindName(kind)) + "/" + stream; }

storage::PageCounts TenantRound::Total() const {
  storage::PageCounts total;
  for (const auto& [stream, read] : counts) total += read;
  return total;
}

}  // namespace picket::poll

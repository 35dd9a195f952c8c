#include "agent/outputs/agent_alerts.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "agent/outputs/output.h"
#include "base/uuid.h"

namespace picket::outputs {
namespace {

constexpr int kPriority = 2;

std::string BodyOf(const AgentAlert& alert) {
  const nlohmann::json body = {{"id", ToString(Uuid5(kPicketNamespace, alert.key))},
                               {"subject", alert.subject},
                               {"title", alert.title},
                               {"text", alert.text},
                               {"hint", alert.hint},
                               {"output", alert.output},
                               {"tenant", alert.tenant},
                               {"priority", "P2"},
                               {"time", FormatRfc3339(alert.time)}};
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

AgentAlerts::AgentAlerts(std::unique_ptr<storage::OutboxFile> file,
                         std::vector<std::string> outputs, std::function<void()> on_put)
    : file_(std::move(file)), outputs_(std::move(outputs)), on_put_(std::move(on_put)) {}

Result<std::size_t> AgentAlerts::Raise(const AgentAlert& alert) {
  const std::string body = BodyOf(alert);
  std::size_t told = 0;
  {
    const std::lock_guard lock(mutex_);
    for (const std::string& output : outputs_) {
      if (output == alert.output) continue;
      PK_RETURN_IF_ERROR(file_->outbox().Put(
          {.id = ToString(Uuid5(kPicketNamespace, "agent\n" + output + "\n" + alert.key)),
           .output = output,
           .incident = alert.subject,
           .kind = kAgentAlert,
           .priority = kPriority,
           .body = body,
           .created = alert.time}));
      ++told;
    }
  }
  if (told > 0 && on_put_) on_put_();
  return told;
}

}  // namespace picket::outputs

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "agent/alerts/priority.h"
#include "base/secret.h"
#include "base/send_socket.h"
#include "base/time.h"

namespace picket::outputs {

enum class WebhookFormat : std::uint8_t { kStandard, kTeams, kSlack };

struct WebhookSettings {
  WebhookFormat format = WebhookFormat::kStandard;
  std::string url;                   // or
  std::optional<SecretRef> url_ref;  // for those whose URL is the secret
  std::optional<SecretRef> secret;   // signing key of standard-webhooks: "whsec_…"
  Timespan timeout = kSecond * 20;   // of one message
};

enum class SyslogFormat : std::uint8_t { kRfc5424, kCef };

struct SyslogSettings {
  SocketAddress to;
  SyslogFormat format = SyslogFormat::kRfc5424;
  int facility = 13;                 // log audit
  std::string enterprise = "32473";  // of the structured data's names: the number for examples
  std::size_t max_bytes = 8192;      // of a message; texts are cut to it
  Timespan timeout = kSecond * 10;
};

struct OutputSettings {
  std::string name;  // [a-z0-9-]{1,63}
  alerts::Priority min_priority = alerts::Priority::kP5;
  std::vector<std::string> tenants;  // by name; empty: all, and what the agent itself has to tell
  Timespan give_up_after = kDay * 7;
  std::variant<WebhookSettings, SyslogSettings> way;
};

// "webhook", "syslog".
std::string TypeOf(const OutputSettings& output);
// Whether it is told of the tenant's incidents.
bool Serves(const OutputSettings& output, const std::string& tenant);

}  // namespace picket::outputs

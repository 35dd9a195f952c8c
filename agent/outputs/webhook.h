#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "agent/outputs/notice.h"
#include "agent/outputs/output.h"
#include "agent/outputs/settings.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/secret.h"

namespace picket::outputs {

// POSTs each message as JSON to one URL. 2xx is an acknowledgement; 400, 413 and 422 refuse the
// message, 401, 403, 404 and 410 need the operator, and so do redirects, which are not followed;
// all else is tried again. References must outlive it.
std::unique_ptr<Output> MakeWebhook(WebhookSettings settings, HttpTransport& network,
                                    const Clock& clock);

// The bodies of the formats.
std::string StandardBody(const Message& message);
std::string TeamsBody(const Notice& notice);
std::string SlackBody(const Notice& notice);

// The key of a "whsec_…" secret (Standard Webhooks), 24 to 64 bytes; kInvalidConfig for another.
Result<SecretString> SigningKey(const SecretString& secret);
// "v1,…": the signature of what is sent.
std::string Signature(std::string_view key, std::string_view id, std::int64_t unix_seconds,
                      std::string_view body);

}  // namespace picket::outputs

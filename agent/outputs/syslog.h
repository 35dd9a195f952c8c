#pragma once

#include <memory>
#include <string>

#include "agent/outputs/notice.h"
#include "agent/outputs/output.h"
#include "agent/outputs/settings.h"
#include "base/clock.h"

namespace picket::outputs {

// Sends each message as one of syslog (RFC 5424) over UDP, TCP (octet counting, RFC 6587) or a
// local socket. Over TCP an acknowledgement is that of the receiver's machine, not of its syslog;
// UDP has none. The clock must outlive it.
std::unique_ptr<Output> MakeSyslog(SyslogSettings settings, Clock& clock);

// Where a message comes from, in its header.
struct SyslogOrigin {
  std::string host;
  int pid = 0;
};
// One message without framing, at most settings.max_bytes long.
std::string SyslogLine(const Message& message, const SyslogSettings& settings,
                       const SyslogOrigin& origin, Instant now);
// "CEF:0|…", at most `most` bytes.
std::string CefLine(const Message& message, const Notice& notice, std::size_t most);

}  // namespace picket::outputs

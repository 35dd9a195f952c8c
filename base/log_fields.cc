#include "base/log_fields.h"

#include <algorithm>
#include <array>

namespace picket {

bool MayLogField(std::string_view name) {
  // Sorted. No field here may hold a secret, a token, a user's name or address, or event text.
  static constexpr std::array<std::string_view, 50> kAllowed = {
      "app",       "attempt",    "bytes",       "changed",   "client_request_id",
      "code",      "column",     "complete_to", "count",     "date",
      "delivered", "diagnostic", "error",       "evaluated", "exit",
      "expires",   "file",       "findings",    "from",      "hint",
      "host",      "kind",       "late",        "line",      "ms",
      "new",       "output",     "page",        "pages",     "path",
      "pid",       "poorer",     "read",        "read_to",   "reason",
      "rejected",  "request_id", "rows",        "rule",      "same",
      "skew_s",    "state",      "status",      "stream",    "tenant",
      "to",        "top",        "version",     "wait_ms",   "windows"};
  return std::find(kAllowed.begin(), kAllowed.end(), name) != kAllowed.end();
}

}  // namespace picket

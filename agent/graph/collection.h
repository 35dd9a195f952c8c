#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace picket::graph {

// Requests of one family share a limit of Graph's.
enum class Family : std::uint8_t { kAuditLogs, kIdentityProtection };
std::string_view FamilyName(Family family);  // "audit_logs", "identity_protection"; stored

// One way to ask Graph for a stream: which collection, by which time. Data, not behaviour.
struct Variant {
  std::string_view version;     // "v1.0" | "beta"
  std::string_view time_field;  // what windows are cut by
  std::string_view condition;   // a further condition of every filter, "" for none
};

struct Collection {
  std::string_view stream;  // Picket's name: "signIns.interactive"
  Family family = Family::kAuditLogs;
  std::string_view path;  // below the version: "auditLogs/signIns"
  int max_page = 1000;    // the largest $top that the service takes
  Timespan keeps;         // how far back the service has rows
  Timespan max_slice;     // the widest window that is asked for at once
  // New rows of a part that was read are late ones: true where windows are cut by the event's
  // own time.
  bool counts_late = true;
  std::string_view permission;  // application permission to grant
  std::string_view licence;     // that the tenant needs
  // In the order to try: when the service refuses a query as such, the next one is probed.
  std::vector<Variant> variants;
};

// Every stream that Picket can poll, in the order in which it polls them.
const std::vector<Collection>& Collections();
// nullptr when there is none of that name.
const Collection* FindCollection(std::string_view stream);

// A window of a query, both ends included, cut to milliseconds.
struct Span {
  Instant from, to;
};

// The OData filter, not yet encoded: "createdDateTime ge … and createdDateTime le … and …".
// `extra` is one more condition, "" for none.
std::string Filter(const Variant& variant, const std::optional<Span>& span,
                   std::string_view extra = {});
// A string literal of OData: in single quotes, a quote doubled.
std::string Quote(std::string_view text);

// The first page of a query. `root` has no trailing slash: "https://graph.microsoft.com".
std::string ListUrl(std::string_view root, const Collection& collection, const Variant& variant,
                    std::string_view filter, int top);
// One entity by its id.
std::string ItemUrl(std::string_view root, const Collection& collection, const Variant& variant,
                    std::string_view id);

}  // namespace picket::graph

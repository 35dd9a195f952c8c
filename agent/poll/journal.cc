#include "agent/poll/journal.h"

namespace picket::poll {
namespace {

std::string HoldName(const graph::Account& account) {
  return "graph/" + std::string(graph::FamilyName(account.family)) + "/" + account.app + "/" +
         account.tenant;
}

}  // namespace

Status StoredJournal::Note(const Entry& entry) {
  return store_.NoteRequest({.app = entry.account.app,
                             .family = std::string(graph::FamilyName(entry.account.family)),
                             .tenant = entry.account.tenant,
                             .time = entry.time});
}

Result<std::vector<graph::BudgetJournal::Entry>> StoredJournal::Since(Instant time) {
  PK_ASSIGN_OR_RETURN(const std::vector<storage::RequestEntry> stored, store_.RequestsSince(time));
  std::vector<Entry> entries;
  entries.reserve(stored.size());
  for (const storage::RequestEntry& request : stored) {
    graph::Account account{.app = request.app, .tenant = request.tenant};
    if (request.family == graph::FamilyName(graph::Family::kIdentityProtection)) {
      account.family = graph::Family::kIdentityProtection;
    } else if (request.family != graph::FamilyName(graph::Family::kAuditLogs)) {
      continue;  // another service's
    }
    entries.push_back({.account = std::move(account), .time = request.time});
  }
  return entries;
}

Status StoredJournal::Hold(const graph::Account& account, Instant until, std::string_view reason) {
  return store_.Hold(HoldName(account), until, reason);
}

Result<std::optional<Instant>> StoredJournal::HeldUntil(const graph::Account& account) {
  return store_.HeldUntil(HoldName(account));
}

}  // namespace picket::poll

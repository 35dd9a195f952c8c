#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/alerts/alerting.h"
#include "base/uuid.h"
#include "storage/tenant_store.h"
#include "tests/scratch_directory.h"

namespace picket::alerts {

inline constexpr const char* kInteractive = "signIns.interactive";
inline constexpr const char* kNonInteractive = "signIns.nonInteractive";

struct SignIn {
  std::string id, user = "ada@contoso.example";
  Instant time;
  int error = 0;
  std::string risk = "none", app = "Portal", ip = "192.0.2.1";
  std::string stream = kInteractive;
};

// A rule over KQL, with the user as its entity if the query gives one.
rules::Rule TickRule(const std::string& name, const std::string& query, Timespan frequency,
                     Timespan period);
// Compiles; fails the test when it is refused.
LoadedRule Load(rules::Rule rule);

// What stands after a replay, of one finding.
struct FoundRow {
  std::string rule, entity, state;
  Instant first, last;  // ticks
  std::string row;
  auto operator<=>(const FoundRow&) const = default;
};
std::string ToText(const FoundRow& row);

// A tenant's store as the poller leaves it: rows and a ledger of what is read. In memory.
class TickWorld {
 public:
  TickWorld();

  void Open();
  void Close() { store_.reset(); }
  // First contact of both streams: nothing older is ever read.
  void Contact(Instant at);
  // Rows as a page of their stream; what is known is changed.
  void Store(const std::vector<SignIn>& rows);
  // The stream is read in [from, to).
  void Read(const std::string& stream, Instant from, Instant to);
  void Read(Instant from, Instant to) {
    for (const char* stream : {kInteractive, kNonInteractive}) Read(stream, from, to);
  }
  // One turn; failures of rules fail the test.
  AlertCounts Evaluate(const std::vector<LoadedRule>& rules, Instant now, bool sure = true);
  // The findings that stand.
  std::vector<FoundRow> Findings(const std::vector<LoadedRule>& rules);

  storage::TenantStore& store() { return *store_; }
  [[nodiscard]] const Guid& tenant() const { return tenant_; }
  Settings settings;
  std::vector<std::string> streams = {kInteractive, kNonInteractive};
  std::vector<std::pair<std::string, Error>> failures;  // of the last turn

 private:
  const ScratchDirectory directory_{ScratchDirectory::Where::kMemory};
  const Guid tenant_ = ParseGuid("2ad3fc79-1859-42fa-9011-6f8df2251b22").value();
  std::unique_ptr<storage::TenantStore> store_;
};

}  // namespace picket::alerts

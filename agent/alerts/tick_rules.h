#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "agent/alerts/alert_book.h"
#include "agent/alerts/finding_sources.h"
#include "agent/rules/completeness.h"
#include "agent/rules/evaluation.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "storage/tenant_store.h"

namespace picket::alerts {

// The time of an evaluation.
struct Moment {
  Instant now;
  // Graph said so, or there is no Graph to say so. When the own clock alone does, rules do not
  // begin, and no tick is taken for overdue: a clock that is ahead must do no harm.
  bool sure = true;
};

// A tick does not wait longer than this for what is not read: then it is partial.
inline constexpr Timespan kTickPatience = kMinute * 30;
// In one turn: new ticks of a rule, and ticks of all rules that run again. The rest is for the
// next.
inline constexpr std::int64_t kMostNewTicks = 2000;
inline constexpr std::int64_t kMostAgain = 200;
// Rows of one tick that a finding keeps.
inline constexpr std::size_t kMostRowsAFinding = 20;

// Rules that go by ticks, for one tenant. Each tick commits once: what it found, the alerts and
// incidents that follow, and the rule's cursor. A finding is what the ticks of its bucket (a
// queryPeriod) say together, whatever the order in which they ran: it is there while one of them
// finds it, begins at the first that does and shows the rows of the last. One thread at a time.
class TickRules {
 public:
  // All references must outlive it.
  TickRules(storage::TenantStore& store, const Guid& tenant, const Settings& settings,
            AlertBook& book, std::vector<std::string> streams);

  // A turn begins: reads what is read of the tenant.
  [[nodiscard]] Status Begin(const Moment& moment, std::stop_token stop);
  // Marks what rows have made dirty since, and goes on through the ticks that are due, in order. A
  // rule that is new or changed begins with its newest tick.
  [[nodiscard]] Result<AlertCounts> GoOn(const LoadedRule& loaded);
  // Dirty ticks, and partial ones that have become complete: newest first.
  [[nodiscard]] Result<AlertCounts> RunAgain(const std::vector<const LoadedRule*>& rules);
  // Ticks that could not be evaluated and were given up, by rule.
  [[nodiscard]] std::vector<std::pair<std::string, Error>> TakeFailures() {
    return std::exchange(failures_, {});
  }

 private:
  enum class Turn : std::uint8_t { kNew, kAgain };
  [[nodiscard]] Result<bool> Prepare(const LoadedRule& loaded);
  [[nodiscard]] Status MarkTouched(const LoadedRule& loaded, const storage::TickCursor& cursor,
                                   std::int64_t last_seq);
  [[nodiscard]] Result<bool> RunNext(const LoadedRule& loaded, AlertCounts& counts);
  [[nodiscard]] Result<bool> SkipGone(const LoadedRule& loaded, const storage::TickCursor& cursor);
  [[nodiscard]] Status Run(const LoadedRule& loaded, storage::TickRow tick, Turn turn,
                           Instant previous, AlertCounts& counts);
  [[nodiscard]] Status Evaluate(const LoadedRule& loaded, const storage::TickRow& tick,
                                AlertCounts& counts);
  [[nodiscard]] Status Record(const storage::TickRow& tick, Turn turn, Instant previous);
  [[nodiscard]] Status Take(const rules::Rule& rule, Instant tick,
                            const std::vector<rules::RuleRow>& rows, FindingSources& sources,
                            AlertCounts& counts);
  [[nodiscard]] Status TraceAgain(Instant tick, const std::vector<storage::TickFinding>& found,
                                  FindingSources& sources);
  [[nodiscard]] Status Hold(const rules::Rule& rule, Instant tick, std::set<std::string>& findings);
  [[nodiscard]] Status Conclude(const rules::Rule& rule, const std::string& finding, Instant ran,
                                FindingSources& sources, AlertCounts& counts);

  storage::TenantStore& store_;
  const Guid tenant_;
  const Settings& settings_;
  AlertBook& book_;
  const std::vector<std::string> streams_;
  Moment moment_;
  std::stop_token stop_;
  rules::Completeness completeness_;
  std::map<std::string, storage::EntityKey> entities_;  // of the tick's findings
  std::vector<std::pair<std::string, Error>> failures_;
};

}  // namespace picket::alerts

#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/graph/collection.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/time.h"

namespace picket::graph {

// Whose request it is.
struct Account {
  std::string app;     // client id
  std::string tenant;  // GUID
  Family family = Family::kAuditLogs;
};

// Where the budgets are kept between processes. Implemented over storage by the poll room.
// Thread-safe.
class BudgetJournal {
 public:
  struct Entry {
    Account account;
    Instant time;
  };
  virtual ~BudgetJournal() = default;
  [[nodiscard]] virtual Status Note(const Entry& entry) = 0;
  // Newer than the time; what is older may be forgotten.
  [[nodiscard]] virtual Result<std::vector<Entry>> Since(Instant time) = 0;
  [[nodiscard]] virtual Status Hold(const Account& account, Instant until,
                                    std::string_view reason) = 0;
  [[nodiscard]] virtual Result<std::optional<Instant>> HeldUntil(const Account& account) = 0;
};

struct Limit {
  int requests = 0;
  Timespan span;
};

// What Picket allows itself, by when requests are sent: 80 % of what Graph publishes. And what
// Graph publishes, by when they arrive.
struct Allowance {
  Limit own, published;
};

struct BudgetSettings {
  // An app in a tenant, an app in all tenants, all apps in a tenant.
  Allowance audit_per_tenant{{4, kSecond * 10}, {5, kSecond * 10}};
  Allowance audit_per_app{{100, kSecond * 10}, {122, kSecond * 10}};
  Allowance protection_per_tenant{{1, kSecond * 2}, {1, kSecond}};
  Timespan margin = kMillisecond * 60;  // that is kept beyond the spans
};

// Sliding windows over requests, and not-before times. When a request arrives at Graph nobody knows
// but that it is between when it was taken and its answer: the own limits hold for the one, and
// the published ones for whatever may lie between. Spans are monotonic time: a wall clock that
// jumps changes nothing while the process lives. What earlier processes left goes by the wall
// clock: give one that `--now` does not move. Thread-safe.
class Budgets {
 public:
  // `journal` may be null (nothing outlives the process); it must outlive this.
  Budgets(const Clock& clock, BudgetJournal* journal, const BudgetSettings& settings = {});

  // Reads what earlier processes spent. Once, before the first Take.
  [[nodiscard]] Status Load();

  // Takes one request now (nullopt), or says how long to wait before asking again. Never waits. A
  // journal that cannot be written is an error: the request must not be sent.
  [[nodiscard]] Result<std::optional<Timespan>> TryTake(const Account& account);
  // The request that the account took last is over: it arrived by now, or never will.
  void Answered(const Account& account);

  // Nothing of this account is sent for so long (Retry-After). The later of two holds stands; at
  // most a day.
  [[nodiscard]] Status Hold(const Account& account, Timespan wait, std::string_view reason);

 private:
  struct Rule {
    std::string key;
    Allowance allowance;
  };
  struct Sent {
    Clock::Ticks taken;
    std::optional<Clock::Ticks> answered;
    std::string tenant;
  };
  [[nodiscard]] std::vector<Rule> RulesFor(const Account& account) const;
  void Add(const Account& account, Sent sent);
  [[nodiscard]] Clock::Ticks FreeAt(const Rule& rule, Clock::Ticks now);
  // nullopt: not held.
  [[nodiscard]] Result<std::optional<Clock::Ticks>> HeldUntil(const Account& account,
                                                              Clock::Ticks now);

  const Clock& clock_;
  BudgetJournal* const journal_;
  const BudgetSettings settings_;
  std::mutex mutex_;
  std::map<std::string, std::deque<Sent>> sent_;  // in the order of taking
  std::map<std::string, std::optional<Clock::Ticks>> holds_;
};

}  // namespace picket::graph

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

// 80 % of what Graph publishes. A request counts at Graph when it arrives, so a little more than
// the span is kept between sends.
struct BudgetSettings {
  Limit audit_per_tenant{4, kSecond * 10};      // an app in a tenant
  Limit audit_per_app{100, kSecond * 10};       // an app in all tenants
  Limit protection_per_tenant{1, kSecond * 2};  // all apps in a tenant
  Timespan margin = kMillisecond * 60;
};

// Sliding windows over requests, and not-before times. They count real time: give a clock that
// `--now` does not move. Thread-safe.
class Budgets {
 public:
  // `journal` may be null (nothing outlives the process); it must outlive this.
  Budgets(const Clock& clock, BudgetJournal* journal, const BudgetSettings& settings = {});

  // Reads what earlier processes spent. Once, before the first Take.
  [[nodiscard]] Status Load();

  // Takes one request now (nullopt), or says when to ask again. Never waits. A journal that cannot
  // be written is an error: the request must not be sent.
  [[nodiscard]] Result<std::optional<Instant>> TryTake(const Account& account);

  // Nothing of this account is sent before `until` (Retry-After). The later of two holds stands;
  // at most a day.
  [[nodiscard]] Status Hold(const Account& account, Instant until, std::string_view reason);
  [[nodiscard]] Result<std::optional<Instant>> HeldUntil(const Account& account);

  [[nodiscard]] const Clock& clock() const { return clock_; }

 private:
  struct Rule {
    std::string key;
    Limit limit;
  };
  [[nodiscard]] std::vector<Rule> RulesFor(const Account& account) const;
  void Add(const Account& account, Instant time);

  const Clock& clock_;
  BudgetJournal* const journal_;
  const BudgetSettings settings_;
  std::mutex mutex_;
  std::map<std::string, std::deque<Instant>> sent_;
  std::map<std::string, std::optional<Instant>> holds_;
};

}  // namespace picket::graph

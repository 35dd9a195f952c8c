#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agent/alerts/alert_book.h"
#include "agent/kql/table_source.h"
#include "agent/rules/evaluation.h"
#include "agent/rules/lineage.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"

namespace picket::alerts {

// The id of the finding that a row of a tick belongs to: derived, so that a replay finds it again.
std::string FindingIdOf(const Guid& tenant, const rules::Rule& rule, const rules::RuleRow& row);

// What the findings of one rule's ticks come from, traced when it is asked for.
class FindingSources {
 public:
  // All references must outlive it.
  FindingSources(const LoadedRule& loaded, const Guid& tenant, kql::TableSource& source,
                 std::stop_token stop);

  // The rows that rules::Evaluate gave at the tick; it is not asked again.
  void Know(Instant tick, const std::vector<rules::RuleRow>& rows);
  [[nodiscard]] Result<rules::Lineage> Of(Instant tick, const std::string& finding);

 private:
  using Numbers = std::map<std::string, std::vector<std::size_t>>;  // rows by finding
  [[nodiscard]] Status TraceAll(Instant tick);

  const LoadedRule& loaded_;
  const Guid tenant_;
  kql::TableSource& source_;
  const std::stop_token stop_;
  std::map<Instant, Numbers> known_;
  std::map<Instant, std::map<std::string, rules::Lineage>> traced_;
};

// Beside the result's rows an alert keeps the rows that they come from, under ids of their own, so
// that either can be replaced alone.
std::string SourcesId(const std::string& finding);
struct SourceKey {
  std::string finding;
  bool note = false;  // SourcesId itself; else a row
};
std::optional<SourceKey> ParseSourcesId(std::string_view id);  // nullopt: a row of the result
// The row of SourcesId: how many events there are, and why rows are missing.
std::string SourcesNote(const rules::Lineage& sources);
// What is read of it again, beside the view's rows.
struct ReadNote {
  std::int64_t events = 0;
  std::string why_not;
};
ReadNote ParseNote(std::string_view note);

}  // namespace picket::alerts

#include "agent/alerts/backtest.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "agent/alerts/detail.h"
#include "agent/rules/tick.h"

namespace picket::alerts {

Result<BacktestResult> Backtest(const LoadedRule& loaded, kql::TableSource& source, Instant from,
                                Instant to,
                                const std::function<void(std::int64_t, std::int64_t)>& progress,
                                std::stop_token stop) {
  const rules::Rule& rule = loaded.rule;
  const bool by_row = loaded.verdict.way == rules::Way::kByRow;
  BacktestResult result;
  std::map<std::string, BacktestFinding> findings;
  std::optional<Instant> fired;
  const Instant first = rules::TickOf(from, rule.query_frequency);
  const std::int64_t all = to < first ? 0 : (to - first).ticks / rule.query_frequency.ticks + 1;
  for (Instant tick = first; tick <= to; tick = tick + rule.query_frequency) {
    progress(result.ticks, all);
    Result<std::vector<rules::RuleRow>> rows =
        rules::Evaluate(rule, *loaded.verdict.query, source, tick, stop);
    if (!rows) return Fail(std::move(rows).error().In("the tick " + FormatRfc3339(tick)));
    ++result.ticks;
    if (rows->empty()) continue;
    const bool held = rule.suppression.ticks > 0 && fired && tick - *fired < rule.suppression;
    if (!held) fired = tick;
    std::set<std::string> told;  // the first row speaks for the tick
    for (const rules::RuleRow& row : *rows) {
      const storage::EntityKey entity = EntityOf(rule, row, GroupEntity(rule, row));
      // Row by row a finding is its row, whichever ticks see it.
      const std::string name = by_row ? row.json : FindingName(rule, entity, row);
      if (!told.insert(name).second) continue;
      const auto [at, added] = findings.try_emplace(
          name, BacktestFinding{.entity = entity, .first = tick, .held = held, .row = {}});
      BacktestFinding& finding = at->second;
      if (finding.held && !held) {  // only what fires counts
        finding.held = false;
        finding.first = tick;
        finding.ticks = 0;
      } else if (held && !finding.held) {
        continue;
      }
      finding.last = tick;
      ++finding.ticks;
      finding.row = row.json;
    }
  }
  for (auto& [name, finding] : findings) result.findings.push_back(std::move(finding));
  std::stable_sort(result.findings.begin(), result.findings.end(),
                   [](const BacktestFinding& a, const BacktestFinding& b) {
                     return a.first != b.first ? a.first < b.first : a.entity.id < b.entity.id;
                   });
  return result;
}

}  // namespace picket::alerts

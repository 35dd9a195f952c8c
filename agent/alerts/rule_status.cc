#include "agent/alerts/rule_status.h"

#include <nlohmann/json.hpp>

namespace picket::alerts {
namespace {

Status ReadTicks(storage::TickStore& ticks, const rules::Rule& rule, RuleStatus& status) {
  PK_ASSIGN_OR_RETURN(const std::optional<storage::TickCursor> cursor, ticks.Cursor(rule.id));
  if (!cursor || cursor->version != rule.hash) return {};
  if (cursor->tick > cursor->started) status.evaluated = cursor->tick;
  PK_ASSIGN_OR_RETURN(const storage::TickCounts counts, ticks.Counts(rule.id));
  status.partial = counts.partial;
  status.dirty = counts.dirty;
  status.given_up = counts.given_up;
  PK_ASSIGN_OR_RETURN(const std::vector<storage::TickRow> waiting, ticks.Waiting(rule.id, 1));
  PK_ASSIGN_OR_RETURN(const std::optional<storage::TickRow> given_up, ticks.LastGivenUp(rule.id));
  if (!waiting.empty()) {
    status.note = FormatRfc3339(waiting[0].tick) + ": " + waiting[0].reason;
  } else if (given_up) {
    status.note = FormatRfc3339(given_up->tick) + ": " + given_up->reason;
  }
  return {};
}

}  // namespace

nlohmann::json ToJson(const RuleStatus& status) {
  return {{"id", status.id},
          {"title", status.title},
          {"way", rules::WayName(status.way)},
          {"evaluated",
           status.evaluated ? nlohmann::json(FormatRfc3339(*status.evaluated)) : nlohmann::json()},
          {"partial", status.partial},
          {"dirty", status.dirty},
          {"given_up", status.given_up},
          {"note", status.note}};
}

Result<std::vector<RuleStatus>> ReadRuleStatus(storage::TenantStore& store,
                                               const std::vector<LoadedRule>& rules) {
  std::vector<RuleStatus> all;
  for (const LoadedRule& loaded : rules) {
    if (!loaded.verdict.query || !loaded.rule.enabled) continue;
    RuleStatus status{.id = loaded.rule.id, .title = loaded.rule.title, .way = loaded.verdict.way};
    if (status.way == rules::Way::kByTick) {
      PK_RETURN_IF_ERROR(ReadTicks(store.ticks(), loaded.rule, status));
    } else {
      PK_ASSIGN_OR_RETURN(const std::optional<storage::RuleCursor> cursor,
                          store.alerts().Cursor(loaded.rule.id));
      if (cursor && cursor->hash == loaded.rule.hash) status.evaluated = cursor->evaluated;
    }
    all.push_back(std::move(status));
  }
  return all;
}

}  // namespace picket::alerts

#include "agent/alerts/alerting.h"

#include "agent/alerts/detail.h"

namespace picket::alerts {

Alerting::Alerting(storage::TenantStore& store, const Guid& tenant,
                   const std::vector<LoadedRule>& rules, const Settings& settings,
                   std::vector<std::string> streams, Telling telling)
    : store_(store),
      tenant_(tenant),
      rules_(rules),
      book_(store, tenant, rules, settings, std::move(telling)),
      ticks_(store, tenant, settings, book_, std::move(streams)) {}

Result<AlertCounts> Alerting::Evaluate(const Moment& moment, std::stop_token stop) {
  failures_.clear();
  PK_RETURN_IF_ERROR(book_.Open(moment.now));
  PK_RETURN_IF_ERROR(PlaceCursors(moment.now));
  AlertCounts total;
  std::vector<const LoadedRule*> by_tick;
  for (const LoadedRule& loaded : rules_) {
    if (!loaded.verdict.query || !loaded.rule.enabled) continue;
    const bool ticks = loaded.verdict.way == rules::Way::kByTick;
    if (ticks && by_tick.empty()) PK_RETURN_IF_ERROR(ticks_.Begin(moment, stop));
    if (ticks) by_tick.push_back(&loaded);
    Result<AlertCounts> counts =
        ticks ? ticks_.GoOn(loaded) : EvaluateRows(loaded, moment.now, stop);
    if (counts) {
      total += *counts;
    } else if (counts.error().kind == ErrorKind::kCancelled ||
               counts.error().kind == ErrorKind::kStorage) {
      return counts;
    } else {
      failures_.emplace_back(loaded.rule.id, std::move(counts).error());
    }
  }
  PK_ASSIGN_OR_RETURN(const AlertCounts again, ticks_.RunAgain(by_tick));
  total += again;
  for (auto& failure : ticks_.TakeFailures()) failures_.push_back(std::move(failure));
  return total;
}

// In a tenant's first evaluation every rule starts at the beginning: the first hour gives the last
// 30 days. A rule that comes or changes later starts at its newest tick, by a cursor with the seq
// of now and the rows of its period read once (see EvaluateRows).
Status Alerting::PlaceCursors(Instant now) {
  PK_ASSIGN_OR_RETURN(const bool known_tenant, store_.alerts().AnyCursor());
  if (known_tenant || rules_.empty()) return {};
  PK_ASSIGN_OR_RETURN(storage::Transaction transaction, store_.Begin());
  for (const LoadedRule& loaded : rules_) {
    if (loaded.verdict.way == rules::Way::kByTick) continue;
    PK_RETURN_IF_ERROR(store_.alerts().PutCursor(
        loaded.rule.id, {.hash = loaded.rule.hash, .seq = 0, .evaluated = now, .error = {}}));
  }
  return transaction.Commit();
}

Result<AlertCounts> Alerting::EvaluateRows(const LoadedRule& loaded, Instant now,
                                           std::stop_token stop) {
  const rules::Rule& rule = loaded.rule;
  PK_ASSIGN_OR_RETURN(storage::Transaction transaction, store_.Begin());
  PK_ASSIGN_OR_RETURN(const std::optional<storage::RuleCursor> cursor,
                      store_.alerts().Cursor(rule.id));
  PK_ASSIGN_OR_RETURN(const std::int64_t last_seq, store_.events().LastSeq());
  AlertCounts counts;
  counts.rules = 1;
  std::int64_t after = 0;
  Instant oldest{};
  if (cursor && cursor->hash == rule.hash) {
    after = cursor->seq;
    if (after == last_seq) return counts;
  } else {
    oldest = rules::TickOf(now, rule.query_frequency) - rule.query_period;
    PK_RETURN_IF_ERROR(store_.ticks().Forget(rule.id));  // of a version that went by ticks
  }
  book_.Begin();
  PK_ASSIGN_OR_RETURN(const rules::Evaluation evaluation,
                      rules::EvaluateRows(rule, *loaded.verdict.query, store_, tenant_, after,
                                          last_seq, oldest, stop));
  for (const rules::RuleRow& row : evaluation.rows) {
    PK_RETURN_IF_ERROR(Take(rule, evaluation.stream, row, now, counts));
  }
  PK_RETURN_IF_ERROR(Withdraw(rule, evaluation, counts));
  PK_RETURN_IF_ERROR(book_.Recompute(now));
  PK_RETURN_IF_ERROR(store_.alerts().PutCursor(
      rule.id, {.hash = rule.hash, .seq = last_seq, .evaluated = now, .error = {}}));
  PK_RETURN_IF_ERROR(transaction.Commit());
  return counts;
}

Status Alerting::Take(const rules::Rule& rule, const std::string& stream, const rules::RuleRow& row,
                      Instant now, AlertCounts& counts) {
  PK_ASSIGN_OR_RETURN(const std::string event_id, store_.events().IdOf(stream, row.event));
  const storage::EntityKey entity = EntityOf(rule, row, {"row", event_id, rule.title});
  // Derived, so that a replay finds it again: tenant, rule, entity, row.
  const std::string id =
      ToString(Uuid5(tenant_, rule.id + "\n" + entity.type + ":" + entity.id + "\n" + event_id));
  PK_ASSIGN_OR_RETURN(const std::optional<storage::FindingRow> known, store_.alerts().Finding(id));
  storage::FindingRow finding{.id = id,
                              .rule = rule.id,
                              .stream = stream,
                              .event = row.event,
                              .event_id = event_id,
                              .entity = entity,
                              .time = row.time,
                              .tick = row.tick,
                              .state = "active",
                              .alert = known ? known->alert : std::string(),
                              .row = row.json,
                              .found = known ? known->found : now};
  if (const std::string settled = SettledState(row); !settled.empty()) {
    finding.state = "settled";
    finding.state_reason = settled;
  }
  if (!known) ++counts.findings;
  return book_.Put(rule, finding, {row.json}, nullptr, now, counts);
}

// An event that came up again and no longer matches takes its finding back.
Status Alerting::Withdraw(const rules::Rule& rule, const rules::Evaluation& evaluation,
                          AlertCounts& counts) {
  std::set<std::int64_t> matched;
  for (const rules::RuleRow& row : evaluation.rows) matched.insert(row.event);
  for (const std::int64_t event : evaluation.looked_at) {
    if (matched.contains(event)) continue;
    Result<std::string> event_id = store_.events().IdOf(evaluation.stream, event);
    if (!event_id && event_id.error().kind != ErrorKind::kNotFound) {
      return Fail(std::move(event_id).error());
    }
    PK_ASSIGN_OR_RETURN(const std::vector<storage::FindingRow> findings,
                        store_.alerts().FindingsOfEvent(rule.id, evaluation.stream, event,
                                                        event_id ? *event_id : std::string()));
    for (const storage::FindingRow& finding : findings) {
      PK_RETURN_IF_ERROR(
          book_.Withdraw(finding, "the event changed and no longer matches", counts));
    }
  }
  return {};
}

}  // namespace picket::alerts

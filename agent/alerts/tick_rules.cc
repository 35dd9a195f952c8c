#include "agent/alerts/tick_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/alerts/detail.h"
#include "agent/alerts/finding_row.h"
#include "agent/kql/json_view.h"
#include "agent/rules/tick.h"
#include "agent/rules/touched_ticks.h"
#include "agent/tables/event_table_source.h"
#include "base/text.h"

namespace picket::alerts {
namespace {

constexpr std::int64_t kMostWaiting = 5000;  // of a rule, looked at in one turn

std::vector<std::string> SplitRows(std::string_view rows) {
  std::vector<std::string> split;
  kql::ForEachElement(rows, [&](std::string_view row) {
    split.emplace_back(row);
    return true;
  });
  return split;
}

bool SameFindings(const std::vector<storage::TickFinding>& a,
                  const std::vector<storage::TickFinding>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
    return one.finding == other.finding && one.rows == other.rows;
  });
}

}  // namespace

TickRules::TickRules(storage::TenantStore& store, const Guid& tenant, const Settings& settings,
                     AlertBook& book, std::vector<std::string> streams)
    : store_(store),
      tenant_(tenant),
      settings_(settings),
      book_(book),
      streams_(std::move(streams)) {}

Status TickRules::Begin(const Moment& moment, std::stop_token stop) {
  moment_ = moment;
  stop_ = std::move(stop);
  PK_ASSIGN_OR_RETURN(completeness_,
                      rules::Completeness::Read(store_, streams_, moment.now, settings_.retention));
  return {};
}

Result<AlertCounts> TickRules::GoOn(const LoadedRule& loaded) {
  AlertCounts counts;
  counts.rules = 1;
  PK_ASSIGN_OR_RETURN(bool more, Prepare(loaded));
  for (std::int64_t i = 0; more && i < kMostNewTicks; ++i) {
    PK_ASSIGN_OR_RETURN(more, RunNext(loaded, counts));
  }
  return counts;
}

// False: the rule does not begin yet.
Result<bool> TickRules::Prepare(const LoadedRule& loaded) {
  const rules::Rule& rule = loaded.rule;
  PK_ASSIGN_OR_RETURN(storage::Transaction transaction, store_.Begin());
  PK_ASSIGN_OR_RETURN(const std::optional<storage::TickCursor> cursor,
                      store_.ticks().Cursor(rule.id));
  PK_ASSIGN_OR_RETURN(const std::int64_t last_seq, store_.events().LastSeq());
  if (cursor && cursor->version == rule.hash) {
    PK_RETURN_IF_ERROR(MarkTouched(loaded, *cursor, last_seq));
  } else {
    if (!moment_.sure && completeness_.AnyPolled(loaded.verdict.tables)) return false;
    const Instant newest = rules::NewestTick(moment_.now, rule.query_frequency);
    PK_RETURN_IF_ERROR(store_.ticks().Start(rule.id, rule.hash, newest - rule.query_frequency));
  }
  PK_RETURN_IF_ERROR(store_.alerts().PutCursor(
      rule.id, {.hash = rule.hash, .seq = last_seq, .evaluated = moment_.now, .error = {}}));
  PK_RETURN_IF_ERROR(transaction.Commit());
  return true;
}

Status TickRules::MarkTouched(const LoadedRule& loaded, const storage::TickCursor& cursor,
                              std::int64_t last_seq) {
  const rules::Rule& rule = loaded.rule;
  PK_ASSIGN_OR_RETURN(const std::optional<storage::RuleCursor> seen,
                      store_.alerts().Cursor(rule.id));
  const rules::TouchSpan span{.started = cursor.started,
                              .newest = cursor.tick,
                              .after_seq = seen ? seen->seq : 0,
                              .until_seq = last_seq};
  PK_ASSIGN_OR_RETURN(const std::vector<Instant> touched,
                      rules::TouchedTicks(rule, *loaded.verdict.query, store_, tenant_, span));
  for (const Instant tick : touched) {
    PK_RETURN_IF_ERROR(
        store_.ticks().MarkDirty(rule.id, tick, "rows of its window came or changed", moment_.now));
  }
  if (!moment_.sure) return {};
  // On what is left of its window a tick would find other things than it found.
  return store_.ticks().GiveUp(rule.id, moment_.now - settings_.retention + rule.query_period,
                               "rows of its window are older than is kept", moment_.now);
}

// False: no tick is due.
Result<bool> TickRules::RunNext(const LoadedRule& loaded, AlertCounts& counts) {
  const rules::Rule& rule = loaded.rule;
  PK_ASSIGN_OR_RETURN(const std::optional<storage::TickCursor> cursor,
                      store_.ticks().Cursor(rule.id));
  PK_CHECK(cursor.has_value(), "the rule was started");
  PK_ASSIGN_OR_RETURN(const bool skipped, SkipGone(loaded, *cursor));
  if (skipped) return true;
  const Instant tick = cursor->tick + rule.query_frequency;
  const std::string missing = completeness_.WhyNot(rule, loaded.verdict.tables, tick);
  if (missing.empty()) {
    if (tick > moment_.now && !completeness_.AnyPolled(loaded.verdict.tables)) return false;
  } else if (!moment_.sure || moment_.now < tick + kTickPatience) {
    return false;
  }
  const storage::TickState state =
      missing.empty() ? storage::TickState::kEvaluated : storage::TickState::kPartial;
  PK_RETURN_IF_ERROR(Run(loaded,
                         {.rule = rule.id,
                          .tick = tick,
                          .version = rule.hash,
                          .state = state,
                          .reason = missing,
                          .runs = 1,
                          .changed = moment_.now},
                         Turn::kNew, cursor->tick, counts));
  return true;
}

// After a very long downtime: ticks of which no row is left are passed by in one step.
Result<bool> TickRules::SkipGone(const LoadedRule& loaded, const storage::TickCursor& cursor) {
  const rules::Rule& rule = loaded.rule;
  const Instant last = rules::NewestTick(moment_.now - settings_.retention, rule.query_frequency);
  if (!moment_.sure || last <= cursor.tick) return false;
  const std::int64_t ticks = (last - cursor.tick).ticks / rule.query_frequency.ticks;
  PK_ASSIGN_OR_RETURN(storage::Transaction transaction, store_.Begin());
  PK_RETURN_IF_ERROR(Record(
      {.rule = rule.id,
       .tick = last,
       .version = rule.hash,
       .state = storage::TickState::kGivenUp,
       .reason =
           fmt::format("{}, from {} on: the rows are older than is kept", Counted(ticks, "tick"),
                       FormatRfc3339(cursor.tick + rule.query_frequency)),
       .runs = 0,
       .changed = moment_.now},
      Turn::kNew, cursor.tick));
  PK_RETURN_IF_ERROR(transaction.Commit());
  return true;
}

Result<AlertCounts> TickRules::RunAgain(const std::vector<const LoadedRule*>& rules) {
  std::vector<std::pair<const LoadedRule*, storage::TickRow>> ready;
  for (const LoadedRule* loaded : rules) {
    PK_ASSIGN_OR_RETURN(const std::vector<storage::TickRow> waiting,
                        store_.ticks().Waiting(loaded->rule.id, kMostWaiting));
    for (const storage::TickRow& tick : waiting) {
      if (tick.version != loaded->rule.hash) continue;
      storage::TickRow next = tick;
      next.reason = completeness_.WhyNot(loaded->rule, loaded->verdict.tables, tick.tick);
      if (tick.state == storage::TickState::kPartial && !next.reason.empty()) continue;
      next.state =
          next.reason.empty() ? storage::TickState::kEvaluated : storage::TickState::kPartial;
      next.changed = moment_.now;
      ++next.runs;
      ready.emplace_back(loaded, std::move(next));
    }
  }
  std::stable_sort(ready.begin(), ready.end(),
                   [](const auto& a, const auto& b) { return a.second.tick > b.second.tick; });
  if (ready.size() > kMostAgain) ready.resize(kMostAgain);
  AlertCounts counts;
  for (const auto& [loaded, tick] : ready) {
    PK_RETURN_IF_ERROR(Run(*loaded, tick, Turn::kAgain, {}, counts));
  }
  return counts;
}

Status TickRules::Run(const LoadedRule& loaded, storage::TickRow tick, Turn turn, Instant previous,
                      AlertCounts& counts) {
  ++counts.ticks;
  AlertCounts made;
  {
    PK_ASSIGN_OR_RETURN(storage::Transaction transaction, store_.Begin());
    Status evaluated = Evaluate(loaded, tick, made);
    if (evaluated) {
      PK_RETURN_IF_ERROR(Record(tick, turn, previous));
      PK_RETURN_IF_ERROR(transaction.Commit());
      counts += made;
      return {};
    }
    if (rules::EndsTurn(evaluated.error())) return evaluated;
    failures_.emplace_back(loaded.rule.id,
                           std::move(evaluated).error().In("the tick " + FormatRfc3339(tick.tick)));
  }
  // It would fail again: the ticks after it must not wait for it. What it found before stays.
  tick.state = storage::TickState::kGivenUp;
  tick.reason = failures_.back().second.message;
  PK_ASSIGN_OR_RETURN(storage::Transaction transaction, store_.Begin());
  PK_RETURN_IF_ERROR(Record(tick, turn, previous));
  return transaction.Commit();
}

Status TickRules::Evaluate(const LoadedRule& loaded, const storage::TickRow& tick,
                           AlertCounts& counts) {
  tables::EventTableSource source(store_, tenant_);
  PK_ASSIGN_OR_RETURN(
      const std::vector<rules::RuleRow> rows,
      rules::Evaluate(loaded.rule, *loaded.verdict.query, source, tick.tick, stop_));
  FindingSources sources(loaded, tenant_, source, stop_);
  sources.Know(tick.tick, rows);
  book_.Begin();
  PK_RETURN_IF_ERROR(Take(loaded.rule, tick.tick, rows, sources, counts));
  return book_.Recompute(moment_.now);
}

Status TickRules::Record(const storage::TickRow& tick, Turn turn, Instant previous) {
  return turn == Turn::kNew ? store_.ticks().Advance(tick, previous) : store_.ticks().Settle(tick);
}

Status TickRules::Take(const rules::Rule& rule, Instant tick,
                       const std::vector<rules::RuleRow>& rows, FindingSources& sources,
                       AlertCounts& counts) {
  std::map<std::string, std::vector<const rules::RuleRow*>> by_finding;
  entities_.clear();
  for (const rules::RuleRow& row : rows) {
    const std::string id = FindingIdOf(tenant_, rule, row);
    by_finding[id].push_back(&row);
    entities_.emplace(id, EntityOf(rule, row, GroupEntity(rule, row)));
  }
  std::vector<storage::TickFinding> found;
  for (const auto& [id, of] : by_finding) {
    std::string json = "[";
    for (std::size_t i = 0; i < std::min(of.size(), kMostRowsAFinding); ++i) {
      json += (i > 0 ? "," : "") + of[i]->json;
    }
    found.push_back({.tick = tick, .finding = id, .fires = true, .rows = json + "]"});
  }
  PK_ASSIGN_OR_RETURN(const std::vector<storage::TickFinding> before,
                      store_.ticks().FindingsAt(rule.id, tick));
  if (SameFindings(before, found)) return TraceAgain(tick, found, sources);
  PK_RETURN_IF_ERROR(store_.ticks().PutFindings(rule.id, tick, found));
  std::set<std::string> changed;
  for (const storage::TickFinding& finding : before) changed.insert(finding.finding);
  for (const storage::TickFinding& finding : found) changed.insert(finding.finding);
  if (rule.suppression.ticks > 0) PK_RETURN_IF_ERROR(Hold(rule, tick, changed));
  for (const std::string& id : changed) {
    PK_RETURN_IF_ERROR(Conclude(rule, id, tick, sources, counts));
  }
  return {};
}

// The same findings, perhaps of other events.
Status TickRules::TraceAgain(Instant tick, const std::vector<storage::TickFinding>& found,
                             FindingSources& sources) {
  for (const storage::TickFinding& each : found) {
    PK_ASSIGN_OR_RETURN(const std::optional<storage::FindingRow> finding,
                        store_.alerts().Finding(each.finding));
    if (!finding || finding->alert.empty() || finding->tick != tick) continue;
    PK_ASSIGN_OR_RETURN(const rules::Lineage lineage, sources.Of(tick, each.finding));
    PK_RETURN_IF_ERROR(book_.PutSources(*finding, lineage));
  }
  return {};
}

// A tick that triggers holds those of the time after it: from this tick on it is told again which,
// up to one that fires as it did before.
Status TickRules::Hold(const rules::Rule& rule, Instant tick, std::set<std::string>& findings) {
  PK_ASSIGN_OR_RETURN(std::optional<Instant> fired, store_.ticks().LastFired(rule.id, tick));
  PK_ASSIGN_OR_RETURN(const std::vector<storage::TickStore::FoundTick> found,
                      store_.ticks().Found(rule.id, tick));
  for (const storage::TickStore::FoundTick& each : found) {
    const bool fires = !fired || each.tick - *fired >= rule.suppression;
    if (fires) fired = each.tick;
    if (fires == each.fires) {
      if (fires && each.tick > tick) return {};
      continue;
    }
    PK_RETURN_IF_ERROR(store_.ticks().SetFires(rule.id, each.tick, fires));
    PK_ASSIGN_OR_RETURN(const std::vector<storage::TickFinding> of,
                        store_.ticks().FindingsAt(rule.id, each.tick));
    for (const storage::TickFinding& finding : of) findings.insert(finding.finding);
  }
  return {};
}

// The finding as all its ticks say. What it comes from is traced again where another tick than
// before is its last, or that tick ran again.
Status TickRules::Conclude(const rules::Rule& rule, const std::string& id, Instant ran,
                           FindingSources& sources, AlertCounts& counts) {
  PK_ASSIGN_OR_RETURN(std::vector<storage::TickFinding> ticks, store_.ticks().TicksOf(rule.id, id));
  PK_ASSIGN_OR_RETURN(const std::optional<storage::FindingRow> known, store_.alerts().Finding(id));
  if (ticks.empty()) {
    return known ? book_.Withdraw(*known, "its ticks do not find it any more", counts) : Status();
  }
  const bool fires = std::any_of(ticks.begin(), ticks.end(),
                                 [](const storage::TickFinding& tick) { return tick.fires; });
  if (fires) {
    std::erase_if(ticks, [](const storage::TickFinding& tick) { return !tick.fires; });
  }
  const std::vector<std::string> rows = SplitRows(ticks.back().rows);
  PK_CHECK(!rows.empty(), "a finding has a row");
  storage::FindingRow finding{.id = id,
                              .rule = rule.id,
                              .stream = {},
                              .event_id = {},
                              .entity = known ? known->entity : entities_.at(id),
                              .time = ticks.front().tick,
                              .tick = ticks.back().tick,
                              .state = "active",
                              .state_reason = {},
                              .alert = known ? known->alert : std::string(),
                              .row = rows.front(),
                              .found = known ? known->found : moment_.now};
  if (!fires) {
    finding.state = "suppressed";
    finding.state_reason = "held by the rule's suppression";
  } else if (const std::string settled = SettledState(RowOf(finding)); !settled.empty()) {
    finding.state = "settled";
    finding.state_reason = settled;
  }
  if (!known) ++counts.findings;
  const bool shown = finding.state == "active" || !finding.alert.empty();
  if (!shown || (known && known->tick == finding.tick && finding.tick != ran)) {
    return book_.Put(rule, finding, rows, nullptr, moment_.now, counts);
  }
  PK_ASSIGN_OR_RETURN(const rules::Lineage lineage, sources.Of(finding.tick, id));
  return book_.Put(rule, finding, rows, &lineage, moment_.now, counts);
}

}  // namespace picket::alerts

#include "storage/tick_store.h"

namespace picket::storage {
namespace {

TickState StateOf(std::string_view name) {
  if (name == TickStateName(TickState::kPartial)) return TickState::kPartial;
  if (name == TickStateName(TickState::kDirty)) return TickState::kDirty;
  return TickState::kGivenUp;
}

tl::unexpected<Error> OutOfTurn(const char* message) {
  return Fail({.kind = ErrorKind::kInternal, .message = message});
}

TickRow ReadTick(const Statement& row) {
  return {.rule = std::string(row.Text(0)),
          .tick = Instant{row.Int(1)},
          .version = std::string(row.Text(2)),
          .state = StateOf(row.Text(3)),
          .reason = std::string(row.Text(4)),
          .runs = row.Int(5),
          .changed = Instant{row.Int(6)}};
}

constexpr const char* kTickColumns =
    "SELECT rule, tick, version, state, reason, runs, changed FROM tick WHERE (?1='' OR rule=?1) "
    "AND ";

Result<std::vector<TickFinding>> ReadFindings(Statement& select) {
  std::vector<TickFinding> findings;
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return findings;
    findings.push_back({.tick = Instant{select.Int(0)},
                        .finding = std::string(select.Text(1)),
                        .fires = select.Int(2) != 0,
                        .rows = std::string(select.Text(3))});
  }
}

}  // namespace

std::string_view TickStateName(TickState state) {
  switch (state) {
    case TickState::kEvaluated:
      return "evaluated";
    case TickState::kPartial:
      return "partial";
    case TickState::kDirty:
      return "dirty";
    case TickState::kGivenUp:
      return "given_up";
  }
  return "given_up";
}

Result<std::optional<TickCursor>> TickStore::Cursor(std::string_view rule) {
  PK_ASSIGN_OR_RETURN(Statement select,
                      database_.Prepare("SELECT version, started, tick FROM tick_cursor WHERE "
                                        "rule=?"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, rule).Step());
  if (!row) return std::optional<TickCursor>();
  return std::optional<TickCursor>({.version = std::string(select.Text(0)),
                                    .started = Instant{select.Int(1)},
                                    .tick = Instant{select.Int(2)}});
}

Status TickStore::Forget(std::string_view rule) {
  for (const char* table : {"tick", "tick_finding", "tick_cursor"}) {
    PK_ASSIGN_OR_RETURN(Statement forget,
                        database_.Prepare(std::string("DELETE FROM ") + table + " WHERE rule=?"));
    PK_RETURN_IF_ERROR(forget.Bind(1, rule).Run());
  }
  return {};
}

Status TickStore::Start(std::string_view rule, std::string_view version, Instant tick) {
  PK_RETURN_IF_ERROR(Forget(rule));
  PK_ASSIGN_OR_RETURN(
      Statement put,
      database_.Prepare("INSERT OR REPLACE INTO tick_cursor(rule, version, started, tick) "
                        "VALUES(?1,?2,?3,?3)"));
  return put.Bind(1, rule).Bind(2, version).Bind(3, tick.ticks).Run();
}

Status TickStore::CheckVersion(const TickRow& row, const std::optional<TickCursor>& cursor) {
  if (!cursor) return OutOfTurn("the rule has not started yet");
  if (cursor->version != row.version) return OutOfTurn("the rule was started in another version");
  return {};
}

Status TickStore::Advance(const TickRow& row, Instant previous) {
  PK_ASSIGN_OR_RETURN(const std::optional<TickCursor> cursor, Cursor(row.rule));
  PK_RETURN_IF_ERROR(CheckVersion(row, cursor));
  if (cursor->tick != previous || row.tick <= previous) {
    return OutOfTurn("a tick would be left out");
  }
  PK_RETURN_IF_ERROR(Put(row));
  PK_ASSIGN_OR_RETURN(Statement move,
                      database_.Prepare("UPDATE tick_cursor SET tick=? WHERE rule=?"));
  return move.Bind(1, row.tick.ticks).Bind(2, row.rule).Run();
}

Status TickStore::Settle(const TickRow& row) {
  PK_ASSIGN_OR_RETURN(const std::optional<TickCursor> cursor, Cursor(row.rule));
  PK_RETURN_IF_ERROR(CheckVersion(row, cursor));
  if (row.tick > cursor->tick) return OutOfTurn("the tick is still to come");
  if (row.tick <= cursor->started) return OutOfTurn("the rule began after the tick");
  return Put(row);
}

Status TickStore::Put(const TickRow& row) {
  if (row.state == TickState::kEvaluated) {
    PK_ASSIGN_OR_RETURN(Statement remove,
                        database_.Prepare("DELETE FROM tick WHERE rule=? AND tick=?"));
    return remove.Bind(1, row.rule).Bind(2, row.tick.ticks).Run();
  }
  PK_ASSIGN_OR_RETURN(
      Statement put,
      database_.Prepare("INSERT INTO tick(rule, tick, version, state, reason, runs, changed) "
                        "VALUES(?,?,?,?,?,?,?) ON CONFLICT(rule, tick) DO UPDATE SET "
                        "state=excluded.state, reason=excluded.reason, runs=excluded.runs, "
                        "changed=excluded.changed"));
  put.Bind(1, row.rule).Bind(2, row.tick.ticks).Bind(3, row.version);
  put.Bind(4, TickStateName(row.state)).Bind(5, row.reason).Bind(6, row.runs);
  return put.Bind(7, row.changed.ticks).Run();
}

Status TickStore::MarkDirty(std::string_view rule, Instant tick, std::string_view reason,
                            Instant now) {
  PK_ASSIGN_OR_RETURN(
      Statement put,
      database_.Prepare("INSERT INTO tick(rule, tick, version, state, reason, runs, changed) "
                        "SELECT rule, ?2, version, 'dirty', ?3, 1, ?4 FROM tick_cursor WHERE "
                        "rule=?1 AND started<?2 AND tick>=?2 ON CONFLICT(rule, tick) DO NOTHING"));
  return put.Bind(1, rule).Bind(2, tick.ticks).Bind(3, reason).Bind(4, now.ticks).Run();
}

Result<std::optional<TickState>> TickStore::State(std::string_view rule, Instant tick) {
  PK_ASSIGN_OR_RETURN(const std::optional<TickCursor> cursor, Cursor(rule));
  if (!cursor || tick > cursor->tick || tick <= cursor->started) {
    return std::optional<TickState>();
  }
  PK_ASSIGN_OR_RETURN(Statement select,
                      database_.Prepare("SELECT state FROM tick WHERE rule=? AND tick=?"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, rule).Bind(2, tick.ticks).Step());
  return std::optional<TickState>(row ? StateOf(select.Text(0)) : TickState::kEvaluated);
}

Result<std::vector<TickRow>> TickStore::Waiting(std::string_view rule, std::int64_t limit) {
  PK_ASSIGN_OR_RETURN(Statement select,
                      database_.Prepare(std::string(kTickColumns) +
                                        "state IN ('partial','dirty') ORDER BY tick DESC, rule "
                                        "LIMIT ?2"));
  select.Bind(1, rule).Bind(2, limit);
  std::vector<TickRow> rows;
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return rows;
    rows.push_back(ReadTick(select));
  }
}

Result<TickCounts> TickStore::Counts(std::string_view rule) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare("SELECT coalesce(sum(state='partial'),0), coalesce(sum(state='dirty'),0), "
                        "coalesce(sum(state='given_up'),0) FROM tick WHERE ?1='' OR rule=?1"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, rule).Step());
  PK_CHECK(row, "an aggregate has a row");
  return TickCounts{.partial = select.Int(0), .dirty = select.Int(1), .given_up = select.Int(2)};
}

Result<std::optional<TickRow>> TickStore::LastGivenUp(std::string_view rule) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare(std::string(kTickColumns) + "state='given_up' ORDER BY tick DESC LIMIT 1"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, rule).Step());
  return row ? std::optional<TickRow>(ReadTick(select)) : std::nullopt;
}

Status TickStore::GiveUp(std::string_view rule, Instant before, std::string_view reason,
                         Instant now) {
  PK_ASSIGN_OR_RETURN(
      Statement give_up,
      database_.Prepare("UPDATE tick SET state='given_up', changed=?3, reason=reason || '; ' || ?4 "
                        "WHERE rule=?1 AND tick<?2 AND state<>'given_up'"));
  return give_up.Bind(1, rule).Bind(2, before.ticks).Bind(3, now.ticks).Bind(4, reason).Run();
}

Status TickStore::PutFindings(std::string_view rule, Instant tick,
                              const std::vector<TickFinding>& findings) {
  {
    PK_ASSIGN_OR_RETURN(Statement remove,
                        database_.Prepare("DELETE FROM tick_finding WHERE rule=? AND tick=?"));
    PK_RETURN_IF_ERROR(remove.Bind(1, rule).Bind(2, tick.ticks).Run());
  }
  for (const TickFinding& finding : findings) {
    PK_ASSIGN_OR_RETURN(Statement put,
                        database_.Prepare("INSERT INTO tick_finding(rule, tick, finding, fires, "
                                          "rows) VALUES(?,?,?,?,?)"));
    put.Bind(1, rule).Bind(2, tick.ticks).Bind(3, finding.finding);
    PK_RETURN_IF_ERROR(put.Bind(4, std::int64_t{finding.fires}).Bind(5, finding.rows).Run());
  }
  return {};
}

Result<std::vector<TickFinding>> TickStore::FindingsAt(std::string_view rule, Instant tick) {
  PK_ASSIGN_OR_RETURN(Statement select,
                      database_.Prepare("SELECT tick, finding, fires, rows FROM tick_finding WHERE "
                                        "rule=? AND tick=? ORDER BY finding"));
  select.Bind(1, rule).Bind(2, tick.ticks);
  return ReadFindings(select);
}

Result<std::vector<TickFinding>> TickStore::TicksOf(std::string_view rule,
                                                    std::string_view finding) {
  PK_ASSIGN_OR_RETURN(Statement select,
                      database_.Prepare("SELECT tick, finding, fires, rows FROM tick_finding WHERE "
                                        "rule=? AND finding=? ORDER BY tick"));
  select.Bind(1, rule).Bind(2, finding);
  return ReadFindings(select);
}

Result<std::vector<TickStore::FoundTick>> TickStore::Found(std::string_view rule, Instant from) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare("SELECT tick, min(fires) FROM tick_finding WHERE rule=? AND "
                        "tick>=? GROUP BY tick ORDER BY tick"));
  select.Bind(1, rule).Bind(2, from.ticks);
  std::vector<FoundTick> ticks;
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return ticks;
    ticks.push_back({.tick = Instant{select.Int(0)}, .fires = select.Int(1) != 0});
  }
}

Result<std::optional<Instant>> TickStore::LastFired(std::string_view rule, Instant before) {
  PK_ASSIGN_OR_RETURN(Statement select,
                      database_.Prepare("SELECT tick FROM tick_finding WHERE rule=? AND tick<? AND "
                                        "fires=1 ORDER BY tick DESC LIMIT 1"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, rule).Bind(2, before.ticks).Step());
  return row ? std::optional<Instant>(Instant{select.Int(0)}) : std::nullopt;
}

Status TickStore::SetFires(std::string_view rule, Instant tick, bool fires) {
  PK_ASSIGN_OR_RETURN(Statement update, database_.Prepare("UPDATE tick_finding SET fires=?3 WHERE "
                                                          "rule=?1 AND tick=?2"));
  return update.Bind(1, rule).Bind(2, tick.ticks).Bind(3, std::int64_t{fires}).Run();
}

Status TickStore::Expire(Instant oldest, Instant now) {
  PK_ASSIGN_OR_RETURN(
      Statement give_up,
      database_.Prepare("UPDATE tick SET state='given_up', changed=?2, reason=reason || '; its "
                        "rows are older than is kept' WHERE tick<?1 AND state<>'given_up'"));
  PK_RETURN_IF_ERROR(give_up.Bind(1, oldest.ticks).Bind(2, now.ticks).Run());
  PK_ASSIGN_OR_RETURN(
      Statement forget,
      database_.Prepare("DELETE FROM tick WHERE state='given_up' AND tick<?1 AND changed<?1"));
  PK_RETURN_IF_ERROR(forget.Bind(1, oldest.ticks).Run());
  PK_ASSIGN_OR_RETURN(Statement found, database_.Prepare("DELETE FROM tick_finding WHERE tick<?"));
  return found.Bind(1, oldest.ticks).Run();
}

}  // namespace picket::storage

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

Status TickStore::Start(std::string_view rule, std::string_view version, Instant tick) {
  {
    PK_ASSIGN_OR_RETURN(Statement forget, database_.Prepare("DELETE FROM tick WHERE rule=?"));
    PK_RETURN_IF_ERROR(forget.Bind(1, rule).Run());
  }
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

Result<std::vector<TickRow>> TickStore::Waiting(std::int64_t limit) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare("SELECT rule, tick, version, state, reason, runs, changed FROM tick WHERE "
                        "state IN ('partial','dirty') ORDER BY tick DESC, rule LIMIT ?"));
  select.Bind(1, limit);
  std::vector<TickRow> rows;
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return rows;
    rows.push_back({.rule = std::string(select.Text(0)),
                    .tick = Instant{select.Int(1)},
                    .version = std::string(select.Text(2)),
                    .state = StateOf(select.Text(3)),
                    .reason = std::string(select.Text(4)),
                    .runs = select.Int(5),
                    .changed = Instant{select.Int(6)}});
  }
}

Result<TickCounts> TickStore::Counts() {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare("SELECT coalesce(sum(state='partial'),0), coalesce(sum(state='dirty'),0), "
                        "coalesce(sum(state='given_up'),0) FROM tick"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Step());
  PK_CHECK(row, "an aggregate has a row");
  return TickCounts{.partial = select.Int(0), .dirty = select.Int(1), .given_up = select.Int(2)};
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
  return forget.Bind(1, oldest.ticks).Run();
}

}  // namespace picket::storage

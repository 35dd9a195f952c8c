#include "storage/outbox.h"

namespace picket::storage {
namespace {

constexpr std::string_view kColumns =
    "SELECT id, output, incident, kind, priority, body, created, state, not_before, attempts, "
    "error, strikes, digest FROM outbox ";

std::string Own(std::string_view text) { return std::string(text); }

Result<std::vector<OutboxEntry>> ReadEntries(Statement& select) {
  std::vector<OutboxEntry> entries;
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return entries;
    entries.push_back({.id = Own(select.Text(0)),
                       .output = Own(select.Text(1)),
                       .incident = Own(select.Text(2)),
                       .kind = Own(select.Text(3)),
                       .priority = static_cast<int>(select.Int(4)),
                       .body = Own(select.Text(5)),
                       .created = Instant{select.Int(6)},
                       .state = Own(select.Text(7)),
                       .not_before = Instant{select.Int(8)},
                       .attempts = select.Int(9),
                       .error = Own(select.Text(10)),
                       .strikes = select.Int(11),
                       .digest = Own(select.Text(12))});
  }
}

constexpr std::string_view kQueueColumns =
    "SELECT output, coalesce(sum(state IN ('pending','folded')),0), coalesce(sum(state='dead'),0), "
    "min(CASE WHEN state IN ('pending','folded') THEN created END), "
    "min(CASE WHEN state='pending' THEN max(not_before,?1) END) FROM outbox ";

OutputQueue ReadQueue(const Statement& row) {
  OutputQueue queue{.output = Own(row.Text(0)),
                    .depth = {.pending = row.Int(1), .dead = row.Int(2)},
                    .oldest = {},
                    .next = {}};
  if (!row.IsNull(3)) queue.oldest = Instant{row.Int(3)};
  if (!row.IsNull(4)) queue.next = Instant{row.Int(4)};
  return queue;
}

}  // namespace

Status Outbox::Put(const OutboxEntry& entry) {
  PK_ASSIGN_OR_RETURN(
      Statement insert,
      database_.Prepare("INSERT INTO outbox(id, output, incident, kind, priority, body, state, "
                        "created, not_before) SELECT ?1,?2,?3,?4,?5,?6,'pending',?7,"
                        "min(?8, coalesce((SELECT min(not_before) FROM outbox WHERE output=?2 AND "
                        "incident=?3 AND state='pending'), ?8)) WHERE NOT EXISTS(SELECT 1 FROM "
                        "delivery WHERE id=?1) ON CONFLICT(id) DO NOTHING"));
  insert.Bind(1, entry.id).Bind(2, entry.output).Bind(3, entry.incident).Bind(4, entry.kind);
  insert.Bind(5, std::int64_t{entry.priority}).Bind(6, entry.body).Bind(7, entry.created.ticks);
  PK_RETURN_IF_ERROR(insert.Bind(8, entry.not_before.ticks).Run());
  if (database_.Changes() == 0) return {};
  PK_ASSIGN_OR_RETURN(
      Statement supersede,
      database_.Prepare("UPDATE outbox SET state='superseded' WHERE output=? AND incident=? AND "
                        "state='pending' AND id<>?"));
  return supersede.Bind(1, entry.output).Bind(2, entry.incident).Bind(3, entry.id).Run();
}

Result<std::vector<OutboxEntry>> Outbox::Due(std::string_view output, Instant now,
                                             std::int64_t limit, DueOrder order) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare(
          std::string(kColumns) + "WHERE output=? AND state='pending' AND not_before<=? ORDER BY " +
          (order == DueOrder::kFewestTries ? "attempts, " : "") + "priority, created, id LIMIT ?"));
  select.Bind(1, output).Bind(2, now.ticks).Bind(3, limit);
  return ReadEntries(select);
}

Result<std::vector<OutboxEntry>> Outbox::Entries(std::string_view state, std::int64_t limit) {
  PK_ASSIGN_OR_RETURN(Statement select,
                      database_.Prepare(std::string(kColumns) +
                                        "WHERE ?1='' OR state=?1 ORDER BY created, id LIMIT ?2"));
  select.Bind(1, state).Bind(2, limit);
  return ReadEntries(select);
}

Status Outbox::Acknowledged(std::string_view id, std::string_view receipt, Instant now) {
  PK_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(database_));
  {
    PK_ASSIGN_OR_RETURN(
        Statement insert,
        database_.Prepare("INSERT INTO delivery(id, output, incident, kind, created, delivered, "
                          "attempts, receipt) SELECT id, output, incident, kind, created, ?2, "
                          "attempts+(id=?1), CASE WHEN id=?1 THEN ?3 ELSE 'digest ' || ?1 END FROM "
                          "outbox WHERE id=?1 OR (digest=?1 AND state='folded')"));
    PK_RETURN_IF_ERROR(insert.Bind(1, id).Bind(2, now.ticks).Bind(3, receipt).Run());
    PK_ASSIGN_OR_RETURN(
        Statement remove,
        database_.Prepare(
            "DELETE FROM outbox WHERE id=?1 OR (digest=?1 AND digest<>'' AND state='folded')"));
    PK_RETURN_IF_ERROR(remove.Bind(1, id).Run());
  }
  return transaction.Commit();
}

Status Outbox::Postponed(std::string_view id, std::string_view error, Instant not_before) {
  PK_ASSIGN_OR_RETURN(Statement update,
                      database_.Prepare("UPDATE outbox SET attempts=attempts+1, error=?, "
                                        "not_before=? WHERE id=?"));
  return update.Bind(1, error).Bind(2, not_before.ticks).Bind(3, id).Run();
}

Result<std::int64_t> Outbox::Strike(std::string_view id) {
  PK_ASSIGN_OR_RETURN(Statement update, database_.Prepare("UPDATE outbox SET strikes=strikes+1 "
                                                          "WHERE id=? RETURNING strikes"));
  PK_ASSIGN_OR_RETURN(const bool row, update.Bind(1, id).Step());
  return row ? update.Int(0) : 0;
}

Status Outbox::Dead(std::string_view id, std::string_view error) {
  PK_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(database_));
  {
    PK_ASSIGN_OR_RETURN(Statement update,
                        database_.Prepare("UPDATE outbox SET state='dead', attempts=attempts+1, "
                                          "error=? WHERE id=? AND state='pending'"));
    PK_RETURN_IF_ERROR(update.Bind(1, error).Bind(2, id).Run());
    PK_ASSIGN_OR_RETURN(Statement unfold,
                        database_.Prepare("UPDATE outbox SET state='pending' WHERE digest=? AND "
                                          "digest<>'' AND state='folded'"));
    PK_RETURN_IF_ERROR(unfold.Bind(1, id).Run());
  }
  return transaction.Commit();
}

Result<std::vector<OutboxEntry>> Outbox::Waiting(std::string_view output, Instant before,
                                                 int priority, std::int64_t limit) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare(std::string(kColumns) +
                        "WHERE output=? AND state='pending' AND created<? AND priority>=? AND "
                        "digest='' AND kind IN ('incident','incident.closed') ORDER BY priority, "
                        "created, id LIMIT ?"));
  select.Bind(1, output).Bind(2, before.ticks).Bind(3, std::int64_t{priority}).Bind(4, limit);
  return ReadEntries(select);
}

Status Outbox::PutDigest(const OutboxEntry& digest, const std::vector<std::string>& ids,
                         Folding folding) {
  PK_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(database_));
  PK_RETURN_IF_ERROR(Put(digest));
  for (const std::string& id : ids) {
    PK_ASSIGN_OR_RETURN(
        Statement update,
        database_.Prepare("UPDATE outbox SET digest=?1, state=?2 WHERE id=?3 AND state='pending'"));
    update.Bind(1, digest.id).Bind(2, folding == Folding::kFold ? "folded" : "pending");
    PK_RETURN_IF_ERROR(update.Bind(3, id).Run());
  }
  return transaction.Commit();
}

Result<std::optional<Delivery>> Outbox::LastDelivery(std::string_view output,
                                                     std::string_view incident) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare("SELECT id, output, incident, kind, created, delivered, attempts, receipt "
                        "FROM delivery WHERE output=? AND incident=? ORDER BY delivered DESC, "
                        "created DESC, id LIMIT 1"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, output).Bind(2, incident).Step());
  if (!row) return std::optional<Delivery>();
  return std::optional<Delivery>({.id = Own(select.Text(0)),
                                  .output = Own(select.Text(1)),
                                  .incident = Own(select.Text(2)),
                                  .kind = Own(select.Text(3)),
                                  .created = Instant{select.Int(4)},
                                  .delivered = Instant{select.Int(5)},
                                  .attempts = select.Int(6),
                                  .receipt = Own(select.Text(7))});
}

Result<bool> Outbox::Knows(std::string_view output, std::string_view incident) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare("SELECT EXISTS(SELECT 1 FROM delivery WHERE output=?1 AND incident=?2) OR "
                        "EXISTS(SELECT 1 FROM outbox WHERE output=?1 AND incident=?2)"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, output).Bind(2, incident).Step());
  PK_CHECK(row, "an expression has a row");
  return select.Int(0) != 0;
}

Result<OutboxDepth> Outbox::Depth() {
  PK_ASSIGN_OR_RETURN(Statement select,
                      database_.Prepare("SELECT coalesce(sum(state IN ('pending','folded')),0), "
                                        "coalesce(sum(state='dead'),0) FROM outbox"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Step());
  PK_CHECK(row, "an aggregate has a row");
  return OutboxDepth{.pending = select.Int(0), .dead = select.Int(1)};
}

Result<std::vector<OutputQueue>> Outbox::Queues(Instant now) {
  PK_ASSIGN_OR_RETURN(Statement select, database_.Prepare(std::string(kQueueColumns) +
                                                          "GROUP BY output ORDER BY output"));
  select.Bind(1, now.ticks);
  std::vector<OutputQueue> queues;
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return queues;
    queues.push_back(ReadQueue(select));
  }
}

Result<OutputQueue> Outbox::Queue(std::string_view output, Instant now) {
  PK_ASSIGN_OR_RETURN(Statement select,
                      database_.Prepare(std::string(kQueueColumns) + "WHERE output=?2"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, now.ticks).Bind(2, output).Step());
  PK_CHECK(row, "an aggregate has a row");
  OutputQueue queue = ReadQueue(select);
  queue.output = output;
  return queue;
}

Status Outbox::Expire(Instant oldest) {
  {
    PK_ASSIGN_OR_RETURN(
        Statement entries,
        database_.Prepare("DELETE FROM outbox WHERE state='superseded' AND created<?"));
    PK_RETURN_IF_ERROR(entries.Bind(1, oldest.ticks).Run());
  }
  PK_ASSIGN_OR_RETURN(
      Statement deliveries,
      database_.Prepare("DELETE FROM delivery WHERE delivered<?1 AND EXISTS(SELECT 1 FROM delivery "
                        "d WHERE d.output=delivery.output AND d.incident=delivery.incident AND "
                        "d.delivered>delivery.delivered)"));
  return deliveries.Bind(1, oldest.ticks).Run();
}

}  // namespace picket::storage

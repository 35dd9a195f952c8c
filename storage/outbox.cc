#include "storage/outbox.h"

namespace picket::storage {
namespace {

constexpr std::string_view kColumns =
    "SELECT id, output, incident, kind, priority, body, created, state, not_before, attempts, "
    "error FROM outbox ";

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
                       .error = Own(select.Text(10))});
  }
}

}  // namespace

Status Outbox::Put(const OutboxEntry& entry) {
  PK_ASSIGN_OR_RETURN(
      Statement insert,
      database_.Prepare("INSERT INTO outbox(id, output, incident, kind, priority, body, state, "
                        "created) SELECT ?1,?2,?3,?4,?5,?6,'pending',?7 WHERE NOT EXISTS(SELECT 1 "
                        "FROM delivery WHERE id=?1) ON CONFLICT(id) DO NOTHING"));
  insert.Bind(1, entry.id).Bind(2, entry.output).Bind(3, entry.incident).Bind(4, entry.kind);
  insert.Bind(5, std::int64_t{entry.priority}).Bind(6, entry.body).Bind(7, entry.created.ticks);
  PK_RETURN_IF_ERROR(insert.Run());
  if (database_.Changes() == 0) return {};
  PK_ASSIGN_OR_RETURN(
      Statement supersede,
      database_.Prepare("UPDATE outbox SET state='superseded' WHERE output=? AND incident=? AND "
                        "state='pending' AND id<>?"));
  return supersede.Bind(1, entry.output).Bind(2, entry.incident).Bind(3, entry.id).Run();
}

Result<std::vector<OutboxEntry>> Outbox::Due(std::string_view output, Instant now,
                                             std::int64_t limit) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare(std::string(kColumns) +
                        "WHERE output=? AND state='pending' AND not_before<=? ORDER BY priority, "
                        "created, id LIMIT ?"));
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
                          "attempts+1, ?3 FROM outbox WHERE id=?1"));
    PK_RETURN_IF_ERROR(insert.Bind(1, id).Bind(2, now.ticks).Bind(3, receipt).Run());
    PK_ASSIGN_OR_RETURN(Statement remove, database_.Prepare("DELETE FROM outbox WHERE id=?"));
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

Status Outbox::Dead(std::string_view id, std::string_view error) {
  PK_ASSIGN_OR_RETURN(Statement update,
                      database_.Prepare("UPDATE outbox SET state='dead', attempts=attempts+1, "
                                        "error=? WHERE id=? AND state='pending'"));
  return update.Bind(1, error).Bind(2, id).Run();
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

Result<OutboxDepth> Outbox::Depth() {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare(
          "SELECT coalesce(sum(state='pending'),0), coalesce(sum(state='dead'),0) FROM outbox"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Step());
  PK_CHECK(row, "an aggregate has a row");
  return OutboxDepth{.pending = select.Int(0), .dead = select.Int(1)};
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

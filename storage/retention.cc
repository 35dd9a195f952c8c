#include <fmt/format.h>

#include "storage/event_sql.h"
#include "storage/event_store.h"

namespace picket::storage {
namespace {

constexpr std::int64_t kEventsAtOnce = 2000;
constexpr std::int64_t kFramesAtOnce = 200;
constexpr Timespan kHeldFor = kDay;

// Runs a statement that deletes at most ?2 rows older than ?1 until nothing is left to delete, each
// time in a transaction of its own. `deleted` is told within it.
template <class Deleted>
Status DeleteAll(Database& database, const std::string& sql, Instant oldest, std::int64_t at_once,
                 const Deleted& deleted) {
  std::int64_t gone = at_once;
  while (gone == at_once) {
    PK_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(database));
    {
      PK_ASSIGN_OR_RETURN(Statement remove, database.Prepare(sql));
      PK_RETURN_IF_ERROR(remove.Bind(1, oldest.ticks).Bind(2, at_once).Run());
      gone = database.Changes();
      PK_RETURN_IF_ERROR(deleted(gone));
    }
    PK_RETURN_IF_ERROR(transaction.Commit());
  }
  return {};
}

}  // namespace

// Rows go before the frames that they point to, so that none points to nothing, wherever this is
// interrupted. No event or version of a frame is newer than the frame's `newest`.
Result<std::int64_t> EventStore::Expire(Instant oldest, Instant now) {
  std::int64_t deleted = 0;
  {
    PK_ASSIGN_OR_RETURN(Statement release,
                        database_.Prepare("DELETE FROM held WHERE arrived NOT BETWEEN ? AND ?"));
    release.Bind(1, (now - kHeldFor).ticks).Bind(2, (now + kHeldFor).ticks);
    PK_RETURN_IF_ERROR(release.Run());
  }
  for (const StreamSchema& schema : schemas_) {
    const std::string sql = fmt::format(
        "DELETE FROM {0} WHERE key IN (SELECT key FROM {0} WHERE created<?1 AND key "
        "NOT IN (SELECT event FROM held) LIMIT ?2)",
        TableName(schema.stream));
    const auto count = [&](std::int64_t gone) -> Status {
      deleted += gone;
      if (gone == 0) return {};
      PK_ASSIGN_OR_RETURN(
          Statement update,
          database_.Prepare("UPDATE stream SET events=events-?1, deleted=deleted+?1 "
                            "WHERE name=?2"));
      return update.Bind(1, gone).Bind(2, schema.stream).Run();
    };
    PK_RETURN_IF_ERROR(DeleteAll(database_, sql, oldest, kEventsAtOnce, count));
  }
  const auto nothing = [](std::int64_t) { return Status(); };
  PK_RETURN_IF_ERROR(
      DeleteAll(database_,
                "DELETE FROM event_version WHERE (stream, seq) IN (SELECT stream, seq FROM "
                "event_version WHERE created<?1 LIMIT ?2)",
                oldest, kEventsAtOnce, nothing));
  PK_RETURN_IF_ERROR(
      DeleteAll(database_,
                "DELETE FROM frame WHERE id IN (SELECT id FROM frame WHERE newest<?1 AND id NOT IN "
                "(SELECT frame FROM held) LIMIT ?2)",
                oldest, kFramesAtOnce, nothing));
  frames_.Forget();
  if (deleted > 0) PK_RETURN_IF_ERROR(words_.Sweep(schemas_));
  return deleted;
}

}  // namespace picket::storage

#include "storage/agent_store.h"

#include "base/files.h"
#include "base/text.h"
#include "storage/migrations.h"
#include "storage/upgrade.h"

namespace picket::storage {

Result<std::unique_ptr<AgentStore>> AgentStore::Open(const std::filesystem::path& data_dir) {
  PK_RETURN_IF_ERROR(EnsurePrivateDirectory(data_dir));
  PK_ASSIGN_OR_RETURN(std::unique_ptr<Database> database,
                      OpenUpgraded(data_dir / "agent.db", kAgentApplicationId, AgentMigrations()));
  // A request that a power cut forgets costs a 429 at most; a page's rows are never here.
  PK_RETURN_IF_ERROR(database->Execute("PRAGMA synchronous=NORMAL"));
  return std::unique_ptr<AgentStore>(new AgentStore(std::move(database)));
}

Result<std::unique_ptr<AgentStore>> AgentStore::OpenToRead(const std::filesystem::path& data_dir) {
  const std::filesystem::path path = data_dir / "agent.db";
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return Fail({.kind = ErrorKind::kNotFound, .message = "there is no " + path.string()});
  }
  PK_ASSIGN_OR_RETURN(
      std::unique_ptr<Database> database,
      Database::Open(path,
                     {.create = false, .read_only = true, .application_id = kAgentApplicationId}));
  PK_RETURN_IF_ERROR(CheckSchema(*database, AgentMigrations()));
  return std::unique_ptr<AgentStore>(new AgentStore(std::move(database)));
}

Status AgentStore::NoteRequest(const RequestEntry& entry) {
  const std::lock_guard lock(mutex_);
  PK_ASSIGN_OR_RETURN(
      Statement insert,
      database_->Prepare("INSERT INTO request(app, family, tenant, time) VALUES(?,?,?,?)"));
  insert.Bind(1, entry.app).Bind(2, entry.family).Bind(3, entry.tenant).Bind(4, entry.time.ticks);
  return insert.Run();
}

Result<std::vector<RequestEntry>> AgentStore::RequestsSince(Instant time) {
  const std::lock_guard lock(mutex_);
  {
    PK_ASSIGN_OR_RETURN(Statement remove, database_->Prepare("DELETE FROM request WHERE time<?"));
    PK_RETURN_IF_ERROR(remove.Bind(1, time.ticks).Run());
  }
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_->Prepare("SELECT app, family, tenant, time FROM request ORDER BY time"));
  std::vector<RequestEntry> entries;
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return entries;
    entries.push_back({.app = std::string(select.Text(0)),
                       .family = std::string(select.Text(1)),
                       .tenant = std::string(select.Text(2)),
                       .time = Instant{select.Int(3)}});
  }
}

Result<std::optional<Instant>> AgentStore::HeldUntil(std::string_view name) {
  const std::lock_guard lock(mutex_);
  PK_ASSIGN_OR_RETURN(Statement select, database_->Prepare("SELECT until FROM hold WHERE name=?"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, name).Step());
  if (!row) return std::optional<Instant>();
  return std::optional<Instant>(Instant{select.Int(0)});
}

Status AgentStore::Hold(std::string_view name, Instant until, std::string_view reason) {
  const std::lock_guard lock(mutex_);
  PK_ASSIGN_OR_RETURN(
      Statement put,
      database_->Prepare("INSERT OR REPLACE INTO hold(name, until, reason) VALUES(?,?,?)"));
  return put.Bind(1, name).Bind(2, until.ticks).Bind(3, reason).Run();
}

Result<OutputState> AgentStore::Output(std::string_view name) {
  const std::lock_guard lock(mutex_);
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_->Prepare("SELECT not_before, openings, failing, failing_since, error_kind, error, "
                         "hint, last_success FROM output WHERE name=?"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, name).Step());
  OutputState state;
  if (!row) return state;
  const auto time = [&](int column) {
    return select.Int(column) == 0 ? std::optional<Instant>() : Instant{select.Int(column)};
  };
  state.not_before = Instant{select.Int(0)};
  state.openings = select.Int(1);
  for (const std::string_view line : Split(select.Text(2), '\n')) {
    if (!line.empty()) state.failing.emplace_back(line);
  }
  state.failing_since = time(3);
  state.error_kind = select.Text(4);
  state.error = select.Text(5);
  state.hint = select.Text(6);
  state.last_success = time(7);
  return state;
}

Status AgentStore::PutOutput(std::string_view name, const OutputState& state) {
  std::string failing;
  for (const std::string& entry : state.failing) failing += entry + "\n";
  const auto ticks = [](const std::optional<Instant>& time) { return time ? time->ticks : 0; };
  const std::lock_guard lock(mutex_);
  PK_ASSIGN_OR_RETURN(
      Statement put,
      database_->Prepare("INSERT OR REPLACE INTO output(name, not_before, openings, failing, "
                         "failing_since, error_kind, error, hint, last_success) "
                         "VALUES(?,?,?,?,?,?,?,?,?)"));
  put.Bind(1, name).Bind(2, state.not_before.ticks).Bind(3, state.openings).Bind(4, failing);
  put.Bind(5, ticks(state.failing_since)).Bind(6, state.error_kind).Bind(7, state.error);
  return put.Bind(8, state.hint).Bind(9, ticks(state.last_success)).Run();
}

Result<std::vector<OutputQueue>> AgentStore::Queues(Instant now) {
  const std::lock_guard lock(mutex_);
  return storage::Outbox(*database_).Queues(now);
}

}  // namespace picket::storage

#include "storage/migrations.h"

#include <fmt/format.h>

namespace picket::storage {
namespace {

// The per-stream tables event_STREAM are made from the mapping (event_tables.cc), not here.
constexpr const char* kTenant1 = R"sql(
CREATE TABLE tenant(
  guid TEXT NOT NULL
) STRICT;
CREATE TABLE counter(            -- seq: grows with every insert or change of an event
  name TEXT PRIMARY KEY, value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counter VALUES('seq', 0);
INSERT INTO counter VALUES('words_kept', 0);

CREATE TABLE word(               -- texts that events share; ids are never given again
  id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE frame(
  id INTEGER PRIMARY KEY, newest INTEGER NOT NULL, data BLOB NOT NULL
) STRICT;
CREATE INDEX frame_newest ON frame(newest);

CREATE TABLE stream(
  name TEXT PRIMARY KEY,
  mapping_version INTEGER NOT NULL,
  columns TEXT NOT NULL,         -- "name:type,…" as the table was made
  events INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'waiting',
  reason TEXT NOT NULL DEFAULT '',
  not_before INTEGER NOT NULL DEFAULT 0,
  next_due INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0,
  interval INTEGER NOT NULL DEFAULT 0,
  width INTEGER NOT NULL DEFAULT 0,
  page_size INTEGER NOT NULL DEFAULT 0,
  probe TEXT NOT NULL DEFAULT '',
  last_success INTEGER NOT NULL DEFAULT 0,
  last_error TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE TABLE event_version(      -- earlier readings of changed events
  stream TEXT NOT NULL, key INTEGER NOT NULL, seq INTEGER NOT NULL,
  created INTEGER NOT NULL, updated INTEGER, frame INTEGER NOT NULL, place INTEGER NOT NULL,
  PRIMARY KEY(stream, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_version_created ON event_version(created);

CREATE TABLE ledger(
  id INTEGER PRIMARY KEY,
  stream TEXT NOT NULL,
  kind TEXT NOT NULL,            -- live | backfill | gap | reconcile | import
  from_time INTEGER NOT NULL, to_time INTEGER NOT NULL,
  state TEXT NOT NULL,           -- open | read | lost | stuck
  stage INTEGER NOT NULL DEFAULT 0,
  pages INTEGER NOT NULL DEFAULT 0,
  read INTEGER NOT NULL DEFAULT 0,
  added INTEGER NOT NULL DEFAULT 0, changed INTEGER NOT NULL DEFAULT 0,
  same INTEGER NOT NULL DEFAULT 0, poorer INTEGER NOT NULL DEFAULT 0,
  rejected INTEGER NOT NULL DEFAULT 0, expired INTEGER NOT NULL DEFAULT 0,
  late INTEGER NOT NULL DEFAULT 0,
  opened INTEGER NOT NULL, finished INTEGER,
  note TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX ledger_stream ON ledger(stream, state, from_time);

CREATE TABLE lateness(           -- how late rows came, by power of two of minutes
  stream TEXT NOT NULL, bucket INTEGER NOT NULL, rows INTEGER NOT NULL,
  PRIMARY KEY(stream, bucket)
) STRICT, WITHOUT ROWID;

CREATE TABLE rule_cursor(
  rule TEXT PRIMARY KEY, hash TEXT NOT NULL, seq INTEGER NOT NULL, evaluated INTEGER NOT NULL,
  error TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE TABLE finding(
  id TEXT PRIMARY KEY,
  rule TEXT NOT NULL, stream TEXT NOT NULL, event INTEGER NOT NULL,
  entity_type TEXT NOT NULL, entity_id TEXT NOT NULL, entity_name TEXT NOT NULL,
  time INTEGER NOT NULL, tick INTEGER NOT NULL,
  state TEXT NOT NULL,           -- active | settled | withdrawn
  state_reason TEXT NOT NULL DEFAULT '',
  alert TEXT NOT NULL DEFAULT '',
  row TEXT NOT NULL,             -- the rule's output row as JSON, our own copy
  found INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX finding_event ON finding(rule, stream, event);
CREATE INDEX finding_alert ON finding(alert);

CREATE TABLE alert(
  id TEXT PRIMARY KEY,
  rule TEXT NOT NULL,
  entity_type TEXT NOT NULL, entity_id TEXT NOT NULL, entity_name TEXT NOT NULL,
  incident TEXT NOT NULL,
  status TEXT NOT NULL, closed_reason TEXT NOT NULL DEFAULT '',
  severity INTEGER NOT NULL, confidence INTEGER NOT NULL, priority INTEGER NOT NULL,
  first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, count INTEGER NOT NULL,
  opened INTEGER NOT NULL, updated INTEGER NOT NULL, reopened INTEGER NOT NULL DEFAULT 0,
  detail TEXT NOT NULL           -- title, description, reasons, … as JSON
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_entity ON alert(rule, entity_type, entity_id);
CREATE INDEX alert_incident ON alert(incident);

CREATE TABLE alert_evidence(
  alert TEXT NOT NULL, finding TEXT NOT NULL, time INTEGER NOT NULL, row TEXT NOT NULL,
  PRIMARY KEY(alert, finding)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident(
  id TEXT PRIMARY KEY,
  entity_type TEXT NOT NULL, entity_id TEXT NOT NULL, entity_name TEXT NOT NULL,
  title TEXT NOT NULL,
  status TEXT NOT NULL, closed_reason TEXT NOT NULL DEFAULT '',
  severity INTEGER NOT NULL, priority INTEGER NOT NULL,
  first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,
  opened INTEGER NOT NULL, updated INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_entity ON incident(entity_type, entity_id);

CREATE TABLE decision(           -- append-only
  id INTEGER PRIMARY KEY, time INTEGER NOT NULL, who TEXT NOT NULL,
  subject TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL
) STRICT;
CREATE TRIGGER decision_no_update BEFORE UPDATE ON decision
  BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
CREATE TRIGGER decision_no_delete BEFORE DELETE ON decision
  BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;

CREATE TABLE outbox(
  id TEXT PRIMARY KEY, output TEXT NOT NULL, incident TEXT NOT NULL,
  state TEXT NOT NULL,           -- pending | superseded | dead
  priority INTEGER NOT NULL, created INTEGER NOT NULL, body TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
)sql";

// Ticks, the outbox as outputs need it, what an alert cites, and what retention took.
constexpr const char* kTenant2 = R"sql(
CREATE TABLE tick_cursor(        -- every tick up to it was evaluated, or stands in tick
  rule TEXT PRIMARY KEY, version TEXT NOT NULL,
  started INTEGER NOT NULL,      -- and none up to this one: the rule begins after it
  tick INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE tick(               -- ticks that are not, or not for good, evaluated
  rule TEXT NOT NULL, tick INTEGER NOT NULL,
  version TEXT NOT NULL,         -- of the rule: the hash of its meaning
  state TEXT NOT NULL,           -- partial | dirty | given_up
  reason TEXT NOT NULL, runs INTEGER NOT NULL, changed INTEGER NOT NULL,
  PRIMARY KEY(rule, tick)
) STRICT, WITHOUT ROWID;
CREATE INDEX tick_state ON tick(state, tick);

DROP TABLE outbox;               -- nothing wrote to it
CREATE TABLE outbox(
  id TEXT PRIMARY KEY,           -- of output, incident and its state: the same at every try
  output TEXT NOT NULL, incident TEXT NOT NULL,
  kind TEXT NOT NULL,            -- incident.opened | incident.updated | incident.closed | …
  priority INTEGER NOT NULL, body TEXT NOT NULL,
  state TEXT NOT NULL,           -- pending | superseded | dead
  created INTEGER NOT NULL, not_before INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox(output, state, priority, created);
CREATE INDEX outbox_incident ON outbox(output, incident);
CREATE TABLE delivery(           -- what a receiver acknowledged
  id TEXT PRIMARY KEY,           -- the outbox entry's
  output TEXT NOT NULL, incident TEXT NOT NULL, kind TEXT NOT NULL,
  created INTEGER NOT NULL, delivered INTEGER NOT NULL, attempts INTEGER NOT NULL,
  receipt TEXT NOT NULL          -- what the receiver said: its own id, an etag
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_incident ON delivery(output, incident, delivered);

CREATE INDEX decision_subject ON decision(subject);

ALTER TABLE finding ADD COLUMN event_id TEXT NOT NULL DEFAULT '';
CREATE INDEX finding_event_id ON finding(stream, event_id);
CREATE TABLE held(               -- events past retention that an alert still cites
  stream TEXT NOT NULL, event INTEGER NOT NULL, frame INTEGER NOT NULL, arrived INTEGER NOT NULL,
  PRIMARY KEY(stream, event)
) STRICT, WITHOUT ROWID;

ALTER TABLE stream ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;  -- events that retention took
)sql";

// What each tick found, and the readings that a rule saw before an event changed.
constexpr const char* kTenant3 = R"sql(
CREATE TABLE tick_finding(       -- a finding is what its ticks say together
  rule TEXT NOT NULL, tick INTEGER NOT NULL, finding TEXT NOT NULL,
  fires INTEGER NOT NULL,        -- 0: within the rule's suppression after an earlier tick
  rows TEXT NOT NULL,            -- the rule's output rows, a JSON array of objects
  PRIMARY KEY(rule, tick, finding)
) STRICT, WITHOUT ROWID;
CREATE INDEX tick_finding_finding ON tick_finding(rule, finding, tick);
CREATE INDEX event_version_key ON event_version(stream, key, seq);
)sql";

// What `once` ends with while an earlier failure holds a stream back.
constexpr const char* kTenant4 = R"sql(
ALTER TABLE stream ADD COLUMN error_kind TEXT NOT NULL DEFAULT '';  -- of last_error
)sql";

// What delivery needs: what was told of an incident, entries that come to nobody's harm, digests.
constexpr const char* kTenant5 = R"sql(
CREATE TABLE publication(        -- the state of an incident that was told last
  incident TEXT PRIMARY KEY,
  revision INTEGER NOT NULL,     -- grows with each state
  digest TEXT NOT NULL,          -- SHA-256 of all that was told
  outline TEXT NOT NULL          -- of it what is told at once
) STRICT, WITHOUT ROWID;
ALTER TABLE outbox ADD COLUMN strikes INTEGER NOT NULL DEFAULT 0;  -- failed while others went through
ALTER TABLE outbox ADD COLUMN digest TEXT NOT NULL DEFAULT '';     -- the entry that tells of it too
CREATE INDEX outbox_digest ON outbox(digest) WHERE digest<>'';
)sql";

constexpr const char* kAgent1 = R"sql(
CREATE TABLE request(            -- what the sliding windows of the request budgets count
  app TEXT NOT NULL, family TEXT NOT NULL, tenant TEXT NOT NULL, time INTEGER NOT NULL
) STRICT;
CREATE INDEX request_time ON request(time);
CREATE TABLE hold(               -- not-before times that belong to no stream (Entra's own)
  name TEXT PRIMARY KEY, until INTEGER NOT NULL, reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// Outputs: how each does, and what the agent itself has to tell.
constexpr const char* kAgent2 = R"sql(
CREATE TABLE output(
  name TEXT PRIMARY KEY,
  not_before INTEGER NOT NULL,   -- nothing is sent until then
  openings INTEGER NOT NULL,     -- how often in a row the breaker opened
  failing TEXT NOT NULL,         -- entries that failed since the last success, one a line
  failing_since INTEGER NOT NULL,
  error_kind TEXT NOT NULL, error TEXT NOT NULL, hint TEXT NOT NULL,
  last_success INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE outbox(             -- as that of a tenant
  id TEXT PRIMARY KEY, output TEXT NOT NULL, incident TEXT NOT NULL, kind TEXT NOT NULL,
  priority INTEGER NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL,
  created INTEGER NOT NULL, not_before INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '',
  strikes INTEGER NOT NULL DEFAULT 0, digest TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox(output, state, priority, created);
CREATE INDEX outbox_incident ON outbox(output, incident);
CREATE INDEX outbox_digest ON outbox(digest) WHERE digest<>'';
CREATE TABLE delivery(
  id TEXT PRIMARY KEY, output TEXT NOT NULL, incident TEXT NOT NULL, kind TEXT NOT NULL,
  created INTEGER NOT NULL, delivered INTEGER NOT NULL, attempts INTEGER NOT NULL,
  receipt TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_incident ON delivery(output, incident, delivered);
)sql";

Status RefuseNewer(Database& database, std::int64_t newest) {
  PK_ASSIGN_OR_RETURN(const std::int64_t found, SchemaOf(database));
  if (found <= newest) return {};
  return Fail({.kind = ErrorKind::kStorage,
               .message = fmt::format("{} was written by a newer Picket (schema {}, this one "
                                      "knows {})",
                                      database.path().string(), found, newest),
               .hint = "Install the newer Picket again."});
}

}  // namespace

Status CheckSchema(Database& database, const std::vector<const char*>& steps) {
  const auto newest = static_cast<std::int64_t>(steps.size());
  PK_RETURN_IF_ERROR(RefuseNewer(database, newest));
  PK_ASSIGN_OR_RETURN(const std::int64_t found, SchemaOf(database));
  if (found == newest) return {};
  return Fail(
      {.kind = ErrorKind::kRefused,
       .message = fmt::format("{} was last written by an older Picket", database.path().string()),
       .hint = "Run 'picket once' first; it brings the file up to date."});
}

Result<std::int64_t> SchemaOf(Database& database) {
  return database.QueryInt("PRAGMA user_version");
}

Status Migrate(Database& database, std::int32_t application_id,
               const std::vector<const char*>& steps) {
  const auto newest = static_cast<std::int64_t>(steps.size());
  PK_RETURN_IF_ERROR(RefuseNewer(database, newest));
  PK_ASSIGN_OR_RETURN(const std::int64_t found, SchemaOf(database));
  if (found == newest) return {};
  PK_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(database));
  for (std::int64_t version = found; version < newest; ++version) {
    PK_RETURN_IF_ERROR(database.Execute(steps[static_cast<std::size_t>(version)]));
  }
  PK_RETURN_IF_ERROR(database.Execute(
      fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", application_id, newest)));
  return transaction.Commit();
}

const std::vector<const char*>& TenantMigrations() {
  static const std::vector<const char*> steps = {kTenant1, kTenant2, kTenant3, kTenant4, kTenant5};
  return steps;
}

const std::vector<const char*>& AgentMigrations() {
  static const std::vector<const char*> steps = {kAgent1, kAgent2};
  return steps;
}

}  // namespace picket::storage

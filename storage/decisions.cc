#include "storage/decisions.h"

namespace picket::storage {

Result<std::int64_t> Decisions::Append(const Decision& decision) {
  PK_ASSIGN_OR_RETURN(
      Statement insert,
      database_.Prepare("INSERT INTO decision(time, who, subject, kind, text) VALUES(?,?,?,?,?)"));
  insert.Bind(1, decision.time.ticks).Bind(2, decision.who).Bind(3, decision.subject);
  PK_RETURN_IF_ERROR(insert.Bind(4, decision.kind).Bind(5, decision.text).Run());
  return database_.LastInsertId();
}

Result<std::vector<Decision>> Decisions::Of(std::string_view subject) {
  PK_ASSIGN_OR_RETURN(Statement select,
                      database_.Prepare("SELECT id, time, who, subject, kind, text FROM decision "
                                        "WHERE subject=? ORDER BY id"));
  select.Bind(1, subject);
  std::vector<Decision> decisions;
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return decisions;
    decisions.push_back({.id = select.Int(0),
                         .time = Instant{select.Int(1)},
                         .who = std::string(select.Text(2)),
                         .subject = std::string(select.Text(3)),
                         .kind = std::string(select.Text(4)),
                         .text = std::string(select.Text(5))});
  }
}

}  // namespace picket::storage

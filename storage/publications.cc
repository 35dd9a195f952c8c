#include "storage/publications.h"

namespace picket::storage {

Result<std::optional<Publication>> Publications::Of(std::string_view incident) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare("SELECT revision, digest, outline FROM publication WHERE incident=?"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, incident).Step());
  if (!row) return std::optional<Publication>();
  return std::optional<Publication>({.revision = select.Int(0),
                                     .digest = std::string(select.Text(1)),
                                     .outline = std::string(select.Text(2))});
}

Status Publications::Put(std::string_view incident, const Publication& publication) {
  PK_ASSIGN_OR_RETURN(Statement put,
                      database_.Prepare("INSERT OR REPLACE INTO publication(incident, revision, "
                                        "digest, outline) VALUES(?,?,?,?)"));
  put.Bind(1, incident).Bind(2, publication.revision).Bind(3, publication.digest);
  return put.Bind(4, publication.outline).Run();
}

Result<std::optional<Instant>> Publications::TellFrom() {
  PK_ASSIGN_OR_RETURN(Statement select,
                      database_.Prepare("SELECT value FROM counter WHERE name='tell_from'"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Step());
  if (!row) return std::optional<Instant>();
  return std::optional<Instant>(Instant{select.Int(0)});
}

Status Publications::SetTellFrom(Instant time) {
  PK_ASSIGN_OR_RETURN(
      Statement put,
      database_.Prepare("INSERT OR REPLACE INTO counter(name, value) VALUES('tell_from',?)"));
  return put.Bind(1, time.ticks).Run();
}

}  // namespace picket::storage

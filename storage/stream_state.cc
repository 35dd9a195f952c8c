#include "storage/stream_state.h"

namespace picket::storage {

Result<StreamState> StreamStates::Get(std::string_view stream) {
  PK_ASSIGN_OR_RETURN(
      Statement select,
      database_.Prepare("SELECT state, reason, not_before, next_due, failures, interval, width, "
                        "page_size, probe, last_success, last_error, error_kind FROM stream "
                        "WHERE name=?"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, stream).Step());
  if (!row) return StreamState{};
  return StreamState{.state = std::string(select.Text(0)),
                     .reason = std::string(select.Text(1)),
                     .not_before = Instant{select.Int(2)},
                     .next_due = Instant{select.Int(3)},
                     .failures = select.Int(4),
                     .interval = Timespan{select.Int(5)},
                     .width = Timespan{select.Int(6)},
                     .page_size = select.Int(7),
                     .probe = std::string(select.Text(8)),
                     .last_success = Instant{select.Int(9)},
                     .last_error = std::string(select.Text(10)),
                     .error_kind = std::string(select.Text(11))};
}

Status StreamStates::Put(std::string_view stream, const StreamState& s) {
  PK_ASSIGN_OR_RETURN(
      Statement put,
      database_.Prepare("UPDATE stream SET state=?, reason=?, not_before=?, next_due=?, "
                        "failures=?, interval=?, width=?, page_size=?, probe=?, last_success=?, "
                        "last_error=?, error_kind=? WHERE name=?"));
  put.Bind(1, s.state).Bind(2, s.reason).Bind(3, s.not_before.ticks).Bind(4, s.next_due.ticks);
  put.Bind(5, s.failures).Bind(6, s.interval.ticks).Bind(7, s.width.ticks).Bind(8, s.page_size);
  put.Bind(9, s.probe).Bind(10, s.last_success.ticks).Bind(11, s.last_error);
  put.Bind(12, s.error_kind).Bind(13, stream);
  PK_RETURN_IF_ERROR(put.Run());
  if (database_.Changes() == 1) return {};
  return Fail({.kind = ErrorKind::kInternal,
               .message = "the mapping has no stream " + std::string(stream)});
}

}  // namespace picket::storage

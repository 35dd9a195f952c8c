// By the names of the system's time zone database.

#include "agent/kql/kernel.h"
#include "agent/kql/time_zone.h"

namespace picket::kql {
namespace {

// Null where the zone is unknown.
template <std::optional<Instant> (TimeZone::*kMove)(Instant) const>
ColumnPtr MoveTime(const EvalContext&, const Arguments& a, std::size_t rows) {
  std::string name;
  std::shared_ptr<const TimeZone> zone;
  return MapRows(Type::kDateTime, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string buffer;
    const std::string_view asked = TextView(*a[1], row, buffer);
    if (!zone || asked != name) {
      name = asked;
      zone = TimeZone::Find(name);
    }
    if (!zone || a[0]->IsNull(row)) return out.Null();
    const auto moved = (*zone.*kMove)(Instant{a[0]->Number(row)});
    if (!moved) return out.Null();
    out.Number(moved->ticks);
  });
}

}  // namespace

FunctionList TimeZoneFunctions() {
  return Declare({
      {"datetime_local_to_utc(time: datetime, zone: string): datetime",
       &MoveTime<&TimeZone::ToUtc>},
      {"datetime_utc_to_local(time: datetime, zone: string): datetime",
       &MoveTime<&TimeZone::ToLocal>},
  });
}

}  // namespace picket::kql

#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"

namespace picket::poll {

// [poll] and what else of the config polling needs. The defaults are those of the design.
struct Settings {
  Timespan poll_interval = kMinute * 5;
  Timespan quiet_interval = kMinute * 30;  // as far as a quiet stream's interval stretches
  Timespan backfill = kDay * 30;           // before first contact; zero: none
  Timespan once_backfill = kSecond * 60;   // what one `once` gives a tenant's backfill
  Timespan first_window = kHour;           // the live edge begins this long ago
  Timespan overlap = kMinute * 15;         // read again before each live window
  Timespan settle = kMinute * 2;           // the newest part, not yet asked for
  Timespan retention = kDay * 90;          // older events are not kept
  // When read windows are read again, after their end.
  std::vector<Timespan> reconcile_after = {kHour, kHour * 6, kHour * 24, kHour * 48};
  int max_in_flight = 32;   // requests, and threads, at a time
  bool check_clock = true;  // report a wrong clock; off under `--now`
};

struct TenantSettings {
  std::string name;  // "contoso"
  Guid id;
  std::string app;                   // client id; its budget is shared by its tenants
  std::vector<std::string> streams;  // empty: all
};

}  // namespace picket::poll

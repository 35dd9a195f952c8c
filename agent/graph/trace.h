#pragma once

#include <optional>
#include <string>

#include "base/http.h"
#include "base/time.h"

namespace picket::graph {

// What Microsoft's support asks for about one answer. Each is "" or nullopt unless it has the shape
// that Graph gives it: it goes into logs, and the other side may send what it likes.
struct Trace {
  std::string request_id;  // a GUID
  std::optional<Instant> date;
  std::string diagnostic;  // who answered: "West Europe/A/3/001/AM1PEPF00012345"
};
Trace TraceOf(const HttpHeaders& headers);

}  // namespace picket::graph

#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"

namespace picket::bench {

// Pages of a busy tenant's interactive sign-ins as Graph's beta sends them, newest first: bodies
// with envelope and next link. The same for the same numbers; never the same event twice.
struct PagesSpec {
  int pages = 20;
  int per_page = 1000;
  int users = 400;  // who sign in again and again, each from one of a few addresses
  Timespan between = kSecond * 3;
};
// By its number, from 0 for the newest.
std::string SignInPage(const PagesSpec& spec, int page);
std::vector<std::string> SignInPages(const PagesSpec& spec);

// The tenant and the time of the newest event of all pages.
Guid BenchTenant();
Instant NewestEvent();

}  // namespace picket::bench

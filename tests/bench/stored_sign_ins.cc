#include "tests/bench/stored_sign_ins.h"

#include <fmt/format.h>

#include <cstdio>

namespace picket::bench {

StoredSignIns::StoredSignIns(const PagesSpec& spec) : store_(directory_.path()) {
  for (int page = 0; page < spec.pages; ++page) {
    events_ += store_.Ingest(SignInPage(spec, page));
    if (page % 50 == 49) {
      fmt::print(stderr, "\r{} of {} sign-ins are stored", events_, spec.pages * spec.per_page);
    }
  }
  fmt::print(stderr, "\n");
}

std::filesystem::path StoredSignIns::File() const {
  return storage::TenantStore::PathOf(directory_.path(), BenchTenant());
}

}  // namespace picket::bench

#pragma once

#include <cstdint>
#include <filesystem>

#include "tests/bench/page_store.h"
#include "tests/bench/sign_in_pages.h"
#include "tests/scratch_directory.h"

namespace picket::bench {

// Made-up sign-ins in a tenant's file of their own. Says on stderr how far it is.
class StoredSignIns {
 public:
  explicit StoredSignIns(const PagesSpec& spec);
  storage::TenantStore& store() { return store_.store(); }
  [[nodiscard]] std::int64_t events() const { return events_; }
  [[nodiscard]] std::filesystem::path File() const;

 private:
  const ScratchDirectory directory_;
  PageStore store_;
  std::int64_t events_ = 0;
};

// A million of them: all in one day, so that a detection of a day looks at every one; and over the
// ninety days that are kept by default.
inline constexpr PagesSpec kMillionInADay{
    .pages = 1000, .per_page = 1000, .users = 20'000, .between = kMillisecond * 80};
inline constexpr PagesSpec kMillionInAQuarter{
    .pages = 1000, .per_page = 1000, .users = 20'000, .between = kMillisecond * 7'770};

}  // namespace picket::bench

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "agent/tables/record_decoder.h"
#include "storage/tenant_store.h"

namespace picket::bench {

// The store of the bench's tenant, and Picket's whole way from a body of Graph's to a durable page.
class PageStore {
 public:
  explicit PageStore(const std::filesystem::path& data_dir);

  // Returns the page's new events.
  std::int64_t Ingest(const std::string& body);
  storage::TenantStore& store() { return *store_; }

 private:
  const tables::RecordDecoder decoder_;
  const std::unique_ptr<storage::TenantStore> store_;
  const std::int64_t window_;
};

inline constexpr const char* kBenchStream = "signIns.interactive";

}  // namespace picket::bench

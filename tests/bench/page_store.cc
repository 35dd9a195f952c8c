#include "tests/bench/page_store.h"

#include "agent/graph/page.h"
#include "agent/tables/mapping.h"
#include "tests/bench/sign_in_pages.h"

namespace picket::bench {

PageStore::PageStore(const std::filesystem::path& data_dir)
    : decoder_(kBenchStream, BenchTenant()),
      store_(storage::TenantStore::Open(data_dir, BenchTenant(), tables::StreamSchemas(),
                                        tables::ValuesOf(BenchTenant()), {})
                 .value()),
      window_(
          store_->ledger()
              .Open(kBenchStream, "backfill", Instant{0}, NewestEvent() + kSecond, NewestEvent())
              .value()) {}

std::int64_t PageStore::Ingest(const std::string& body) {
  const auto envelope = graph::DecodeEnvelope(body).value();
  const auto page = decoder_.Decode(envelope.records, tables::Rank::kBeta).value();
  const storage::WriteRules rules{
      .now = NewestEvent(), .oldest = Instant{0}, .read_before = Instant{0}};
  return store_
      ->StorePage(kBenchStream, window_, page.records,
                  static_cast<std::int64_t>(page.rejected.size()), rules)
      .value()
      .added;
}

}  // namespace picket::bench

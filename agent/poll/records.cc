#include "agent/poll/tenant_work.h"
#include "agent/tables/record_decoder.h"
#include "base/log.h"

namespace picket::poll {

// A page's rows and the ledger's entry for it, in one transaction of the tenant's file.
Result<storage::PageCounts> TenantWork::StoreRecords(const std::string& stream,
                                                     std::string_view records, std::int64_t window,
                                                     Instant read_before, bool beta, bool sweep) {
  const tables::RecordDecoder decoder(stream, tenant_.id);
  PK_ASSIGN_OR_RETURN(const tables::DecodedPage page,
                      decoder.Decode(records, beta ? tables::Rank::kBeta : tables::Rank::kV1));
  if (!page.rejected.empty()) {
    round_.rejections.emplace(stream, page.rejected.front().reason);
    Log(LogLevel::kWarn, "poll.rejected", "Records of a page could not be kept",
        {{"tenant", tenant_.name},
         {"stream", stream},
         {"rejected", static_cast<std::int64_t>(page.rejected.size())},
         {"reason", page.rejected.front().reason}});
  }
  const storage::Merger merger = [&decoder](std::string_view stored, const storage::Record& read) {
    return decoder.Merge(stored, read);
  };
  // Graph's time: a clock that is far ahead must not make every event look too old to keep.
  const Instant now = NowHere().sure();
  PK_ASSIGN_OR_RETURN(const storage::PageCounts counts,
                      store_.StorePage(stream, window, page.records,
                                       static_cast<std::int64_t>(page.rejected.size()),
                                       {.now = now,
                                        .oldest = now - settings_.retention,
                                        .read_before = read_before,
                                        .merger = &merger}));
  if (sweep) NoteSwept(page.records);
  round_.counts[stream] += counts;
  return counts;
}

}  // namespace picket::poll

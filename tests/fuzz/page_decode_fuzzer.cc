// Pages of Graph, as the other side may send them: any bytes. What the decoder keeps must be sound
// enough for all that reads it later: columns, merging with itself, the canonical form.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "agent/tables/column_value.h"
#include "agent/tables/mapping.h"
#include "agent/tables/record_decoder.h"
#include "base/uuid.h"

namespace {

void Check(bool holds) {
  if (!holds) __builtin_trap();
}

void DecodeAs(std::string_view stream, std::string_view page) {
  using picket::tables::Rank;
  const picket::Guid tenant{};
  const picket::tables::RecordDecoder decoder(stream, tenant);
  const auto decoded = decoder.Decode(page, Rank::kBeta);
  if (!decoded) return;
  for (const picket::storage::Record& record : decoded->records) {
    Check(!record.id.empty());
    picket::tables::RecordMembers members(decoder.table());
    members.Read(record.json);
    for (const picket::tables::ColumnMapping& column : decoder.table().columns) {
      const auto value = picket::tables::ColumnValue(decoder.table(), column, members, tenant);
      Check(value.type == column.type);
    }
    const auto again = decoder.DecodeOwned(record.json, Rank::kBeta);
    Check(again && again->hash == record.hash && again->id == record.id);
    const auto merged = decoder.Merge(record.json, record);
    Check(merged && merged->id == record.id);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string page(reinterpret_cast<const char*>(data), size);
  DecodeAs("signIns.interactive", page);
  DecodeAs("riskDetections", page);
  return 0;
}

#include "agent/rules/completeness.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/rules/tick.h"
#include "agent/tables/mapping.h"

namespace picket::rules {

Result<Completeness> Completeness::Read(storage::TenantStore& store,
                                        const std::vector<std::string>& streams, Instant now,
                                        Timespan retention) {
  Completeness completeness;
  for (const std::string& stream : streams) {
    PK_ASSIGN_OR_RETURN(poll::StreamCoverage coverage,
                        poll::ReadCoverage(store, stream, now, retention));
    if (!coverage.off) completeness.by_stream_.emplace(stream, std::move(coverage));
  }
  return completeness;
}

const poll::StreamCoverage* Completeness::Polled(const std::string& table) const {
  const tables::TableMapping* mapping = tables::FindTable(table);
  if (mapping == nullptr) return nullptr;
  const auto found = by_stream_.find(mapping->stream);
  return found == by_stream_.end() ? nullptr : &found->second;
}

std::string Completeness::WhyNot(const Rule& rule, const std::vector<std::string>& tables,
                                 Instant tick) const {
  for (const std::string& table : tables) {
    const poll::StreamCoverage* coverage = Polled(table);
    if (coverage == nullptr) continue;
    const auto missing = coverage->Missing(WindowStart(rule, tick), tick);
    if (missing) {
      return fmt::format("{} is not read from {} to {}", table, FormatRfc3339(missing->from),
                         FormatRfc3339(missing->to));
    }
  }
  return {};
}

bool Completeness::AnyPolled(const std::vector<std::string>& tables) const {
  return std::any_of(tables.begin(), tables.end(),
                     [this](const std::string& table) { return Polled(table) != nullptr; });
}

}  // namespace picket::rules

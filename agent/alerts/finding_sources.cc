#include "agent/alerts/finding_sources.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "agent/alerts/detail.h"
#include "agent/rules/tick.h"

namespace picket::alerts {

std::string FindingIdOf(const Guid& tenant, const rules::Rule& rule, const rules::RuleRow& row) {
  const storage::EntityKey entity = EntityOf(rule, row, GroupEntity(rule, row));
  return ToString(Uuid5(tenant, FindingName(rule, entity, row)));
}

std::string SourcesId(const std::string& finding) { return finding + "~"; }

std::optional<SourceKey> ParseSourcesId(std::string_view id) {
  const std::size_t mark = id.find('~');
  if (mark == std::string_view::npos) return std::nullopt;
  return SourceKey{.finding = std::string(id.substr(0, mark)), .note = mark + 1 == id.size()};
}

std::string SourcesNote(const rules::Lineage& sources) {
  return nlohmann::json{{"events", sources.events}, {"why_not", sources.why_not}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
}

ReadNote ParseNote(std::string_view note) {
  const auto json = nlohmann::json::parse(note, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return {};
  return {.events = json.value("events", std::int64_t{0}),
          .why_not = json.value("why_not", std::string())};
}

FindingSources::FindingSources(const LoadedRule& loaded, const Guid& tenant,
                               kql::TableSource& source, std::stop_token stop)
    : loaded_(loaded), tenant_(tenant), source_(source), stop_(std::move(stop)) {}

void FindingSources::Know(Instant tick, const std::vector<rules::RuleRow>& rows) {
  Numbers numbers;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    numbers[FindingIdOf(tenant_, loaded_.rule, rows[i])].push_back(i);
  }
  known_[tick] = std::move(numbers);
}

Result<rules::Lineage> FindingSources::Of(Instant tick, const std::string& finding) {
  if (!traced_.contains(tick)) PK_RETURN_IF_ERROR(TraceAll(tick));
  const std::map<std::string, rules::Lineage>& traced = traced_.at(tick);
  const auto found = traced.find(finding);
  if (found != traced.end()) return found->second;
  return rules::Lineage{.rows = {}, .why_not = "its tick does not find it any more"};
}

Status FindingSources::TraceAll(Instant tick) {
  const kql::Query& query = *loaded_.verdict.query;
  if (!known_.contains(tick)) {
    const auto rows = rules::Evaluate(loaded_.rule, query, source_, tick, stop_);
    if (!rows && rules::EndsTurn(rows.error())) return Fail(rows.error());
    Know(tick, rows.value_or(std::vector<rules::RuleRow>()));
  }
  std::vector<std::vector<std::size_t>> numbers;
  for (const auto& [finding, rows] : known_.at(tick)) numbers.push_back(rows);
  PK_ASSIGN_OR_RETURN(std::vector<rules::Lineage> lineages,
                      rules::Trace(loaded_.rule, query, source_, tick, numbers, stop_));
  std::map<std::string, rules::Lineage>& traced = traced_[tick];
  std::size_t i = 0;
  for (const auto& [finding, rows] : known_.at(tick)) {
    traced.emplace(finding, std::move(lineages[i++]));
  }
  return {};
}

}  // namespace picket::alerts

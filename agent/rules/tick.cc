#include "agent/rules/tick.h"

#include <numeric>

#include "agent/kql/json_view.h"

namespace picket::rules {
namespace {

constexpr std::size_t kMostName = 200;  // bytes

// What tells the row from the others of its tick.
void NameGroup(RuleRow& made, const std::vector<std::size_t>& keys, const kql::Schema& schema,
               const kql::Batch& batch, std::size_t row) {
  for (const std::size_t key : keys) {
    made.group +=
        kql::QuoteJson(schema[key].name) + ":" + kql::JsonText(*batch.columns[key], row) + "\n";
    const std::string& text = made.columns[key].second;
    if (text.empty() || made.group_name.size() + text.size() > kMostName) continue;
    made.group_name += (made.group_name.empty() ? "" : ", ") + text;
  }
}

std::vector<std::size_t> KeysOf(const kql::Query& query, const kql::Schema& schema) {
  if (auto keys = query.GroupColumns()) return *std::move(keys);
  std::vector<std::size_t> all(schema.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

}  // namespace

Instant NewestTick(Instant time, Timespan frequency) {
  const Instant after = TickOf(time, frequency);
  return after == time ? after : after - frequency;
}

Instant WindowStart(const Rule& rule, Instant tick) { return tick - rule.query_period + kTick; }

kql::RunOptions OptionsAt(const Rule& rule, Instant tick, std::stop_token stop) {
  return {.now = tick,
          .from = WindowStart(rule, tick),
          .until = tick,
          .memory_bytes = kRuleMemory,
          .max_rows = kMostTickRows,
          .stop = std::move(stop)};
}

bool Triggers(const Rule& rule, std::size_t rows) {
  const auto count = static_cast<std::int64_t>(rows);
  switch (rule.trigger_operator) {
    case TriggerOperator::kGreater:
      return count > rule.trigger_threshold;
    case TriggerOperator::kLess:
      return count < rule.trigger_threshold;
    case TriggerOperator::kEqual:
      return count == rule.trigger_threshold;
    case TriggerOperator::kNotEqual:
      return count != rule.trigger_threshold;
  }
  return false;
}

Result<std::vector<RuleRow>> Evaluate(const Rule& rule, const kql::Query& query,
                                      kql::TableSource& source, Instant tick,
                                      std::stop_token stop) {
  PK_ASSIGN_OR_RETURN(const kql::ResultTable result,
                      kql::Run(query, source, OptionsAt(rule, tick, std::move(stop))));
  std::vector<RuleRow> rows;
  if (!Triggers(rule, result.Rows())) return rows;
  const std::vector<std::size_t> keys = KeysOf(query, result.schema);
  for (const kql::Batch& batch : result.batches) {
    for (std::size_t row = 0; row < batch.rows; ++row) {
      RuleRow& made = rows.emplace_back(MakeRow(result.schema, batch, row));
      made.time = made.tick = tick;
      NameGroup(made, keys, result.schema, batch, row);
    }
  }
  if (rows.empty()) {
    rows.push_back({.time = tick,
                    .tick = tick,
                    .columns = {{"Results", "0"}},
                    .json = R"({"Results":0})",
                    .group = "no results"});
  }
  return rows;
}

}  // namespace picket::rules

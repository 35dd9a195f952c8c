#include "agent/alerts/finding_row.h"

#include "agent/kql/json_view.h"

namespace picket::alerts {

std::vector<std::pair<std::string, std::string>> ColumnsOf(std::string_view row_json) {
  std::vector<std::pair<std::string, std::string>> columns;
  kql::ForEachMember(row_json, [&](std::string_view name, std::string_view value) {
    std::string text;
    switch (kql::KindOf(value)) {
      case kql::JsonKind::kNull:
        break;
      case kql::JsonKind::kString:
        text = kql::UnquoteJson(value);
        break;
      default:
        text = value;
    }
    columns.emplace_back(std::string(name), std::move(text));
    return true;
  });
  return columns;
}

rules::RuleRow RowOf(const storage::FindingRow& finding) {
  return {.event = finding.event,
          .time = finding.time,
          .tick = finding.tick,
          .columns = ColumnsOf(finding.row),
          .json = finding.row};
}

}  // namespace picket::alerts

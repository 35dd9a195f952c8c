#pragma once

#include <string>
#include <vector>

#include "agent/alerts/priority.h"
#include "agent/alerts/view.h"
#include "agent/rules/evaluation.h"
#include "agent/rules/rule.h"
#include "storage/alert_store.h"

namespace picket::alerts {

// What an alert says of itself, kept with it so that it stays as it was when the rule changes.
struct AlertDetail {
  std::string title, description;
  std::vector<std::string> tactics, techniques, reasons, priority_why, next_steps, false_positives;
};
std::string FormatDetail(const AlertDetail& detail);
AlertDetail ParseDetail(std::string_view json);

// The strongest mapped identifier: the user's id, its name, the service principal, the address;
// else the row itself.
storage::EntityKey EntityOf(const rules::Rule& rule, const rules::RuleRow& row,
                            const std::string& finding_id);

// Which of the rule's conditions the row meets, with the values.
std::vector<std::string> ReasonsOf(const rules::Rule& rule, const rules::RuleRow& row);

// "{{Column}}" in a rule's own format is replaced by the row's value; the rule's title without one.
std::string TitleOf(const rules::Rule& rule, const rules::RuleRow& row);

// What the row says that moves a priority.
PriorityFacts FactsOf(const rules::RuleRow& row);

// "dismissed", "remediated", "confirmedSafe": the risk is settled; "" when it is not.
std::string SettledState(const rules::RuleRow& row);

}  // namespace picket::alerts

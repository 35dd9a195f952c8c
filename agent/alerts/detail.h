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
// else what is given.
storage::EntityKey EntityOf(const rules::Rule& rule, const rules::RuleRow& row,
                            storage::EntityKey otherwise);

// The entity of a tick's row that maps to none: the group.
storage::EntityKey GroupEntity(const rules::Rule& rule, const rules::RuleRow& row);

// What a finding's id is derived of, for a row of a tick: rule, entity and the bucket (a
// queryPeriod) that the tick lies in; a window that ends at a bucket's end is of that bucket. With
// an alert per result also the group.
std::string FindingName(const rules::Rule& rule, const storage::EntityKey& entity,
                        const rules::RuleRow& row);

// Which of the rule's conditions the row meets, with the values.
std::vector<std::string> ReasonsOf(const rules::Rule& rule, const rules::RuleRow& row);

// "{{Column}}" in a rule's own format is replaced by the row's value; the rule's title without one.
std::string TitleOf(const rules::Rule& rule, const rules::RuleRow& row);

std::string DescriptionOf(const rules::Rule& rule, const rules::RuleRow& row);

// As the row's own column says, if the rule names one (alertDetailsOverride); else the rule's.
rules::Severity SeverityOf(const rules::Rule& rule, const rules::RuleRow& row);
// Adds those that the row's own column names.
void AddTactics(const rules::Rule& rule, const rules::RuleRow& row,
                std::vector<std::string>& tactics);

// What the row says that moves a priority.
PriorityFacts FactsOf(const rules::RuleRow& row);

// "dismissed", "remediated", "confirmedSafe": the risk is settled; "" when it is not.
std::string SettledState(const rules::RuleRow& row);

}  // namespace picket::alerts

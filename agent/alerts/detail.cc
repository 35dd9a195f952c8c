#include "agent/alerts/detail.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/kql/json_view.h"
#include "base/text.h"

namespace picket::alerts {
namespace {

using nlohmann::json;

std::string Column(const rules::RuleRow& row, std::string_view name) {
  for (const auto& [column, text] : row.columns) {
    if (column == name) return text;
  }
  return {};
}

std::vector<std::string> Texts(const json& object, const char* name) {
  std::vector<std::string> texts;
  const auto found = object.find(name);
  if (found == object.end() || !found->is_array()) return texts;
  for (const json& item : *found) {
    if (item.is_string()) texts.push_back(item.get<std::string>());
  }
  return texts;
}

std::string Text(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Entity types of Sentinel in the order of what identifies best.
struct Identifier {
  std::string_view entity, identifier, type;
};
constexpr Identifier kByStrength[] = {
    {"Account", "AadUserId", "user"},
    {"Account", "FullName", "user"},
    {"Account", "Name", "user"},
    {"CloudApplication", "AppId", "application"},
    {"CloudApplication", "Name", "application"},
    {"IP", "Address", "ip"},
    {"Host", "FullName", "host"},
    {"Host", "HostName", "host"},
};

}  // namespace

std::string FormatDetail(const AlertDetail& detail) {
  const json object = {
      {"title", detail.title},           {"description", detail.description},
      {"tactics", detail.tactics},       {"techniques", detail.techniques},
      {"reasons", detail.reasons},       {"priority_why", detail.priority_why},
      {"next_steps", detail.next_steps}, {"false_positives", detail.false_positives}};
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

AlertDetail ParseDetail(std::string_view text) {
  const json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return {};
  return {.title = Text(object, "title"),
          .description = Text(object, "description"),
          .tactics = Texts(object, "tactics"),
          .techniques = Texts(object, "techniques"),
          .reasons = Texts(object, "reasons"),
          .priority_why = Texts(object, "priority_why"),
          .next_steps = Texts(object, "next_steps"),
          .false_positives = Texts(object, "false_positives")};
}

storage::EntityKey EntityOf(const rules::Rule& rule, const rules::RuleRow& row,
                            const std::string& finding_id) {
  for (const Identifier& candidate : kByStrength) {
    for (const rules::EntityMapping& entity : rule.entities) {
      if (entity.type != candidate.entity) continue;
      for (const auto& [identifier, column] : entity.identifiers) {
        if (identifier != candidate.identifier) continue;
        const std::string value = Column(row, column);
        if (value.empty()) continue;
        return {std::string(candidate.type), AsciiLower(value), value};
      }
    }
  }
  return {"row", finding_id, rule.title};
}

std::vector<std::string> ReasonsOf(const rules::Rule& rule, const rules::RuleRow& row) {
  std::vector<std::string> reasons;
  for (const rules::Explanation& explanation : rule.explanations) {
    const std::string value = Column(row, explanation.column);
    const bool met = explanation.values.empty()
                         ? !value.empty() && value != "[]" && value != "False"
                         : std::find(explanation.values.begin(), explanation.values.end(), value) !=
                               explanation.values.end();
    if (met) reasons.push_back(explanation.text + ": " + explanation.column + " is " + value);
  }
  for (const auto& [name, column] : rule.custom_details) {
    const std::string value = Column(row, column);
    if (!value.empty()) reasons.push_back(name + " " + value);
  }
  return reasons;
}

std::string TitleOf(const rules::Rule& rule, const rules::RuleRow& row) {
  if (rule.display_name_format.empty()) return rule.title;
  std::string title = rule.display_name_format;
  for (const auto& [column, text] : row.columns) {
    const std::string mark = "{{" + column + "}}";
    for (std::size_t at = title.find(mark); at != std::string::npos;
         at = title.find(mark, at + text.size())) {
      title.replace(at, mark.size(), text);
    }
  }
  return title.substr(0, 256);
}

PriorityFacts FactsOf(const rules::RuleRow& row) {
  const std::string state = Column(row, "RiskState");
  const std::string detail = Column(row, "RiskDetail");
  PriorityFacts facts;
  facts.confirmed_compromised = state == "confirmedCompromised" ||
                                detail == "adminConfirmedSigninCompromised" ||
                                detail == "adminConfirmedUserCompromised";
  facts.guest = EqualsIgnoreCase(Column(row, "UserType"), "guest");
  facts.risk_hidden = Column(row, "RiskLevelDuringSignIn") == "hidden" ||
                      Column(row, "RiskLevelAggregated") == "hidden";
  return facts;
}

std::string SettledState(const rules::RuleRow& row) {
  const std::string state = Column(row, "RiskState");
  return state == "dismissed" || state == "remediated" || state == "confirmedSafe" ? state
                                                                                   : std::string();
}

}  // namespace picket::alerts

#include "agent/alerts/detail.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "agent/kql/json_view.h"
#include "base/text.h"
#include "base/utf8.h"

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
                            storage::EntityKey otherwise) {
  for (const Identifier& candidate : kByStrength) {
    for (const rules::EntityMapping& entity : rule.entities) {
      if (entity.type != candidate.entity) continue;
      for (const rules::EntityMapping::Identifier& identifier : entity.identifiers) {
        if (identifier.name != candidate.identifier) continue;
        const std::string value = Column(row, identifier.column);
        if (value.empty()) continue;
        return {std::string(candidate.type), AsciiLower(value), value};
      }
    }
  }
  return otherwise;
}

storage::EntityKey GroupEntity(const rules::Rule& rule, const rules::RuleRow& row) {
  return {"row", Sha256Hex(row.group), row.group_name.empty() ? rule.title : row.group_name};
}

std::string FindingName(const rules::Rule& rule, const storage::EntityKey& entity,
                        const rules::RuleRow& row) {
  std::string name = rule.id + "\n" + entity.type + ":" + entity.id + "\n" +
                     FormatRfc3339(rules::TickOf(row.tick, rule.query_period));
  if (rule.alert_per_result) name += "\n" + row.group;
  return name;
}

std::vector<std::string> ReasonsOf(const rules::Rule& rule, const rules::RuleRow& row) {
  std::vector<std::string> reasons;
  for (const rules::Explanation& explanation : rule.explanations) {
    const std::string value = Column(row, explanation.column);
    const bool met = explanation.values.empty()
                         ? !value.empty() && value != "[]" && !EqualsIgnoreCase(value, "false")
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

namespace {

// "{{Column}}" is the row's value. One pass: a value that looks like a mark stays as it is.
std::string Fill(const std::string& format, const rules::RuleRow& row, std::size_t most) {
  std::string filled;
  std::size_t at = 0;
  while (at < format.size()) {
    const std::size_t open = format.find("{{", at);
    const std::size_t close = open == std::string::npos ? open : format.find("}}", open);
    if (close == std::string::npos) break;
    filled += format.substr(at, open - at);
    filled += Column(row, Trim(format.substr(open + 2, close - open - 2)));
    at = close + 2;
  }
  filled += format.substr(at);
  filled.resize(Utf8Prefix(filled, most).size());
  return filled;
}

}  // namespace

std::string TitleOf(const rules::Rule& rule, const rules::RuleRow& row) {
  return rule.display_name_format.empty() ? rule.title : Fill(rule.display_name_format, row, 256);
}

std::string DescriptionOf(const rules::Rule& rule, const rules::RuleRow& row) {
  return rule.description_format.empty() ? rule.description
                                         : Fill(rule.description_format, row, 5000);
}

rules::Severity SeverityOf(const rules::Rule& rule, const rules::RuleRow& row) {
  if (rule.severity_column.empty()) return rule.severity;
  return rules::ParseSeverity(Column(row, rule.severity_column)).value_or(rule.severity);
}

void AddTactics(const rules::Rule& rule, const rules::RuleRow& row,
                std::vector<std::string>& tactics) {
  if (rule.tactics_column.empty()) return;
  // A list as JSON, or names with commas between.
  std::string name;
  const auto add = [&] {
    if (!name.empty() && tactics.size() < 20 &&
        std::find(tactics.begin(), tactics.end(), name) == tactics.end()) {
      tactics.push_back(name);
    }
    name.clear();
  };
  for (const char c : Column(row, rule.tactics_column)) {
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      name += c;
    } else if (c == ',') {
      add();
    }
  }
  add();
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

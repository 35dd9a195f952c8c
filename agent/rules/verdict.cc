#include "agent/rules/verdict.h"

#include <fmt/format.h>

namespace picket::rules {
namespace {

void Refuse(Verdict& verdict, FilePlace place, std::string code, std::string message,
            std::string hint) {
  verdict.errors.push_back({.code = std::move(code),
                            .message = std::move(message),
                            .span = {},
                            .line = place.line,
                            .column = place.column,
                            .hint = std::move(hint)});
}

// As an editor shows the rule's file.
kql::Diagnostic InFile(kql::Diagnostic error, const Rule& rule) {
  // What is missing at the query's end is missing behind its last word, not below it.
  const std::size_t end = rule.query.find_last_not_of(" \t\r\n") + 1;
  if (error.span.begin > end) {
    error.span = {.begin = end, .end = end};
    Locate(error, rule.query);
  }
  const FilePlace place = rule.query_place.InFile(error.line, error.column);
  error.line = place.line;
  error.column = place.column;
  return error;
}

// Entity mappings and custom details must name columns of the result.
void CheckColumns(Verdict& verdict, const Rule& rule) {
  const auto known = [&](const std::string& name) {
    if (verdict.query->later() != nullptr) return true;  // only the data tells
    for (const kql::ColumnSchema& column : verdict.query->schema()) {
      if (column.name == name) return true;
    }
    return false;
  };
  for (const EntityMapping& entity : rule.entities) {
    for (const EntityMapping::Identifier& identifier : entity.identifiers) {
      if (!known(identifier.column)) {
        Refuse(verdict, identifier.place, "PK111",
               fmt::format("the entity {} is mapped to '{}', which the query does not return",
                           entity.type, identifier.column),
               "Correct entityMappings, or project the column.");
      }
    }
  }
}

bool AnyRowTriggers(const Rule& rule) {
  return rule.trigger_threshold == 0 && (rule.trigger_operator == TriggerOperator::kGreater ||
                                         rule.trigger_operator == TriggerOperator::kNotEqual);
}

Way WayOf(const Rule& rule, const kql::Query& query) {
  const bool by_row =
      query.RowWise() && query.OnlyForgets() && AnyRowTriggers(rule) && rule.suppression.ticks == 0;
  return by_row ? Way::kByRow : Way::kByTick;
}

}  // namespace

std::string_view WayName(Way way) { return way == Way::kByRow ? "by row" : "by tick"; }

const kql::Diagnostic* Verdict::WhyNot() const {
  if (!errors.empty()) return &errors.front();
  return lacks.empty() ? nullptr : &lacks.front();
}

Verdict Check(const Rule& rule, const kql::Catalog& catalog) {
  Verdict verdict;
  kql::CompileResult compiled = kql::Compile(rule.query, catalog);
  for (kql::Diagnostic& error : compiled.errors) {
    verdict.errors.push_back(InFile(std::move(error), rule));
  }
  if (compiled.query) {
    for (const kql::Diagnostic& lack : compiled.query->lacks()) {
      verdict.lacks.push_back(InFile(lack, rule));
    }
    verdict.tables = compiled.query->Tables();
    for (const std::string& table : verdict.tables) {
      if (!catalog.MayHaveRows(table)) verdict.missing.push_back(table);
    }
    verdict.query = std::move(compiled.query);
    verdict.way = WayOf(rule, *verdict.query);
    if (verdict.tables.empty()) {
      Refuse(verdict, rule.query_place.begin, "PK110", "the rule reads no table", "");
    } else if (verdict.way == Way::kByTick && rule.query_period < rule.query_frequency) {
      Refuse(
          verdict, rule.period_place, "PK112",
          fmt::format("queryPeriod {} is shorter than queryFrequency {}: what happens in between "
                      "would never be looked at",
                      FormatTimespan(rule.query_period), FormatTimespan(rule.query_frequency)),
          "Set queryPeriod to queryFrequency or more.");
    }
    CheckColumns(verdict, rule);
  }
  verdict.verdict = !verdict.errors.empty() ? "refused"
                    : verdict.lacks.empty() ? "runs"
                                            : "blocked";
  if (verdict.WhyNot() != nullptr) verdict.query.reset();
  return verdict;
}

}  // namespace picket::rules

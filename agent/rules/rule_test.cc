// Runs rule tests.

#include "agent/rules/rule_test.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/rules/evaluation.h"
#include "agent/rules/tick.h"
#include "agent/tables/event_table_source.h"
#include "agent/tables/import.h"
#include "agent/tables/mapping.h"
#include "agent/tables/record_decoder.h"
#include "base/text.h"
#include "storage/tenant_store.h"

namespace picket::rules {
namespace {

using nlohmann::json;

// The tenant that the events are of.
constexpr const char* kTenant = "00000000-0000-0000-0000-000000000001";
constexpr std::size_t kMostShown = 5;  // findings that a problem lists

// Times are equal however many digits they are written with.
bool Same(const json& got, const json& expected) {
  if (got == expected) return true;
  if (!got.is_string() || !expected.is_string()) return false;
  const Result<Instant> a = ParseRfc3339(got.get_ref<const std::string&>());
  const Result<Instant> b = ParseRfc3339(expected.get_ref<const std::string&>());
  return a && b && *a == *b;
}

std::string Shown(const json& value) {
  constexpr std::size_t kMost = 200;
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > kMost) text = ToValidUtf8(text.substr(0, kMost)) + "…";
  return text;
}

// What tells a finding from what is expected of it: "A is 1, not 2".
std::vector<std::string> Differences(const json& finding, const json& expected) {
  std::vector<std::string> differences;
  for (const auto& [column, value] : expected.items()) {
    const auto got = finding.find(column);
    if (got == finding.end()) {
      differences.push_back(fmt::format("there is no column '{}'", column));
    } else if (!Same(*got, value)) {
      differences.push_back(fmt::format("{} is {}, not {}", column, Shown(*got), Shown(value)));
    }
  }
  return differences;
}

// Gives each expected row a finding of its own, as far as that goes.
class Pairing {
 public:
  Pairing(const std::vector<json>& findings, const std::vector<json>& expected)
      : findings_(findings), expected_(expected), taken_(findings.size()) {
    for (std::size_t row = 0; row < expected.size(); ++row) {
      std::vector<bool> tried(findings.size(), false);
      if (!Place(row, tried)) left_.push_back(row);
    }
  }
  [[nodiscard]] const std::vector<std::size_t>& left() const { return left_; }  // rows without one
  [[nodiscard]] bool Taken(std::size_t finding) const { return taken_[finding].has_value(); }

 private:
  // Also by giving a finding's row another one.
  bool Place(std::size_t row, std::vector<bool>& tried) {
    for (std::size_t i = 0; i < findings_.size(); ++i) {
      if (tried[i] || !Differences(findings_[i], expected_[row]).empty()) continue;
      tried[i] = true;
      if (taken_[i] && !Place(*taken_[i], tried)) continue;
      taken_[i] = row;
      return true;
    }
    return false;
  }

  const std::vector<json>& findings_;
  const std::vector<json>& expected_;
  std::vector<std::optional<std::size_t>> taken_;
  std::vector<std::size_t> left_;
};

// Why no finding is as the row says: how the one that is nearest differs.
std::string WhyNone(const json& row, const std::vector<json>& findings, const Pairing& pairing) {
  const std::string what = "no finding with " + Shown(row);
  std::vector<std::string> nearest;
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (pairing.Taken(i)) continue;
    std::vector<std::string> differences = Differences(findings[i], row);
    if (nearest.empty() || differences.size() < nearest.size()) nearest = std::move(differences);
  }
  std::string text;
  for (const std::string& each : nearest) text += (text.empty() ? "" : "; ") + each;
  return text.empty() ? what : what + "; the nearest: " + text;
}

void Judge(const Expectation& expected, const std::vector<json>& findings,
           std::vector<std::string>& problems) {
  std::vector<json> rows;
  for (const std::string& row : expected.rows) rows.push_back(json::parse(row, nullptr, false));
  const std::size_t before = problems.size();
  if (expected.fires && *expected.fires != !findings.empty()) {
    problems.emplace_back(*expected.fires ? "it does not fire, and should"
                                          : fmt::format("it fires, and should not: {}",
                                                        Counted(std::ssize(findings), "finding")));
  }
  const bool counted = expected.count || !rows.empty();
  const std::size_t count = expected.count.value_or(rows.size());
  if (counted && count != findings.size()) {
    problems.push_back(fmt::format("{}, not {}", Counted(std::ssize(findings), "finding"), count));
  }
  const Pairing pairing(findings, rows);
  for (const std::size_t row : pairing.left()) {
    problems.push_back(WhyNone(rows[row], findings, pairing));
  }
  if (problems.size() == before) return;
  std::size_t shown = 0;
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (pairing.Taken(i)) continue;
    if (++shown > kMostShown) {
      problems.emplace_back("and further findings");
      break;
    }
    problems.push_back("found: " +
                       findings[i].dump(-1, ' ', false, json::error_handler_t::replace));
  }
}

// Puts the events into the store as an import does. Rows that can't be kept are problems.
Status Import(const TestStep& step, const Guid& tenant, storage::TenantStore& store,
              std::vector<std::string>& problems) {
  for (const TestEvents& events : step.events) {
    if (events.json == "[]") continue;
    const std::string where = fmt::format("line {}, {}: ", events.place.line, events.table);
    tables::ImportOptions options;
    options.table = events.table;
    options.now = step.time.value_or(Instant{});
    const Result<tables::ImportReport> report =
        tables::ImportFile(events.json, tenant, store, options);
    if (!report && report.error().kind == ErrorKind::kRefused) {
      problems.push_back(where + report.error().message +
                         (report.error().hint.empty() ? "" : ". " + report.error().hint));
      continue;
    }
    if (!report) return Fail(report.error());
    for (const tables::BadRow& bad : report->bad) problems.push_back(where + bad.reason);
    if (report->undated > 0) {
      problems.push_back(
          fmt::format("{}{} without a time", where, Counted(report->undated, "event")));
    }
    const std::int64_t poorer = report->counts.poorer;
    if (poorer > 0) {
      problems.push_back(fmt::format("{}{} changed nothing: what is known already is richer", where,
                                     Counted(poorer, "event")));
    }
  }
  return {};
}

Result<std::vector<RuleRow>> Find(const Rule& rule, const Verdict& verdict,
                                  std::optional<Instant> time, const Guid& tenant,
                                  storage::TenantStore& store, std::stop_token stop) {
  PK_ASSIGN_OR_RETURN(const storage::Snapshot snapshot, store.Read());
  if (verdict.way == Way::kByTick) {
    tables::EventTableSource source(store, tenant);
    return Evaluate(rule, *verdict.query, source, *time, std::move(stop));
  }
  PK_ASSIGN_OR_RETURN(Evaluation evaluation,
                      EvaluateRows(rule, *verdict.query, store, tenant, /*after_seq=*/0,
                                   /*until_seq=*/INT64_MAX, /*oldest=*/Instant{}, std::move(stop)));
  if (time) {
    std::erase_if(evaluation.rows, [&](const RuleRow& row) { return row.time > *time; });
  }
  return std::move(evaluation.rows);
}

}  // namespace

Result<std::vector<std::string>> RunRuleTest(const Rule& rule, const Verdict& verdict,
                                             const RuleTest& test, std::stop_token stop) {
  std::vector<std::string> problems;
  if (!verdict.query) {
    for (const kql::Diagnostic& error : verdict.errors) {
      problems.push_back("the rule is refused: " + kql::ToString(error));
    }
    for (const kql::Diagnostic& lack : verdict.lacks) {
      problems.push_back("the rule is blocked: " + kql::ToString(lack));
    }
    return problems;
  }
  const Guid tenant = *ParseGuid(kTenant);
  PK_ASSIGN_OR_RETURN(const auto store,
                      storage::TenantStore::Open(":memory:", tenant, tables::StreamSchemas(),
                                                 tables::ValuesOf(tenant), {}));
  std::optional<Instant> time;
  for (std::size_t i = 0; i < test.steps.size(); ++i) {
    const TestStep& step = test.steps[i];
    std::vector<std::string> found;
    if (step.time) time = step.time;
    PK_RETURN_IF_ERROR(Import(step, tenant, *store, found));
    if (!time && verdict.way == Way::kByTick) {
      found.emplace_back("the case has no 'time', and the rule looks back from one");
    } else {
      const Result<std::vector<RuleRow>> rows = Find(rule, verdict, time, tenant, *store, stop);
      if (!rows && rows.error().kind == ErrorKind::kCancelled) return Fail(rows.error());
      if (rows) {
        std::vector<json> findings;
        for (const RuleRow& row : *rows) findings.push_back(json::parse(row.json, nullptr, false));
        Judge(step.expected, findings, found);
      } else {
        found.push_back("the query failed: " + rows.error().message);
      }
    }
    for (std::string& problem : found) {
      if (test.steps.size() > 1) problem.insert(0, fmt::format("step {}: ", i + 1));
      problems.push_back(std::move(problem));
    }
  }
  return problems;
}

}  // namespace picket::rules

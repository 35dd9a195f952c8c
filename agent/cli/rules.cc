// picket rules list|show|check; the others are in backtest.cc and rule_tests.cc

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "agent/alerts/rule_status.h"
#include "agent/cli/context.h"
#include "agent/run/coverage.h"
#include "agent/run/rules_loader.h"
#include "agent/run/tenant_files.h"
#include "agent/tables/declared_tables.h"
#include "agent/tables/mapping.h"
#include "agent/tables/table_catalog.h"
#include "base/text.h"

namespace picket::cli {
namespace {

using nlohmann::json;

json ErrorsJson(const kql::Diagnostics& errors) {
  json list = json::array();
  for (const kql::Diagnostic& error : errors) {
    json object = {{"code", error.code},
                   {"message", error.message},
                   {"line", error.line},
                   {"column", error.column}};
    if (!error.hint.empty()) object["hint"] = error.hint;
    list.push_back(std::move(object));
  }
  return list;
}

// What the tenants of the config do not give: by tenant, the tables without rows.
struct TenantGap {
  std::string tenant;
  run::TablesWithoutRows tables;
};
using Gaps = std::vector<TenantGap>;

// By rule id, how far it came: an object a tenant that has evaluated it.
using Progresses = std::map<std::string, json>;

void AddProgress(Progresses& progresses, const run::Tenant& tenant, storage::TenantStore& store,
                 const std::vector<alerts::LoadedRule>& rules) {
  const auto all = alerts::ReadRuleStatus(store, rules);
  if (!all) return;
  for (const alerts::RuleStatus& status : *all) {
    json progress = alerts::ToJson(status);
    for (const char* of_the_rule : {"id", "title", "way"}) progress.erase(of_the_rule);
    progress["tenant"] = tenant.name;
    progresses[status.id].push_back(std::move(progress));
  }
}

// Reads each tenant's file once: its gaps and, of the rules that are asked for, how far they came.
// A tenant that cannot be read is said, and counted as giving all that its config names.
Gaps ReadTenants(Context& context, const run::Settings& settings,
                 const std::vector<alerts::LoadedRule>& shown, Progresses* progresses) {
  Gaps gaps;
  for (const run::Tenant& tenant : settings.tenants) {
    const auto store = run::OpenTenant(settings, tenant.id, /*read_only=*/true);
    if (!store && store.error().kind != ErrorKind::kNotFound) {
      Failed(context, Error(store.error()).In(tenant.name));
      continue;
    }
    storage::TenantStore* const open = store ? store->get() : nullptr;
    Result<run::TablesWithoutRows> tables = run::FindTablesWithoutRows(open, tenant);
    if (!tables) {
      Failed(context, std::move(tables).error().In(tenant.name));
      continue;
    }
    gaps.push_back({tenant.name, *std::move(tables)});
    if (progresses != nullptr && open != nullptr) AddProgress(*progresses, tenant, *open, shown);
  }
  return gaps;
}

// Calls `found` with tenant, table and reason for each table that the rule reads in vain.
template <class Found>
void ForEachGap(const rules::Verdict& verdict, const Gaps& gaps, const Found& found) {
  for (const TenantGap& gap : gaps) {
    for (const std::string& table : verdict.tables) {
      const auto missing = gap.tables.find(table);
      if (missing != gap.tables.end()) found(gap.tenant, table, missing->second);
    }
  }
}

void NoteGaps(run::RuleBook& book, const Gaps& gaps) {
  for (alerts::LoadedRule& loaded : book.rules) {
    std::set<std::string> missing(loaded.verdict.missing.begin(), loaded.verdict.missing.end());
    ForEachGap(loaded.verdict, gaps,
               [&](const std::string&, const std::string& table, const std::string&) {
                 missing.insert(table);
               });
    loaded.verdict.missing.assign(missing.begin(), missing.end());
  }
}

// "" of a rule that is refused.
std::string WayText(const rules::Verdict& verdict) {
  return verdict.query ? std::string(rules::WayName(verdict.way)) : std::string();
}

json RuleJson(const rules::Rule& rule, const rules::Verdict& verdict, const Gaps& gaps) {
  json missing_in = json::array();
  ForEachGap(verdict, gaps,
             [&](const std::string& tenant, const std::string& table, const std::string& why) {
               missing_in.push_back({{"tenant", tenant}, {"table", table}, {"why", why}});
             });
  return {{"missing_in", std::move(missing_in)},
          {"file", rule.file.string()},
          {"id", rule.id},
          {"title", rule.title},
          {"language", rule.language},
          {"verdict", verdict.verdict},
          {"way", WayText(verdict)},
          {"tables", verdict.tables},
          {"missing", verdict.missing},
          {"lacks", ErrorsJson(verdict.lacks)},
          {"errors", ErrorsJson(verdict.errors)}};
}

json BrokenJson(const rules::RuleFileError& broken) {
  return {{"file", broken.file.string()},
          {"id", ""},
          {"title", ""},
          {"language", ""},
          {"verdict", "refused"},
          {"way", ""},
          {"tables", json::array()},
          {"missing", json::array()},
          {"lacks", json::array()},
          {"errors", json::array({{{"code", "PK100"},
                                   {"message", broken.error.message},
                                   {"line", broken.line},
                                   {"column", broken.column}}})}};
}

// Why it does not run, or where it finds nothing.
std::string WhyText(const rules::Verdict& verdict, const Gaps& gaps) {
  if (const kql::Diagnostic* why_not = verdict.WhyNot()) {
    return WithHint(kql::ToString(*why_not), why_not->hint);
  }
  std::string why;
  for (const std::string& table : verdict.missing) {
    if (tables::FindTable(table) != nullptr) continue;  // the tenants' gaps say more
    why += fmt::format("{}no {}: {}", why.empty() ? "" : "; ", table, tables::kNotCollected);
  }
  ForEachGap(verdict, gaps,
             [&](const std::string& tenant, const std::string& table, const std::string& reason) {
               why +=
                   fmt::format("{}no {} in {}: {}", why.empty() ? "" : "; ", table, tenant, reason);
             });
  return why;
}

void PrintChecked(Context& context, const run::RuleBook& book, const Gaps& gaps) {
  if (context.format == Format::kJson) {
    json list = json::array();
    for (const alerts::LoadedRule& loaded : book.rules) {
      list.push_back(RuleJson(loaded.rule, loaded.verdict, gaps));
    }
    for (const rules::RuleFileError& broken : book.errors) list.push_back(BrokenJson(broken));
    WriteAll(JsonPage(list), stdout);
    return;
  }
  TextTable table{{"VERDICT", "RULE", "SEVERITY", "GOES", "TABLES", "FILE", "WHY"}, {}};
  for (const alerts::LoadedRule& loaded : book.rules) {
    std::string tables;
    for (const std::string& name : loaded.verdict.tables)
      tables += (tables.empty() ? "" : " ") + name;
    table.rows.push_back({loaded.verdict.verdict, loaded.rule.title,
                          std::string(rules::SeverityName(loaded.rule.severity)),
                          WayText(loaded.verdict), tables, loaded.rule.file.string(),
                          WhyText(loaded.verdict, gaps)});
  }
  for (const rules::RuleFileError& broken : book.errors) {
    table.rows.push_back({"refused", "", "", "", "", Where(broken),
                          WithHint(broken.error.message, broken.error.hint)});
  }
  if (context.format == Format::kCsv) {
    PrintCsv(table, stdout);
  } else {
    PrintTable(table, stdout);
  }
}

void Check(Context& context, const std::vector<std::string>& paths, bool with_config) {
  run::Settings settings;
  if (with_config) {
    auto loaded = LoadSettings(context);
    if (!loaded) return;
    settings.files = std::move(loaded->files);
  }
  settings.shipped_rules = false;
  for (const std::string& path : paths) settings.rule_paths.emplace_back(path);
  const run::RuleBook book = run::LoadRuleBook(settings);
  if (book.rules.empty() && book.errors.empty()) {
    Failed(context, {.kind = ErrorKind::kNotFound,
                     .message = "there is no rule file there",
                     .hint = "Rule files end in .yaml, .yml or .kql."});
    return;
  }
  PrintChecked(context, book, {});
  for (const alerts::LoadedRule& loaded : book.rules) {
    if (loaded.verdict.WhyNot() != nullptr) context.exit_code = 1;
  }
  if (!book.errors.empty()) context.exit_code = 1;
}

void List(Context& context) {
  const auto settings = LoadSettings(context);
  if (!settings) return;
  run::RuleBook book = run::LoadRuleBook(*settings);
  const Gaps gaps = ReadTenants(context, *settings, {}, nullptr);
  NoteGaps(book, gaps);
  PrintChecked(context, book, gaps);
}

// All that is known of a rule.
json WholeJson(const alerts::LoadedRule& loaded, const Gaps& gaps, const Progresses& progresses) {
  const rules::Rule& rule = loaded.rule;
  json object = RuleJson(rule, loaded.verdict, gaps);
  object["description"] = rule.description;
  object["severity"] = rules::SeverityName(rule.severity);
  object["confidence"] = rules::ConfidenceName(rule.confidence);
  object["licence"] = rule.licence;
  object["tactics"] = rule.tactics;
  object["techniques"] = rule.techniques;
  object["frequency"] = FormatTimespan(rule.query_frequency);
  object["period"] = FormatTimespan(rule.query_period);
  object["false_positives"] = rule.false_positives;
  object["next_steps"] = rule.next_steps;
  object["suppression"] = rule.suppression.ticks > 0 ? FormatTimespan(rule.suppression) : "";
  object["grouping"] = rule.alert_per_result ? "AlertPerResult" : "SingleAlert";
  const auto progress = progresses.find(rule.id);
  object["progress"] = progress == progresses.end() ? json::array() : progress->second;
  object["hash"] = rule.hash;
  object["query"] = rule.query;
  return object;
}

std::string WholeText(const json& rule) {
  std::string text;
  for (const auto& [key, value] : rule.items()) {
    if (key == "query" || key == "errors") continue;
    text +=
        fmt::format("{:16} {}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
  }
  for (const json& error : rule["errors"]) {
    text += fmt::format("{:16} {}: line {}, column {}: {}\n", "error",
                        error["code"].get<std::string>(), error["line"].get<int>(),
                        error["column"].get<int>(), error["message"].get<std::string>());
  }
  return text + "\n" + rule["query"].get<std::string>();
}

// Why there is no rule of that id: a file that names it may be broken.
Error NoSuchRule(const std::string& id, const run::RuleBook& book) {
  Error error{.kind = ErrorKind::kNotFound,
              .message = "no rule has the id " + id,
              .hint = "picket rules list --format json names them all."};
  if (!book.errors.empty()) {
    error.hint += fmt::format(" {} cannot be read; 'picket validate' names each.",
                              Counted(std::ssize(book.errors), "rule file"));
  }
  return error;
}

void Show(Context& context, const std::vector<std::string>& ids) {
  const auto settings = LoadSettings(context);
  if (!settings) return;
  const run::RuleBook all = run::LoadRuleBook(*settings);
  run::RuleBook shown;
  for (const std::string& id : ids) {
    const auto found = std::find_if(all.rules.begin(), all.rules.end(), [&](const auto& loaded) {
      return loaded.rule.id == AsciiLower(id);
    });
    if (found == all.rules.end()) {
      Failed(context, NoSuchRule(id, all));
    } else {
      shown.rules.push_back(*found);
    }
  }
  if (shown.rules.empty()) return;
  Progresses progresses;
  const Gaps gaps = ReadTenants(context, *settings, shown.rules, &progresses);
  NoteGaps(shown, gaps);
  json objects = json::array();
  for (const alerts::LoadedRule& loaded : shown.rules) {
    objects.push_back(WholeJson(loaded, gaps, progresses));
  }
  if (context.format == Format::kJson) {
    WriteAll(JsonPage(ids.size() == 1 ? objects.front() : objects), stdout);
    return;
  }
  for (const json& object : objects) {
    WriteAll((&object == &objects.front() ? "" : "\n") + EscapeTerminal(WholeText(object)), stdout);
  }
}

}  // namespace

void AddRules(CLI::App& app, Context& context) {
  CLI::App* rules = app.add_subcommand("rules", "The detection rules, and whether they run");
  rules->require_subcommand(1);
  rules->footer(
      "Examples:\n  picket rules list --config picket.toml\n"
      "  picket rules check my-rule.yaml\n  picket rules test my-rule.yaml");

  CLI::App* list = rules->add_subcommand("list", "Every rule of the config with its verdict");
  AddConfigOption(*list, context);
  AddFormatOption(*list, context, {"table", "json", "csv"});
  list->footer("Examples:\n  picket rules list\n  picket rules list --format json");
  list->callback([&context] { List(context); });

  auto ids = std::make_shared<std::vector<std::string>>();
  CLI::App* show = rules->add_subcommand("show", "A rule, whole");
  show->add_option("ID", *ids, "The rule's id; with several, JSON is a list")->required();
  AddConfigOption(*show, context);
  AddFormatOption(*show, context, {"table", "json"});
  show->footer(
      "Examples:\n  picket rules show 18e9803a-3394-580e-b321-53d788c2c042\n"
      "  picket rules show 18e9803a-3394-580e-b321-53d788c2c042 --format json");
  show->callback([&context, ids] { Show(context, *ids); });

  auto paths = std::make_shared<std::vector<std::string>>();
  CLI::App* check = rules->add_subcommand("check", "Would these rule files run?");
  check->add_option("PATH", *paths, "Files or folders")->required();
  AddConfigOption(*check, context);
  AddFormatOption(*check, context, {"table", "json", "csv"});
  check->footer(
      "Examples:\n  picket rules check my-rule.yaml\n"
      "  picket rules check rules.d --format json\n"
      "  picket rules check rules.d --config picket.toml\n"
      "\nNeeds no config; one that is named tells which files and watchlists there are.\n"
      "\nExit codes: 0 all run; 1 some are refused, or blocked by a file that is not there");
  check->callback(
      [&context, paths, check] { Check(context, *paths, check->count("--config") > 0); });
  AddRuleTests(*rules, context);
  AddBacktest(*rules, context);
}

}  // namespace picket::cli

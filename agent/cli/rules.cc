// picket rules list|show|check

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "agent/cli/context.h"
#include "agent/run/rules_loader.h"
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

json RuleJson(const rules::Rule& rule, const rules::Verdict& verdict) {
  return {{"file", rule.file.string()}, {"id", rule.id},
          {"title", rule.title},        {"language", rule.language},
          {"verdict", verdict.verdict}, {"tables", verdict.tables},
          {"missing", verdict.missing}, {"errors", ErrorsJson(verdict.errors)}};
}

json BrokenJson(const rules::RuleFileError& broken) {
  return {
      {"file", broken.file.string()},
      {"id", ""},
      {"title", ""},
      {"language", ""},
      {"verdict", "refused"},
      {"tables", json::array()},
      {"missing", json::array()},
      {"errors",
       json::array(
           {{{"code", "PK120"}, {"message", broken.error.message}, {"line", 0}, {"column", 0}}})}};
}

void PrintChecked(Context& context, const run::RuleBook& book) {
  if (context.format == Format::kJson) {
    json list = json::array();
    for (const alerts::LoadedRule& loaded : book.rules) {
      list.push_back(RuleJson(loaded.rule, loaded.verdict));
    }
    for (const rules::RuleFileError& broken : book.errors) list.push_back(BrokenJson(broken));
    (void)WriteAll(JsonPage(list), stdout);
    return;
  }
  TextTable table{{"VERDICT", "RULE", "SEVERITY", "TABLES", "FILE", "WHY"}, {}};
  for (const alerts::LoadedRule& loaded : book.rules) {
    std::string tables;
    for (const std::string& name : loaded.verdict.tables)
      tables += (tables.empty() ? "" : " ") + name;
    const std::string why =
        loaded.verdict.errors.empty() ? "" : kql::ToString(loaded.verdict.errors.front());
    table.rows.push_back({loaded.verdict.verdict, loaded.rule.title,
                          std::string(rules::SeverityName(loaded.rule.severity)), tables,
                          loaded.rule.file.string(), why});
  }
  for (const rules::RuleFileError& broken : book.errors) {
    table.rows.push_back({"refused", "", "", "", broken.file.string(), broken.error.message});
  }
  if (context.format == Format::kCsv) {
    PrintCsv(table, stdout);
  } else {
    PrintTable(table, stdout);
  }
}

void Check(Context& context, const std::vector<std::string>& paths) {
  run::Settings settings;
  settings.shipped_rules = false;
  for (const std::string& path : paths) settings.rule_paths.emplace_back(path);
  const run::RuleBook book = run::LoadRuleBook(settings);
  PrintChecked(context, book);
  for (const alerts::LoadedRule& loaded : book.rules) {
    if (!loaded.verdict.errors.empty()) context.exit_code = 1;
  }
  if (!book.errors.empty()) context.exit_code = 1;
}

void List(Context& context) {
  const auto settings = LoadSettings(context);
  if (settings) PrintChecked(context, run::LoadRuleBook(*settings));
}

void Show(Context& context, const std::string& id) {
  const auto settings = LoadSettings(context);
  if (!settings) return;
  const run::RuleBook book = run::LoadRuleBook(*settings);
  for (const alerts::LoadedRule& loaded : book.rules) {
    const rules::Rule& rule = loaded.rule;
    if (rule.id != AsciiLower(id)) continue;
    json object = RuleJson(rule, loaded.verdict);
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
    object["hash"] = rule.hash;
    object["query"] = rule.query;
    if (context.format == Format::kJson) {
      (void)WriteAll(JsonPage(object), stdout);
      return;
    }
    std::string text;
    for (const auto& [key, value] : object.items()) {
      if (key == "query" || key == "errors") continue;
      text += fmt::format("{:16} {}\n", key,
                          value.is_string() ? value.get<std::string>() : value.dump());
    }
    (void)WriteAll(EscapeTerminal(text + "\n" + rule.query), stdout);
    return;
  }
  Failed(context, {.kind = ErrorKind::kNotFound,
                   .message = "no rule has the id " + EscapeTerminal(id),
                   .hint = "picket rules list --format json names them all."});
}

}  // namespace

void AddRules(CLI::App& app, Context& context) {
  CLI::App* rules = app.add_subcommand("rules", "The detection rules, and whether they run");
  rules->require_subcommand(1);

  CLI::App* list = rules->add_subcommand("list", "Every rule of the config with its verdict");
  AddConfigOption(*list, context);
  AddFormatOption(*list, context, {"table", "json", "csv"});
  list->callback([&context] { List(context); });

  auto id = std::make_shared<std::string>();
  CLI::App* show = rules->add_subcommand("show", "One rule, whole");
  show->add_option("ID", *id, "The rule's id")->required();
  AddConfigOption(*show, context);
  AddFormatOption(*show, context, {"table", "json"});
  show->callback([&context, id] { Show(context, *id); });

  auto paths = std::make_shared<std::vector<std::string>>();
  CLI::App* check = rules->add_subcommand("check", "Would these rule files run?");
  check->add_option("PATH", *paths, "Files or folders")->required();
  AddFormatOption(*check, context, {"table", "json", "csv"});
  check->footer(
      "Examples:\n  picket rules check my-rule.yaml\n"
      "  picket rules check rules.d --format json\n"
      "\nExit codes: 0 all run; 1 some are refused");
  check->callback([&context, paths] { Check(context, *paths); });
}

}  // namespace picket::cli

// picket rules backtest

#include "agent/alerts/backtest.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "agent/cli/context.h"
#include "agent/run/rules_loader.h"
#include "agent/run/tenant_files.h"
#include "agent/tables/event_table_source.h"
#include "agent/tables/table_catalog.h"
#include "base/clock.h"
#include "base/text.h"

namespace picket::cli {
namespace {

using nlohmann::json;

struct Options {
  std::string rule, tenant, from, to;
};

// A file, or the id of a rule of the config.
Result<alerts::LoadedRule> FindRule(const run::Settings& settings, const std::string& name) {
  run::Settings where = settings;
  std::error_code ignored;
  const bool is_file = std::filesystem::exists(name, ignored);
  if (is_file) {
    where.shipped_rules = false;
    where.rule_paths = {name};
  }
  run::RuleBook book = run::LoadRuleBook(where);
  if (is_file && !book.errors.empty()) return Fail(std::move(book.errors.front().error).In(name));
  for (alerts::LoadedRule& loaded : book.rules) {
    if (!is_file && loaded.rule.id != AsciiLower(name)) continue;
    if (!loaded.verdict.query) {
      const kql::Diagnostic& why_not = *loaded.verdict.WhyNot();
      return Fail({.kind = ErrorKind::kRefused,
                   .message = loaded.rule.title + ": " + kql::ToString(why_not),
                   .hint = why_not.hint});
    }
    return std::move(loaded);
  }
  return Fail({.kind = ErrorKind::kNotFound,
               .message = "no file and no rule of the config is '" + EscapeTerminal(name) + "'",
               .hint = "picket rules list --format json names the rules' ids."});
}

// The ticks that are asked for: nullopt, after saying why, for what is no span of time.
struct Span {
  Instant from, to;
};
std::optional<Span> SpanOf(Context& context, const Options& options) {
  Span span{.from = {}, .to = SystemClock().Now()};
  if (!options.to.empty()) {
    const std::optional<Instant> to = TimeArgument(context, "--to", options.to);
    if (!to) return std::nullopt;
    span.to = *to;
  }
  span.from = span.to - kDay * 30;
  if (!options.from.empty()) {
    const std::optional<Instant> from = TimeArgument(context, "--from", options.from);
    if (!from) return std::nullopt;
    span.from = *from;
  }
  if (span.to < span.from) {
    PrintError({.kind = ErrorKind::kInvalidConfig, .message = "--to is before --from"});
    context.exit_code = 64;
    return std::nullopt;
  }
  return span;
}

void Print(Context& context, const alerts::BacktestResult& result) {
  if (context.format == Format::kJson) {
    json findings = json::array();
    for (const alerts::BacktestFinding& finding : result.findings) {
      findings.push_back({{"entity",
                           {{"type", finding.entity.type},
                            {"id", finding.entity.id},
                            {"name", finding.entity.name}}},
                          {"first", FormatRfc3339(finding.first)},
                          {"last", FormatRfc3339(finding.last)},
                          {"ticks", finding.ticks},
                          {"suppressed", finding.held},
                          {"row", json::parse(finding.row, nullptr, false)}});
    }
    WriteAll(JsonPage({{"ticks", result.ticks}, {"findings", std::move(findings)}}), stdout);
    return;
  }
  TextTable table{{"FIRST TICK", "LAST TICK", "TICKS", "ENTITY", "ROW"}, {}};
  for (const alerts::BacktestFinding& finding : result.findings) {
    table.rows.push_back({FormatRfc3339(finding.first), FormatRfc3339(finding.last),
                          std::to_string(finding.ticks) + (finding.held ? " (suppressed)" : ""),
                          finding.entity.name, finding.row});
  }
  if (context.format == Format::kCsv) {
    PrintCsv(table, stdout);
  } else {
    PrintTable(table, stdout);
  }
}

Status Run(Context& context, const run::Settings& settings, const Options& options,
           const Span& span) {
  PK_ASSIGN_OR_RETURN(const alerts::LoadedRule loaded, FindRule(settings, options.rule));
  PK_ASSIGN_OR_RETURN(const run::Tenant* const tenant, run::FindTenant(settings, options.tenant));
  PK_ASSIGN_OR_RETURN(const auto store, run::OpenTenant(settings, tenant->id, /*read_only=*/true));
  PK_ASSIGN_OR_RETURN(const storage::Snapshot snapshot, store->Read());
  tables::EventTableSource source(*store, tenant->id);
  alerts::BacktestResult result;
  {
    Progress progress;
    PK_ASSIGN_OR_RETURN(result, alerts::Backtest(
                                    loaded, source, span.from, span.to,
                                    [&](std::int64_t done, std::int64_t all) {
                                      progress.Show(fmt::format("tick {} of {}", done, all));
                                    },
                                    context.stop));
  }
  Print(context, result);
  Say(fmt::format("{}: {} in {} of {}", EscapeTerminal(loaded.rule.title),
                  Counted(std::ssize(result.findings), "finding"), Counted(result.ticks, "tick"),
                  tenant->name));
  return {};
}

}  // namespace

void AddBacktest(CLI::App& rules, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = rules.add_subcommand(
      "backtest", "What a rule would have found in a tenant's events; nothing is delivered");
  verb->add_option("RULE", options->rule, "A rule's file, or its id in the config")->required();
  verb->add_option("--tenant", options->tenant, "Its name or GUID")->required();
  verb->add_option("--from", options->from, "First tick (RFC 3339); 30 days before --to");
  verb->add_option("--to", options->to, "Last tick (RFC 3339); now");
  AddConfigOption(*verb, context);
  AddFormatOption(*verb, context, {"table", "json", "csv"});
  verb->footer(
      "Examples:\n  picket rules backtest my-rule.yaml --tenant contoso\n"
      "  picket rules backtest 18e9803a-3394-580e-b321-53d788c2c042 --tenant contoso "
      "--from 2026-11-01T00:00:00Z --format json");
  verb->callback([&context, options] {
    const auto span = SpanOf(context, *options);
    if (!span) return;
    const auto settings = LoadSettings(context);
    if (!settings) return;
    if (Status done = Run(context, *settings, *options, *span); !done)
      Failed(context, done.error());
  });
}

}  // namespace picket::cli

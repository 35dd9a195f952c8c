// picket import

#include "agent/tables/import.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "agent/alerts/alerting.h"
#include "agent/cli/context.h"
#include "agent/run/rules_loader.h"
#include "agent/run/tenant_files.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"
#include "storage/data_folder.h"

namespace picket::cli {
namespace {

struct Options {
  std::vector<std::string> files;
  std::string tenant, table;
};

void PrintReport(const std::string& file, const tables::ImportReport& report, bool json) {
  const storage::PageCounts& c = report.counts;
  for (const tables::BadRow& bad : report.bad) {
    PrintError({.message = fmt::format("{}:{}: {}", file, bad.line, bad.reason)});
  }
  if (json) {
    const nlohmann::json object = {
        {"file", file},         {"table", report.table},    {"already", report.already},
        {"read", c.read},       {"new", c.added},           {"changed", c.changed},
        {"same", c.same},       {"poorer", c.poorer},       {"rejected", c.rejected},
        {"expired", c.expired}, {"undated", report.undated}};
    WriteAll(JsonLine(object), stdout);
  } else if (report.already) {
    WriteAll(fmt::format("{}: imported before, nothing to do\n", EscapeTerminal(file)), stdout);
  } else {
    WriteAll(fmt::format("{}: {}: {} read, {} new, {} changed, {} same, {} poorer, "
                         "{} rejected, {} older than retention\n",
                         EscapeTerminal(file), report.table, c.read, c.added, c.changed, c.same,
                         c.poorer, c.rejected, c.expired),
             stdout);
  }
  if (report.undated > 0) {
    Say(fmt::format("{}: {} without a time; the import's stands for it", file,
                    Counted(report.undated, "row")));
  }
  if (c.expired > 0) {
    Say(
        fmt::format("{}: {} not kept, being older than [retention] events; raise it and import "
                    "the file again to keep what it has",
                    file, Counted(c.expired, "row")));
  }
}

// What the imported rows reveal becomes alerts at once.
Status EvaluateAfter(const run::Settings& settings, const run::Tenant& tenant,
                     storage::TenantStore& store, const Context& context) {
  const run::RuleBook book = run::LoadRuleBook(settings);
  Progress progress;
  progress.Show("evaluating the rules");
  alerts::Alerting alerting(store, tenant.id, book.rules, settings.alerts, run::StreamsOf(tenant));
  PK_ASSIGN_OR_RETURN(const alerts::AlertCounts counts,
                      alerting.Evaluate({.now = SystemClock().Now(), .sure = false}, context.stop));
  if (counts.findings > 0) {
    Say(fmt::format("{}, {}, {}", Counted(counts.findings, "finding"),
                    Counted(counts.alerts, "new alert"),
                    Counted(counts.incidents, "new incident")));
  }
  return {};
}

Status ImportOne(std::size_t number, const Options& options, const run::Settings& settings,
                 const run::Tenant& tenant, storage::TenantStore& store, Context& context) {
  const std::string& file = options.files.at(number);
  const std::string which = options.files.size() == 1
                                ? file
                                : fmt::format("{} ({}/{})", file, number + 1, options.files.size());
  Progress progress;
  progress.Show(which + ": reading");
  PK_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(file, tables::kMaxImportBytes));
  const Instant now = SystemClock().Now();
  tables::ImportOptions how;
  how.table = options.table;
  how.now = now;
  how.oldest = now - settings.poll.retention;
  how.progress = [&progress, &which](std::string_view table, std::int64_t rows) {
    progress.Show(fmt::format("{}: {}: {}", which, table, Counted(rows, "row")));
  };
  Result<tables::ImportReport> report = tables::ImportFile(bytes, tenant.id, store, how);
  if (!report) return Fail(std::move(report).error().In(file));
  PrintReport(file, *report, context.format == Format::kJson);
  if (report->counts.rejected > 0) context.exit_code = 1;
  return {};
}

void Import(Context& context, const Options& options) {
  const auto settings = LoadSettings(context);
  if (!settings) return;
  const Result<const run::Tenant*> tenant = run::FindTenant(*settings, options.tenant);
  if (!tenant) {
    Failed(context, tenant.error());
    return;
  }
  const auto tightened = storage::SecureDataFolder(settings->data_dir, storage::Lax::kTighten);
  if (!tightened) {
    Failed(context, tightened.error());
    return;
  }
  SayTightened(*tightened);
  const Result<DirectoryLock> lock = DirectoryLock::Acquire(settings->data_dir);
  if (!lock) {
    Failed(context, lock.error());
    return;
  }
  auto store = run::OpenTenant(*settings, (*tenant)->id, /*read_only=*/false);
  if (!store) {
    Failed(context, store.error());
    return;
  }
  for (std::size_t i = 0; i < options.files.size(); ++i) {
    if (context.stop.stop_requested()) break;
    if (Status taken = ImportOne(i, options, *settings, **tenant, **store, context); !taken) {
      Failed(context, std::move(taken).error());
    }
  }
  if (Status evaluated = EvaluateAfter(*settings, **tenant, **store, context); !evaluated) {
    Failed(context, evaluated.error());
  }
}

}  // namespace

void AddImport(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand(
      "import", "Take in files: Graph JSON, or Log Analytics exports (CSV, JSON), gzip or not");
  verb->add_option("FILE", options->files, "The files")->required();
  verb->add_option("--tenant", options->tenant, "The tenant they belong to")->required();
  verb->add_option("--table", options->table, "The Log Analytics table, when a file does not say");
  AddConfigOption(*verb, context);
  AddFormatOption(*verb, context, {"table", "json"});
  verb->footer(
      "Examples:\n  picket import export.csv --tenant contoso --table SigninLogs\n"
      "  picket import signins-*.json.gz --tenant contoso\n"
      "\nRows older than [retention] events are refused and counted. A row whose time can't be "
      "read\nis rejected; that of the import is used only where a file has no column of times.");
  verb->callback([&context, options] { Import(context, *options); });
}

}  // namespace picket::cli

// picket report

#include "agent/cli/report.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "agent/cli/findings.h"
#include "agent/cli/usage.h"
#include "agent/poll/poller.h"
#include "agent/run/tenant_files.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"

namespace picket::cli {
namespace {

struct Options {
  std::string format = "html", output, tenant;
  bool all = false;
};

outputs::TenantCoverage CoverageOf(const run::Settings& settings, const run::Tenant& tenant) {
  outputs::TenantCoverage coverage{.tenant = tenant.name, .streams = {}};
  auto store = run::OpenTenant(settings, tenant.id, /*read_only=*/true);
  auto streams = store ? poll::ReadStatus(**store, run::StreamsOf(tenant), settings.poll)
                       : Result<std::vector<poll::StreamStatus>>(Fail(store.error()));
  if (!streams) {
    coverage.streams.push_back({.name = "", .state = "unread", .note = streams.error().message});
    return coverage;
  }
  for (const poll::StreamStatus& stream : *streams) {
    coverage.streams.push_back(
        {.name = stream.name,
         .state = stream.state,
         .complete_to = stream.complete_to ? FormatRfc3339(*stream.complete_to) : "",
         .events = stream.events,
         .note = stream.reason});
  }
  return coverage;
}

void Report(Context& context, const Options& options) {
  const auto settings = LoadSettings(context);
  if (!settings) return;
  const auto tenants = ChooseTenants(context, *settings, options.tenant);
  if (tenants.empty()) return;
  // A tenant that cannot be read is in the report as such.
  const outputs::Report report = MakeReport(context, *settings, tenants, options.all);
  const std::string text = options.format == "json"  ? outputs::ReportJson(report)
                           : options.format == "csv" ? outputs::ReportCsv(report)
                                                     : outputs::ReportHtml(report);
  if (options.output.empty()) {
    WriteAll(text, stdout);
    return;
  }
  if (Status written = WriteFileAtomically(options.output, text); !written) {
    Error error = written.error();
    error.kind = ErrorKind::kStorage;
    if (error.hint.empty() || error.remote_code == "denied") {
      error.hint = "Name with -o a file in a folder that is there and that you may write to.";
    }
    Failed(context, error);
    return;
  }
  Say(fmt::format("{} in {}", Counted(std::ssize(report.incidents), "incident"), options.output));
}

}  // namespace

outputs::Report MakeReport(Context& context, const run::Settings& settings,
                           const std::vector<const run::Tenant*>& tenants, bool all) {
  outputs::Report report{.generated = SystemClock().Now(), .version = std::string(Version())};
  report.incidents = IncidentsOf(context, settings, tenants, all, alerts::Evidence::kRead);
  for (const run::Tenant* tenant : tenants) {
    report.coverage.push_back(CoverageOf(settings, *tenant));
  }
  return report;
}

void AddReport(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      app.add_subcommand("report", "The incidents with their evidence, as one file to read");
  AddConfigOption(*verb, context);
  verb->add_option("--format", options->format, "What kind of file")->capture_default_str();
  Choices(*verb, "--format", {"html", "json", "csv"});
  verb->add_option("-o,--output", options->output, "The file; stdout without one");
  verb->add_option("--tenant", options->tenant, "Only this tenant's");
  verb->add_flag("--all", options->all, "Closed incidents too");
  verb->footer(
      "Examples:\n  picket report -o report.html\n"
      "  picket report --tenant contoso --format csv -o contoso.csv");
  verb->callback([&context, options] { Report(context, *options); });
}

}  // namespace picket::cli

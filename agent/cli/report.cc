// picket report

#include "agent/cli/report.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "agent/cli/findings.h"
#include "agent/poll/poller.h"
#include "agent/run/tenant_files.h"
#include "base/clock.h"
#include "base/files.h"

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
  const outputs::Report report = MakeReport(context, *settings, options.tenant, options.all);
  if (context.exit_code != 0) return;
  const std::string text = options.format == "json"  ? outputs::ReportJson(report)
                           : options.format == "csv" ? outputs::ReportCsv(report)
                                                     : outputs::ReportHtml(report);
  if (options.output.empty()) {
    (void)WriteAll(text, stdout);
    return;
  }
  if (Status written = WriteFileAtomically(options.output, text); !written) {
    Failed(context, written.error());
    return;
  }
  Say(fmt::format("{} incidents in {}", report.incidents.size(), options.output));
}

}  // namespace

outputs::Report MakeReport(Context& context, const run::Settings& settings,
                           const std::string& tenant, bool all) {
  outputs::Report report{.generated = SystemClock().Now(), .version = std::string(Version())};
  report.incidents = IncidentsOf(context, settings, tenant, all, alerts::Evidence::kRead);
  for (const run::Tenant& one : settings.tenants) {
    if (tenant.empty() || one.name == tenant) {
      report.coverage.push_back(CoverageOf(settings, one));
    }
  }
  return report;
}

void AddReport(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      app.add_subcommand("report", "The incidents with their evidence, as one file to read");
  AddConfigOption(*verb, context);
  verb->add_option("--format", options->format, "html, json or csv")
      ->check(CLI::IsMember({"html", "json", "csv"}))
      ->capture_default_str();
  verb->add_option("-o,--output", options->output, "The file; stdout without one");
  verb->add_option("--tenant", options->tenant, "Only this tenant's");
  verb->add_flag("--all", options->all, "Closed incidents too");
  verb->footer(
      "Examples:\n  picket report -o report.html\n"
      "  picket report --tenant contoso --format csv -o contoso.csv");
  verb->callback([&context, options] { Report(context, *options); });
}

}  // namespace picket::cli

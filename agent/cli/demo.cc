// picket demo: two tenants with attacks, played against the stand-in of Graph.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "agent/cli/context.h"
#include "agent/cli/findings.h"
#include "agent/cli/report.h"
#include "agent/run/round.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/text.h"
#include "tests/scenarios/demo_scenario.h"
#include "tests/simulator/stand_in.h"

namespace picket::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxRounds = 40;
constexpr const char* kMarker = ".picket-demo";

struct Options {
  std::string directory = "picket-demo";
};

run::Settings DemoSettings(const fs::path& directory, const std::string& url,
                           const simulator::DemoScenario& scenario) {
  run::Settings settings;
  settings.data_dir = fs::absolute(directory) / "data";
  settings.cloud = {.authority = url, .graph = url, .arm = url};
  settings.poll.backfill = kDay;
  settings.min_free = 0;
  settings.apps[""] = {
      .client_id = scenario.client_id,
      .by_certificate = false,
      .client_secret = SecretRef{"file", (fs::absolute(directory) / "secret").string()}};
  for (const simulator::DemoTenant& tenant : scenario.tenants) {
    settings.tenants.push_back({.name = tenant.name,
                                .id = tenant.id,
                                .streams = {"signIns.interactive", "riskDetections"}});
  }
  return settings;
}

void PrintIncidents(const std::vector<alerts::IncidentView>& incidents) {
  TextTable table{{"PRIORITY", "TENANT", "WHO", "WHY"}, {}};
  for (const alerts::IncidentView& incident : incidents) {
    std::string why;
    for (const alerts::AlertView& alert : incident.alerts) {
      for (const std::string& reason : alert.reasons) why += (why.empty() ? "" : "; ") + reason;
    }
    table.rows.push_back(
        {alerts::PriorityName(incident.priority), incident.tenant, incident.entity.name, why});
  }
  PrintTable(table, stdout);
}

// Empties the folder of an earlier demo. A folder with anything else in it is refused, untouched.
Status PrepareFolder(const fs::path& folder) {
  const fs::path marker = folder / kMarker;
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_empty(folder, error) && !fs::exists(marker, error)) {
    return Fail({.kind = ErrorKind::kRefused,
                 .message = folder.string() + " holds other things than a demo",
                 .hint = "Choose a new or an empty folder: picket demo --dir FOLDER"});
  }
  PK_RETURN_IF_ERROR(EnsurePrivateDirectory(folder));
  PK_RETURN_IF_ERROR(WriteFileAtomically(marker, "Made by 'picket demo', which may empty it.\n"));
  const fs::path data = folder / "data";
  PK_RETURN_IF_ERROR(EnsurePrivateDirectory(data));
  // Not under the feet of a demo that runs.
  PK_ASSIGN_OR_RETURN(const DirectoryLock lock, DirectoryLock::Acquire(data));
  for (const auto& entry : fs::directory_iterator(data, error)) {
    if (entry.path().filename() != "lock") fs::remove_all(entry.path(), error);
  }
  return {};
}

// Rounds until Graph has nothing more to give.
Result<run::RoundCounts> ReadAll(const run::Settings& settings, std::stop_token stop) {
  SystemClock clock;
  PK_ASSIGN_OR_RETURN(const std::unique_ptr<run::Agent> agent,
                      run::Agent::Open(settings, clock, false));
  if (const auto& errors = agent->rules().errors; !errors.empty()) {
    return Fail(Error(errors.front().error).In("rules"));  // without them nothing would be found
  }
  run::RoundCounts total;
  Progress progress;
  for (int round = 0; round < kMaxRounds && !stop.stop_requested(); ++round) {
    bool more = false;
    const run::RoundCounts counts = agent->Once(
        {.all_streams = true},
        [&](const run::TenantOutcome& outcome) {
          more = more || outcome.polled.backfill_left;
          for (const auto& [where, error] : outcome.failures) {
            Say(outcome.tenant + ": " + where + ": " + error.message);
          }
        },
        stop);
    total.pages += counts.pages;
    total.alerts += counts.alerts;
    total.requests += counts.requests;
    progress.Show(fmt::format("{} read, {}", Counted(total.pages.added, "event"),
                              Counted(total.requests, "request")));
    if (!more) break;
  }
  return total;
}

void Demo(Context& context, const Options& options) {
  // The stand-in throttles as Graph does; a demo needs no log of it.
  ConfigureLog(context.verbose > 0 ? LogLevel::kInfo : LogLevel::kNone, LogFormat::kText);
  const SystemClock clock;
  simulator::StandIn stand_in([&clock] { return clock.Now(); });
  if (Status started = stand_in.Start(); !started) {
    Failed(context, started.error());
    return;
  }
  const simulator::DemoScenario scenario = simulator::PlayDemo(stand_in, clock.Now(), 1);
  if (Status made = PrepareFolder(options.directory); !made) {
    Failed(context, made.error());
    return;
  }
  if (Status kept = WriteFileAtomically(fs::path(options.directory) / "secret", scenario.secret);
      !kept) {
    Failed(context, kept.error());
    return;
  }
  const run::Settings settings = DemoSettings(options.directory, stand_in.Url(), scenario);
  Say("Two tenants, contoso and fabrikam, are played by a stand-in of Microsoft Graph on this "
      "machine.");
  const Result<run::RoundCounts> counts = ReadAll(settings, context.stop);
  if (!counts) {
    Failed(context, counts.error());
    return;
  }
  outputs::Report report =
      MakeReport(context, settings, ChooseTenants(context, settings, ""), /*all=*/false);
  if (context.stop.stop_requested()) {
    context.exit_code = 130;
    return;
  }
  Say(fmt::format("{} read (sign-ins and detections) in {}; {}:\n",
                  Counted(counts->pages.added, "event"), Counted(counts->requests, "request"),
                  Counted(std::ssize(report.incidents), "incident")));
  PrintIncidents(report.incidents);
  const fs::path page = fs::absolute(options.directory) / "report.html";
  if (Status written = WriteFileAtomically(page, outputs::ReportHtml(report)); !written) {
    Failed(context, written.error());
    return;
  }
  Say("\nThe report, to open in a browser: " + page.string());
  Say("Your own tenant: 'picket config sample > picket.toml', and docs/guide.md.");
}

}  // namespace

void AddDemo(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      app.add_subcommand("demo", "See it work: two tenants under attack, without a tenant");
  verb->add_option("--dir", options->directory, "Where data and report go")->capture_default_str();
  verb->footer("Examples:\n  picket demo\n  picket demo --dir /tmp/picket-demo");
  verb->callback([&context, options] { Demo(context, *options); });
}

}  // namespace picket::cli

// picket demo: two tenants with attacks, played against the stand-in of Graph.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <filesystem>

#include "agent/cli/context.h"
#include "agent/cli/findings.h"
#include "agent/cli/report.h"
#include "agent/config/load.h"
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

std::string DemoConfig(const std::string& url, const simulator::DemoScenario& scenario) {
  std::string text = fmt::format(
      "# Of 'picket demo'. What was read stays in data/; the stand-in of Microsoft Graph that it\n"
      "# came from is gone, so 'picket once' finds nobody here.\n"
      "[agent]\ndata_dir = \"data\"\n\n"
      "[cloud]\nauthority = \"{0}\"\ngraph = \"{0}\"\narm = \"{0}\"\n\n"
      "[app]\nclient_id = \"{1}\"\ncredential = \"secret\"\n"
      "client_secret = \"@{{file:secret}}\"\n\n"
      "[poll]\nbackfill = \"1d\"\n\n[retention]\nmin_free = \"0\"\n",
      url, scenario.client_id);
  for (const simulator::DemoTenant& tenant : scenario.tenants) {
    text += fmt::format(
        "\n[[tenant]]\nname = \"{}\"\ntenant_id = \"{}\"\n"
        "streams = [\"signIns.interactive\", \"riskDetections\"]\n",
        tenant.name, ToString(tenant.id));
  }
  return text;
}

// The config and the secret, and what they say.
Result<run::Settings> WriteConfig(const fs::path& folder, const std::string& url,
                                  const simulator::DemoScenario& scenario) {
  const fs::path file = folder / "picket.toml";
  PK_RETURN_IF_ERROR(WriteFileAtomically(folder / "secret", scenario.secret));
  PK_RETURN_IF_ERROR(WriteFileAtomically(file, DemoConfig(url, scenario)));
  config::LoadedConfig loaded = config::Load(file);
  if (!loaded.problems.empty()) {
    return Fail(
        {.kind = ErrorKind::kInternal, .message = config::ToString(loaded.problems.front())});
  }
  return std::move(loaded.settings);
}

// As a shell reads it back.
std::string Quoted(const std::string& word) {
  const bool plain = std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '/' || c == '.' || c == '-' || c == '_';
  });
  if (plain) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

// Commands to copy: they work wherever the reader is.
void SayWhatNext(const Context& context, const fs::path& folder) {
  const std::string program = "  " + Quoted(context.program);
  const std::string config = " --config " + Quoted((folder / "picket.toml").string());
  Say("\nThe report, to open in a browser: " + (folder / "report.html").string());
  Say("\nLook further at what the demo read:");
  Say(program + " incidents list" + config);
  Say(program + " status" + config);
  Say(program + " query 'SigninLogs | summarize count() by UserPrincipalName' --tenant contoso" +
      config);
  Say("\nYour own tenant, by docs/guide.md:");
  Say(program + " config sample > picket.toml");
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
  const fs::path folder = fs::absolute(options.directory).lexically_normal();
  const Result<run::Settings> configured = WriteConfig(folder, stand_in.Url(), scenario);
  if (!configured) {
    Failed(context, configured.error());
    return;
  }
  const run::Settings& settings = *configured;
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
  if (Status written = WriteFileAtomically(folder / "report.html", outputs::ReportHtml(report));
      !written) {
    Failed(context, written.error());
    return;
  }
  SayWhatNext(context, folder);
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

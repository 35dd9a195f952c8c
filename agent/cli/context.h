#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/cli/output.h"
#include "agent/config/load.h"
#include "agent/run/settings.h"
#include "base/result.h"
#include "base/time.h"

namespace CLI {
class App;
}

namespace picket::cli {

// What every verb gets: the common options, and the stop of this process.
struct Context {
  std::string program = "picket";  // as a shell finds it
  std::string config = "picket.toml";
  Format format = Format::kTable;
  bool quiet = false;
  int verbose = 0;
  std::stop_token stop;
  int exit_code = 0;
};

// One for each file of this room; main calls them all.
void AddRun(CLI::App& app, Context& context);
void AddOnce(CLI::App& app, Context& context);
void AddDemo(CLI::App& app, Context& context);  // in builds with the simulator
void AddValidate(CLI::App& app, Context& context);
void AddStatus(CLI::App& app, Context& context);
void AddQuery(CLI::App& app, Context& context);
void AddImport(CLI::App& app, Context& context);
void AddRules(CLI::App& app, Context& context);
void AddBacktest(CLI::App& rules, Context& context);   // of `rules`
void AddRuleTests(CLI::App& rules, Context& context);  // of `rules`
void AddAlerts(CLI::App& app, Context& context);
void AddIncidents(CLI::App& app, Context& context);
void AddOutputs(CLI::App& app, Context& context);
void AddReport(CLI::App& app, Context& context);
void AddConfig(CLI::App& app, Context& context);
void AddVersion(CLI::App& app, Context& context);
void AddHelp(CLI::App& app, Context& context);

// --config and --format for a verb; `formats` of "table", "json", "csv", "prometheus".
void AddConfigOption(CLI::App& verb, Context& context);
void AddFormatOption(CLI::App& verb, Context& context, std::vector<std::string> formats);

// The config, or its problems printed and the exit code set (78).
std::optional<config::LoadedConfig> LoadConfig(Context& context);
std::optional<run::Settings> LoadSettings(Context& context);
// Prints the error, sets the exit code for its kind (75 for a second instance), returns it.
int Failed(Context& context, const Error& error);

// Says which parts of the data folder others could read until now, if any.
void SayTightened(const std::vector<std::filesystem::path>& parts);

// A time of the command line (RFC 3339). nullopt: it is none, which was said, with exit code 64.
std::optional<Instant> TimeArgument(Context& context, std::string_view option,
                                    const std::string& text);

std::string_view Version();

}  // namespace picket::cli

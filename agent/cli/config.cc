// picket config sample|show, picket version

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "agent/cli/context.h"
#include "agent/config/load.h"

namespace picket::cli {
namespace {

void Show(Context& context) {
  if (const auto loaded = LoadConfig(context)) {
    WriteAll(JsonPage(config::ToJson(*loaded)), stdout);
  }
}

}  // namespace

void AddConfig(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("config", "A sample config, or the one in force");
  group->require_subcommand(1);
  group->footer(
      "Examples:\n  picket config sample > picket.toml\n"
      "  picket config show --config picket.toml");
  CLI::App* sample = group->add_subcommand("sample", "Print a commented picket.toml");
  sample->footer("Examples:\n  picket config sample > picket.toml");
  sample->callback([] { WriteAll(config::SampleConfig(), stdout); });
  CLI::App* show = group->add_subcommand("show", "The settings as they apply, as JSON");
  AddConfigOption(*show, context);
  show->footer(
      "Every setting in force, defaults too, in the shape of the config. Secrets are shown as the\n"
      "references that they are there.\n"
      "\nExamples:\n  picket config show --config /etc/picket/picket.toml");
  show->callback([&context] { Show(context); });
}

void AddVersion(CLI::App& app, Context&) {
  CLI::App* verb = app.add_subcommand("version", "Print the version");
  verb->footer("Examples:\n  picket version");
  verb->callback([] { WriteAll("picket " + std::string(Version()) + "\n", stdout); });
}

}  // namespace picket::cli

// picket config sample|show, picket version

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "agent/cli/context.h"
#include "agent/config/load.h"

namespace picket::cli {
namespace {

std::string RefText(const std::optional<SecretRef>& ref) {
  return ref ? "@{" + ref->store + ":" + ref->key + "}" : "";
}

// The settings as they apply, defaults filled in; secrets are shown as references.
void Show(Context& context) {
  const auto settings = LoadSettings(context);
  if (!settings) return;
  nlohmann::json apps = nlohmann::json::object();
  for (const auto& [name, app] : settings->apps) {
    apps[name] = {{"client_id", app.client_id},
                  {"credential", app.by_certificate ? "certificate" : "secret"},
                  {"certificate", RefText(app.certificate)},
                  {"client_secret", RefText(app.client_secret)}};
  }
  nlohmann::json tenants = nlohmann::json::array();
  for (const run::Tenant& tenant : settings->tenants) {
    tenants.push_back({{"name", tenant.name},
                       {"tenant_id", ToString(tenant.id)},
                       {"app", tenant.app},
                       {"streams", tenant.streams}});
  }
  const nlohmann::json object = {{"data_dir", settings->data_dir.string()},
                                 {"cloud",
                                  {{"authority", settings->cloud.authority},
                                   {"graph", settings->cloud.graph},
                                   {"graph_audience", settings->cloud.GraphAudience()},
                                   {"arm", settings->cloud.arm}}},
                                 {"proxy_set", !settings->network.proxy.empty()},
                                 {"ca_file", settings->network.ca_file},
                                 {"apps", std::move(apps)},
                                 {"poll_interval", FormatTimespan(settings->poll.poll_interval)},
                                 {"backfill", FormatTimespan(settings->poll.backfill)},
                                 {"retention", FormatTimespan(settings->poll.retention)},
                                 {"tenants", std::move(tenants)}};
  WriteAll(JsonPage(object), stdout);
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
      "Secrets are shown as the references that they are in the config.\n"
      "\nExamples:\n  picket config show --config /etc/picket/picket.toml");
  show->callback([&context] { Show(context); });
}

void AddVersion(CLI::App& app, Context&) {
  CLI::App* verb = app.add_subcommand("version", "Print the version");
  verb->footer("Examples:\n  picket version");
  verb->callback([] { WriteAll("picket " + std::string(Version()) + "\n", stdout); });
}

}  // namespace picket::cli

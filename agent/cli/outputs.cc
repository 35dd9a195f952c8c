// picket outputs list|test

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "agent/cli/context.h"
#include "agent/cli/output_status.h"
#include "agent/outputs/make_output.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/text.h"
#include "base/uuid.h"

namespace picket::cli {
namespace {

void List(Context& context) {
  const auto settings = LoadSettings(context);
  if (!settings) return;
  const auto outputs = ReadOutputStatus(*settings);
  if (!outputs) {
    Failed(context, outputs.error());
    return;
  }
  if (outputs->empty()) Say("no [[output]] is configured; 'picket config sample' shows two");
  const TextTable table = OutputTable(*outputs, SystemClock().Now());
  if (context.format == Format::kJson) {
    nlohmann::json list = nlohmann::json::array();
    for (const OutputStatus& output : *outputs) list.push_back(ToJson(output));
    WriteAll(JsonLine({{"outputs", std::move(list)}}), stdout);
  } else if (context.format == Format::kCsv) {
    PrintCsv(table, stdout);
  } else {
    PrintTable(table, stdout);
  }
}

const outputs::OutputSettings* Find(const run::Settings& settings, const std::string& name,
                                    Context& context) {
  std::vector<std::string_view> names;
  for (const outputs::OutputSettings& output : settings.outputs) {
    if (output.name == name) return &output;
    names.push_back(output.name);
  }
  const std::string_view nearest = Nearest(name, names);
  Failed(context, {.kind = ErrorKind::kNotFound,
                   .message = "no output '" + EscapeTerminal(name) + "' in the config",
                   .hint = nearest.empty() ? "Add an [[output]]."
                                           : "Did you mean '" + std::string(nearest) + "'?"});
  return nullptr;
}

// Past the outbox, so that it works while `run` does; all else is as for a real one.
void Test(Context& context, const std::string& name) {
  const auto settings = LoadSettings(context);
  if (!settings) return;
  const outputs::OutputSettings* output = Find(*settings, name, context);
  if (output == nullptr) return;
  const auto network = MakeHttpTransport(settings->network);
  if (!network) {
    Failed(context, network.error());
    return;
  }
  SystemClock clock;
  const std::string tenant = !output->tenants.empty()     ? output->tenants.front()
                             : !settings->tenants.empty() ? settings->tenants.front().name
                                                          : "";
  const auto way = outputs::MakeOutput(*output, **network, clock);
  const outputs::Attempt attempt = way->Send({.id = ToString(Uuid4()),
                                              .type = outputs::kTest,
                                              .tenant = tenant,
                                              .priority = 5,
                                              .created = clock.Now(),
                                              .body = outputs::TestIncident(tenant, clock.Now()),
                                              .receipt = {}},
                                             context.stop);
  if (attempt.fate == outputs::Fate::kDelivered) {
    WriteAll(fmt::format("{}: {} took the test incident\n", name, EscapeTerminal(way->Where())),
             stdout);
    Say("of real ones " + way->Repetition());
    return;
  }
  Error error = attempt.error;
  Failed(context, std::move(error).In(name));
}

}  // namespace

void AddOutputs(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("outputs", "Where incidents go, and how that works");
  group->require_subcommand(1);
  group->footer("Examples:\n  picket outputs list\n  picket outputs test soc");
  CLI::App* list = group->add_subcommand("list", "Each output, what waits for it, its last error");
  AddConfigOption(*list, context);
  AddFormatOption(*list, context, {"table", "json", "csv"});
  list->footer("Examples:\n  picket outputs list --config picket.toml");
  list->callback([&context] { List(context); });
  CLI::App* test = group->add_subcommand("test", "Send a marked test incident");
  auto name = std::make_shared<std::string>();
  test->add_option("NAME", *name, "The output's name")->required();
  AddConfigOption(*test, context);
  test->footer(
      "Uses the output's real format, secrets and way; waits in no outbox.\n"
      "\nExamples:\n  picket outputs test soc --config picket.toml\n"
      "\nExit codes: 0 taken; 1 refused; 69 not reachable; 77, 78 the config or its secrets");
  test->callback([&context, name] { Test(context, *name); });
}

}  // namespace picket::cli

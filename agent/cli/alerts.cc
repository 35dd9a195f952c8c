// picket alerts list|show, picket incidents list|show

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "agent/cli/context.h"
#include "agent/cli/findings.h"
#include "base/text.h"

namespace picket::cli {
namespace {

using nlohmann::json;

struct Options {
  std::string id, tenant;
  bool all = false;
};

template <class View>
TextTable ListTable(const std::vector<View>& views) {
  TextTable table{{"PRIORITY", "TENANT", "WHO", "WHAT", "STATUS", "LAST SEEN", "COUNT", "ID"}, {}};
  for (const View& view : views) {
    std::int64_t count = 0;
    if constexpr (std::is_same_v<View, alerts::IncidentView>) {
      count = view.Count();
    } else {
      count = view.count;
    }
    table.rows.push_back({alerts::PriorityName(view.priority), view.tenant, view.entity.name,
                          view.title, view.status, FormatRfc3339(view.last_seen),
                          std::to_string(count), view.id});
  }
  return table;
}

template <class View>
void PrintList(const Context& context, const char* name, const std::vector<View>& views) {
  if (context.format == Format::kJson) {
    json list = json::array();
    for (const View& view : views) list.push_back(alerts::ToJson(view, /*with_evidence=*/false));
    (void)WriteAll(JsonPage({{name, std::move(list)}}), stdout);
  } else if (context.format == Format::kCsv) {
    PrintCsv(ListTable(views), stdout);
  } else {
    PrintTable(ListTable(views), stdout);
  }
}

void Lines(std::string& text, const char* title, const std::vector<std::string>& items) {
  if (items.empty()) return;
  text += fmt::format("  {}\n", title);
  for (const std::string& item : items) text += "    - " + item + "\n";
}

std::string AlertText(const alerts::AlertView& alert) {
  std::string text = fmt::format("{} {}\n", alerts::PriorityName(alert.priority), alert.title);
  text += fmt::format("  who       {} ({})\n  when      {} to {}, {} findings\n  status    {}{}\n",
                      alert.entity.name, alert.entity.type, FormatRfc3339(alert.first_seen),
                      FormatRfc3339(alert.last_seen), alert.count, alert.status,
                      alert.closed_reason.empty() ? "" : ": " + alert.closed_reason);
  Lines(text, "why this fired", alert.reasons);
  Lines(text, "why this priority", alert.priority_why);
  Lines(text, "what to do", alert.next_steps);
  for (const alerts::EvidenceView& row : alert.evidence) {
    text += fmt::format("  row of {}\n", FormatRfc3339(row.time));
    for (const auto& [name, value] : row.columns) {
      if (!value.empty()) text += fmt::format("    {:26} {}\n", name, value);
    }
  }
  return text;
}

std::string TextOf(const alerts::AlertView& alert) { return AlertText(alert); }
std::string TextOf(const alerts::IncidentView& incident) {
  std::string text = fmt::format("{} {}\n  tenant    {}\n  id        {}\n\n",
                                 alerts::PriorityName(incident.priority), incident.title,
                                 incident.tenant, incident.id);
  for (const alerts::AlertView& alert : incident.alerts) text += AlertText(alert) + "\n";
  return text;
}

template <class View>
void Show(Context& context, const Options& options, const std::vector<View>& views) {
  for (const View& view : views) {
    if (view.id != options.id) continue;
    const bool as_json = context.format == Format::kJson;
    (void)WriteAll(as_json ? JsonPage(alerts::ToJson(view, true)) : EscapeTerminal(TextOf(view)),
                   stdout);
    return;
  }
  Failed(context, {.kind = ErrorKind::kNotFound,
                   .message = "there is none with the id " + EscapeTerminal(options.id),
                   .hint = "The list with --all names every id."});
}

template <class View>
void AddVerbs(CLI::App& app, Context& context, const char* name, const char* what,
              std::vector<View> (*load)(Context&, const std::string&, bool, alerts::Evidence)) {
  CLI::App* group = app.add_subcommand(name, what);
  group->require_subcommand(1);
  auto options = std::make_shared<Options>();
  CLI::App* list = group->add_subcommand("list", "Most urgent first, then newest");
  list->add_flag("--all", options->all, "Closed ones too");
  list->add_option("--tenant", options->tenant, "Only this tenant's");
  AddConfigOption(*list, context);
  AddFormatOption(*list, context, {"table", "json", "csv"});
  list->footer(
      fmt::format("Examples:\n  picket {0} list\n  picket {0} list --all --format json", name));
  list->callback([&context, options, name, load] {
    const std::vector<View> views =
        load(context, options->tenant, options->all, alerts::Evidence::kLeft);
    if (context.exit_code == 0) PrintList(context, name, views);
  });
  CLI::App* show = group->add_subcommand("show", "One, with its evidence");
  show->add_option("ID", options->id, "Its id")->required();
  AddConfigOption(*show, context);
  AddFormatOption(*show, context, {"table", "json"});
  show->callback([&context, options, load] {
    const std::vector<View> views = load(context, "", true, alerts::Evidence::kRead);
    if (context.exit_code == 0) Show(context, *options, views);
  });
}

}  // namespace

void AddAlerts(CLI::App& app, Context& context) {
  AddVerbs<alerts::AlertView>(app, context, "alerts", "What the rules found, by rule and entity",
                              &LoadAllAlerts);
}

void AddIncidents(CLI::App& app, Context& context) {
  AddVerbs<alerts::IncidentView>(app, context, "incidents",
                                 "What the rules found, by entity: one story each",
                                 &LoadAllIncidents);
}

}  // namespace picket::cli

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
    WriteAll(JsonPage({{name, std::move(list)}}), stdout);
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
  text += fmt::format("  who       {} ({})\n  when      {} to {}, {}\n  status    {}{}\n",
                      alert.entity.name, alert.entity.type, FormatRfc3339(alert.first_seen),
                      FormatRfc3339(alert.last_seen), Counted(alert.count, "finding"), alert.status,
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
  for (const alerts::SourcesView& of : alert.sources) {
    text += "  comes from " + alerts::Summary(of) + "\n";
    for (const alerts::EvidenceView& row : of.rows) {
      text += "    " + FormatRfc3339(row.time);
      for (const auto& [name, value] : row.columns) {
        if (name != "TimeGenerated" && !value.empty()) text += fmt::format(" {}={}", name, value);
      }
      text += "\n";
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
using ListOf = std::vector<View> (*)(Context&, const run::Settings&,
                                     const std::vector<const run::Tenant*>&, bool,
                                     alerts::Evidence);
template <class View>
using OneOf = Result<std::optional<View>> (*)(storage::TenantStore&, const std::string&,
                                              const std::string&);

template <class View>
void List(Context& context, const Options& options, const char* name, ListOf<View> load) {
  const auto settings = LoadSettings(context);
  if (!settings) return;
  const auto tenants = ChooseTenants(context, *settings, options.tenant);
  if (tenants.empty()) return;
  const std::vector<View> views =
      load(context, *settings, tenants, options.all, alerts::Evidence::kLeft);
  if (views.empty() && context.format == Format::kTable) {
    if (context.exit_code != 0) return;  // nothing was seen, which is not: nothing is open
    Say(options.all ? fmt::format("no {}", name)
                    : fmt::format("no open {}; --all shows closed ones too", name));
    return;
  }
  PrintList(context, name, views);
}

template <class View>
void Show(Context& context, const Options& options, const char* name, OneOf<View> load) {
  const auto settings = LoadSettings(context);
  if (!settings) return;
  std::optional<View> found;
  const auto tenants = ChooseTenants(context, *settings, options.tenant);
  if (tenants.empty()) return;
  ReadEach(context, *settings, tenants,
           [&](const run::Tenant& tenant, storage::TenantStore& store) -> Status {
             if (found) return {};
             PK_ASSIGN_OR_RETURN(found, load(store, tenant.name, AsciiLower(options.id)));
             return {};
           });
  if (!found) {
    Failed(context, {.kind = ErrorKind::kNotFound,
                     .message = fmt::format("none of the {} has the id {}", name, options.id),
                     .hint = fmt::format("'picket {} list --all' names every id.", name)});
    return;
  }
  const bool as_json = context.format == Format::kJson;
  WriteAll(as_json ? JsonPage(alerts::ToJson(*found, true)) : EscapeTerminal(TextOf(*found)),
           stdout);
}

template <class View>
void AddVerbs(CLI::App& app, Context& context, const char* name, const char* what,
              ListOf<View> list_of, OneOf<View> one_of) {
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
  list->callback(
      [&context, options, name, list_of] { List<View>(context, *options, name, list_of); });
  CLI::App* show = group->add_subcommand("show", "One, with its evidence");
  show->add_option("ID", options->id, "Its id, as the list gives it")->required();
  show->add_option("--tenant", options->tenant, "Look only in this tenant");
  AddConfigOption(*show, context);
  AddFormatOption(*show, context, {"table", "json"});
  show->footer(
      fmt::format("Examples:\n  picket {0} show 0c3f6b1e-5a77-5d0e-9a1b-2f4f6c1d8e90\n"
                  "  picket {0} show 0c3f6b1e-5a77-5d0e-9a1b-2f4f6c1d8e90 --format json",
                  name));
  show->callback(
      [&context, options, name, one_of] { Show<View>(context, *options, name, one_of); });
  group->footer(
      fmt::format("Examples:\n  picket {0} list\n"
                  "  picket {0} show 0c3f6b1e-5a77-5d0e-9a1b-2f4f6c1d8e90",
                  name));
}

}  // namespace

void AddAlerts(CLI::App& app, Context& context) {
  AddVerbs<alerts::AlertView>(app, context, "alerts", "What the rules found, by rule and entity",
                              &AlertsOf, &alerts::LoadAlert);
}

void AddIncidents(CLI::App& app, Context& context) {
  AddVerbs<alerts::IncidentView>(app, context, "incidents",
                                 "What the rules found, by entity: one story each", &IncidentsOf,
                                 &alerts::LoadIncident);
}

}  // namespace picket::cli

// The report as one HTML page. Everything that an event or a config could have written goes through
// Escaped(); the page's own CSP forbids scripts, requests and forms as a second wall.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "agent/outputs/report.h"
#include "base/text.h"

namespace picket::outputs {
namespace {

using alerts::AlertView;
using alerts::EvidenceView;
using alerts::IncidentView;
using alerts::Priority;

constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--fg:#1b1f24;--bg:#fff;--soft:#57606a;--line:#d0d7de;--card:#f6f8fa;
--p1:#a40e26;--p2:#bc4c00;--p3:#7d4e00;--p4:#0550ae;--p5:#57606a}
@media (prefers-color-scheme:dark){:root{--fg:#e6edf3;--bg:#0d1117;--soft:#9198a1;--line:#3d444d;
--card:#151b23;--p1:#ff7b72;--p2:#ffa657;--p3:#e3b341;--p4:#79c0ff;--p5:#9198a1}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:64rem;padding:1.5rem 1rem 4rem;color:var(--fg);background:var(--bg);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif;
overflow-wrap:anywhere}
h1{font-size:1.6rem;margin:0}h2{font-size:1.25rem;margin:2.5rem 0 .75rem}
h3{font-size:1.1rem;margin:0}h4{font-size:1rem;margin:1rem 0 .25rem}
p{margin:.25rem 0}.soft{color:var(--soft)}
ul,ol{margin:.25rem 0;padding-left:1.4rem}
.counts{display:flex;flex-wrap:wrap;gap:.5rem;list-style:none;padding:0;margin:1rem 0}
.counts li{border:1px solid var(--line);border-radius:6px;padding:.35rem .75rem}
.counts b{font-size:1.2rem;margin-right:.3rem}
article{border:1px solid var(--line);border-left-width:6px;border-radius:6px;padding:1rem;
margin:1rem 0;background:var(--card)}
.p1{border-left-color:var(--p1)}.p2{border-left-color:var(--p2)}.p3{border-left-color:var(--p3)}
.p4{border-left-color:var(--p4)}.p5{border-left-color:var(--p5)}
.tag{font-weight:700;margin-right:.5rem}
.p1 .tag,.tag.p1{color:var(--p1)}.p2 .tag,.tag.p2{color:var(--p2)}.p3 .tag,.tag.p3{color:var(--p3)}
.p4 .tag,.tag.p4{color:var(--p4)}.p5 .tag,.tag.p5{color:var(--p5)}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.1rem .9rem;margin:.6rem 0}
dt{color:var(--soft)}dd{margin:0}
section.alert{border-top:1px solid var(--line);margin-top:1rem;padding-top:.75rem}
.only section.alert{border:0;margin:0;padding:0}
details{margin:.6rem 0}summary{cursor:pointer}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.875rem;margin:.4rem 0}
th,td{border:1px solid var(--line);padding:.25rem .5rem;text-align:left;vertical-align:top}
th{background:var(--bg);overflow-wrap:normal}td{min-width:4rem;max-width:22rem}
.facts th{font-weight:400;color:var(--soft);white-space:nowrap}.facts td{max-width:none}
.glance{width:100%}.glance td:last-child{white-space:nowrap}.id{font-size:.8rem}
a{color:inherit}
@media (max-width:40rem){dl{grid-template-columns:minmax(0,1fr)}dt{margin-top:.3rem}
.facts th{white-space:normal;overflow-wrap:anywhere}}
@media print{:root{--fg:#000;--bg:#fff;--soft:#444;--line:#bbb;--p1:#a40e26;--p2:#bc4c00;
--p3:#7d4e00;--p4:#0550ae;--p5:#57606a}body{max-width:none;padding:0;font-size:11pt}
article{background:none}h3,h4{break-after:avoid}tr{break-inside:avoid}
.scroll{overflow:visible}details::details-content{content-visibility:visible;display:block}}
)css";

std::string Escaped(std::string_view text) { return EscapeHtml(text); }

std::string Time(Instant t) {
  const std::string iso = FormatRfc3339(t);
  std::string shown = iso.substr(0, 10) + " " + iso.substr(11, 8) + " UTC";
  return fmt::format("<time datetime=\"{}\">{}</time>", iso, shown);
}

std::string Times(Instant first, Instant last) {
  return first == last ? Time(first) : Time(first) + " to " + Time(last);
}

std::string StatusText(const std::string& status, const std::string& reason) {
  return reason.empty() ? status : status + " (" + reason + ")";
}

std::string PriorityClass(Priority priority) {
  return fmt::format("p{}", static_cast<int>(priority));
}

void AddList(std::string& html, std::string_view title, const std::vector<std::string>& items,
             bool ordered = false) {
  if (items.empty()) return;
  const char* tag = ordered ? "ol" : "ul";
  html += fmt::format("<h4>{}</h4><{}>", title, tag);
  for (const std::string& item : items) html += fmt::format("<li>{}</li>", Escaped(item));
  html += fmt::format("</{}>\n", tag);
}

void AddField(std::string& html, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  html += fmt::format("<dt>{}</dt><dd>{}</dd>", name, Escaped(text));
}

// Where: the distinct places and addresses that the evidence names.
std::string Places(const AlertView& alert) {
  std::vector<std::string> places;
  for (const EvidenceView& row : alert.evidence) {
    std::string place = row.Column("City");
    const std::string country = row.Column("CountryCode");
    if (!country.empty()) place += (place.empty() ? "" : ", ") + country;
    const std::string address = row.Column("IPAddress");
    if (!address.empty()) place += (place.empty() ? "" : ", ") + address;
    if (!place.empty() && std::find(places.begin(), places.end(), place) == places.end()) {
      places.push_back(place);
    }
  }
  std::string text;
  for (std::size_t i = 0; i < places.size() && i < 5; ++i) text += (i > 0 ? "; " : "") + places[i];
  if (places.size() > 5) text += fmt::format("; and {} more", places.size() - 5);
  return text;
}

// A few rows are read column by column; many are compared side by side.
void AddFacts(std::string& html, const EvidenceView& row) {
  html += "<div class=\"scroll\"><table class=\"facts\"><tbody>";
  for (const auto& [name, text] : row.columns) {
    if (text.empty()) continue;
    html +=
        fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>", Escaped(name), Escaped(text));
  }
  html += "</tbody></table></div>";
}

void AddRows(std::string& html, const std::vector<EvidenceView>& rows) {
  html += "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>";
  const auto& columns = rows.front().columns;
  for (const auto& [name, text] : columns) {
    html += fmt::format("<th scope=\"col\">{}</th>", Escaped(name));
  }
  html += "</tr></thead><tbody>";
  for (const EvidenceView& row : rows) {
    html += "<tr>";
    for (const auto& [name, text] : columns) {
      html += fmt::format("<td>{}</td>", Escaped(row.Column(name)));
    }
    html += "</tr>";
  }
  html += "</tbody></table></div>";
}

void AddEvidence(std::string& html, const AlertView& alert) {
  constexpr std::size_t kFew = 3;
  if (alert.evidence.empty()) return;
  const auto shown = static_cast<std::int64_t>(alert.evidence.size());
  html += fmt::format("<details><summary>Evidence: {}</summary>",
                      shown == alert.count
                          ? Counted(shown, "row")
                          : fmt::format("{} of {}", shown, Counted(alert.count, "row")));
  if (alert.evidence.size() <= kFew) {
    for (const EvidenceView& row : alert.evidence) AddFacts(html, row);
  } else {
    AddRows(html, alert.evidence);
  }
  html += "</details>\n";
}

// The columns of all rows: those of several tables differ.
std::vector<EvidenceView> SameColumns(std::vector<EvidenceView> rows) {
  std::vector<std::string> names;
  for (const EvidenceView& row : rows) {
    for (const auto& [name, text] : row.columns) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  for (EvidenceView& row : rows) {
    std::vector<std::pair<std::string, std::string>> columns;
    for (const std::string& name : names) columns.emplace_back(name, row.Column(name));
    row.columns = std::move(columns);
  }
  return rows;
}

void AddSources(std::string& html, const AlertView& alert) {
  for (const alerts::SourcesView& of : alert.sources) {
    html += fmt::format("<details><summary>Comes from {}</summary>", Escaped(Summary(of)));
    if (!of.rows.empty()) AddRows(html, SameColumns(of.rows));
    html += "</details>\n";
  }
}

std::string Techniques(const AlertView& alert) {
  std::string techniques;
  for (const std::string& technique : alert.techniques) {
    techniques += (techniques.empty() ? "" : ", ") + technique;
  }
  return techniques;
}

// What an alert says beside its title, time and status.
void AddStory(std::string& html, const AlertView& alert) {
  if (!alert.description.empty()) {
    html += fmt::format("<p class=\"soft\">{}</p>", Escaped(alert.description));
  }
  AddList(html, "Why this fired", alert.reasons);
  AddList(html, "Why this priority", alert.priority_why);
  AddList(html, "What to do", alert.next_steps, /*ordered=*/true);
  AddList(html, "When it is harmless", alert.false_positives);
  AddEvidence(html, alert);
  AddSources(html, alert);
}

// One of several alerts of an incident.
void AddAlert(std::string& html, const AlertView& alert) {
  html += "<section class=\"alert\">";
  html += fmt::format("<h3><span class=\"tag {}\">{}</span>{}</h3>", PriorityClass(alert.priority),
                      alerts::PriorityName(alert.priority), Escaped(alert.title));
  html += "<dl>";
  AddField(html, "Where", Places(alert));
  html += fmt::format("<dt>When</dt><dd>{} ({})</dd>", Times(alert.first_seen, alert.last_seen),
                      Counted(alert.count, "finding"));
  AddField(html, "Status", StatusText(alert.status, alert.closed_reason));
  AddField(html, "ATT&amp;CK", Techniques(alert));
  html += "</dl>";
  AddStory(html, alert);
  html += "</section>\n";
}

void AddIncident(std::string& html, const IncidentView& incident) {
  const AlertView* only = incident.alerts.size() == 1 ? &incident.alerts.front() : nullptr;
  html +=
      fmt::format("<article class=\"incident {}{}\" id=\"i-{}\">", PriorityClass(incident.priority),
                  only != nullptr ? " only" : "", Escaped(incident.id));
  html += fmt::format("<h3><span class=\"tag\">{}</span>{}</h3>",
                      alerts::PriorityName(incident.priority), Escaped(incident.title));
  html += "<dl>";
  AddField(html, "Who", incident.entity.name);
  AddField(html, "Tenant", incident.tenant);
  if (only != nullptr) AddField(html, "Where", Places(*only));
  html +=
      fmt::format("<dt>When</dt><dd>{} ({})</dd>", Times(incident.first_seen, incident.last_seen),
                  Counted(incident.Count(), "finding"));
  AddField(html, "Status", StatusText(incident.status, incident.closed_reason));
  if (only != nullptr) AddField(html, "ATT&amp;CK", Techniques(*only));
  html += "</dl>";
  if (only != nullptr) {
    html += "<section class=\"alert\">";
    AddStory(html, *only);
    html += "</section>\n";
  } else {
    for (const AlertView& alert : incident.alerts) AddAlert(html, alert);
  }
  html += fmt::format("<p class=\"soft id\">Incident {}</p></article>\n", Escaped(incident.id));
}

// All incidents on one screen, each a link to its story.
void AddGlance(std::string& html, const std::vector<IncidentView>& incidents) {
  if (incidents.size() < 2) return;
  html +=
      "<div class=\"scroll\" tabindex=\"0\"><table class=\"glance\"><thead><tr>"
      "<th scope=\"col\">Priority</th><th scope=\"col\">Who</th><th scope=\"col\">Tenant</th>"
      "<th scope=\"col\">What</th><th scope=\"col\">Last seen</th></tr></thead><tbody>";
  for (const IncidentView& incident : incidents) {
    std::string what = incident.alerts.empty() ? incident.title : incident.alerts.front().title;
    if (incident.alerts.size() > 1) {
      what += fmt::format(", and {} more", incident.alerts.size() - 1);
    }
    html += fmt::format(
        "<tr><td><span class=\"tag {}\">{}</span></td><td><a href=\"#i-{}\">{}</a></td><td>{}</td>"
        "<td>{}</td><td>{}</td></tr>",
        PriorityClass(incident.priority), alerts::PriorityName(incident.priority),
        Escaped(incident.id), Escaped(incident.entity.name), Escaped(incident.tenant),
        Escaped(what), Time(incident.last_seen));
  }
  html += "</tbody></table></div>\n";
}

void AddCounts(std::string& html, const Report& report) {
  std::map<Priority, std::size_t> counts;
  for (const IncidentView& incident : report.incidents) ++counts[incident.priority];
  html += "<ul class=\"counts\" aria-label=\"Incidents by priority\">";
  for (int p = 1; p <= 5; ++p) {
    const auto priority = static_cast<Priority>(p);
    html += fmt::format("<li class=\"count-{0}\"><span class=\"tag {0}\">{1}</span><b>{2}</b></li>",
                        PriorityClass(priority), alerts::PriorityName(priority), counts[priority]);
  }
  html += "</ul>\n";
}

void AddCoverage(std::string& html, const Report& report) {
  html += "<h2>What was read</h2>\n";
  for (const TenantCoverage& tenant : report.coverage) {
    html += fmt::format(
        "<h4>{}</h4><div class=\"scroll\" tabindex=\"0\"><table><thead><tr>"
        "<th scope=\"col\">Stream</th><th scope=\"col\">State</th>"
        "<th scope=\"col\">Complete to</th><th scope=\"col\">Events</th>"
        "<th scope=\"col\">Note</th></tr></thead><tbody>",
        Escaped(tenant.tenant));
    for (const StreamCoverage& stream : tenant.streams) {
      html += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                          Escaped(stream.name), Escaped(stream.state), Escaped(stream.complete_to),
                          stream.events, Escaped(stream.note));
    }
    html += "</tbody></table></div>\n";
  }
}

}  // namespace

std::string ReportHtml(const Report& report) {
  std::string html;
  html.reserve(4096 + report.incidents.size() * 8192);
  html +=
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n"
      "<title>Picket report</title>\n<style>";
  html += kStyle;
  html += "</style></head>\n<body>\n<header><h1>Picket report</h1>";
  html += fmt::format("<p class=\"soft\">{} in {}, made {} by Picket {}</p></header>\n",
                      Counted(std::ssize(report.incidents), "incident"),
                      Counted(std::ssize(report.coverage), "tenant"), Time(report.generated),
                      Escaped(report.version));
  html += "<main>\n";
  AddCounts(html, report);
  html += "<h2>Incidents</h2>\n";
  if (report.incidents.empty()) {
    html += "<p>Nothing was found in what was read. The table below says what that was.</p>\n";
  }
  AddGlance(html, report.incidents);
  for (const IncidentView& incident : report.incidents) AddIncident(html, incident);
  AddCoverage(html, report);
  html += "</main>\n</body></html>\n";
  return html;
}

}  // namespace picket::outputs

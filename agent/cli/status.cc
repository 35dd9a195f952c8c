// picket status

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "agent/alerts/rule_status.h"
#include "agent/cli/context.h"
#include "agent/cli/output_status.h"
#include "agent/poll/poller.h"
#include "agent/run/rules_loader.h"
#include "agent/run/tenant_files.h"
#include "base/clock.h"
#include "base/text.h"

namespace picket::cli {
namespace {

using nlohmann::json;

struct TenantStatus {
  std::string name;
  std::string state;  // ok | waiting | degraded | unreadable
  std::string error;
  std::vector<poll::StreamStatus> streams;
  std::vector<alerts::RuleStatus> rules;
  storage::OutboxDepth outbox;
  int exit_code = 0;  // of one that cannot be read
};

void Unreadable(TenantStatus& status, const Error& error) {
  status.state = "unreadable";
  status.error = WithHint(error.message, error.hint);
  status.exit_code = ExitCodeFor(error.kind);
}

TenantStatus StatusOf(const run::Settings& settings, const run::RuleBook& book,
                      const run::Tenant& tenant) {
  TenantStatus status{.name = tenant.name, .state = "waiting"};
  auto store = run::OpenTenant(settings, tenant.id, /*read_only=*/true);
  if (!store) {
    if (store.error().kind != ErrorKind::kNotFound) Unreadable(status, store.error());
    return status;
  }
  auto streams = poll::ReadStatus(**store, run::StreamsOf(tenant), settings.poll);
  auto outbox = (*store)->outbox().Depth();
  auto rules = alerts::ReadRuleStatus(**store, book.rules);
  if (!streams || !outbox || !rules) {
    Unreadable(status, !streams ? streams.error() : !outbox ? outbox.error() : rules.error());
    return status;
  }
  status.rules = *std::move(rules);
  status.streams = *std::move(streams);
  status.outbox = *outbox;
  status.state = "ok";
  for (const poll::StreamStatus& stream : status.streams) {
    if (stream.state != "ok" && stream.state != "off" && stream.state != "waiting") {
      status.state = "degraded";
    }
  }
  return status;
}

std::string TimeText(const std::optional<Instant>& t) { return t ? FormatRfc3339(*t) : ""; }

json TimeJson(const std::optional<Instant>& t) { return t ? json(FormatRfc3339(*t)) : json(); }

json RulesJson(const TenantStatus& tenant) {
  json rules = json::array();
  for (const alerts::RuleStatus& rule : tenant.rules) rules.push_back(alerts::ToJson(rule));
  return rules;
}

std::string StatusJson(const std::vector<TenantStatus>& tenants,
                       const std::vector<OutputStatus>& outputs) {
  json list = json::array();
  for (const TenantStatus& tenant : tenants) {
    json streams = json::array();
    for (const poll::StreamStatus& s : tenant.streams) {
      json holes = json::array();
      for (const poll::Hole& hole : s.holes) {
        holes.push_back({{"from", FormatRfc3339(hole.from)},
                         {"to", FormatRfc3339(hole.to)},
                         {"state", hole.state},
                         {"why", hole.why}});
      }
      streams.push_back({{"name", s.name},
                         {"state", s.state},
                         {"reason", s.reason},
                         {"licensed", s.licensed},
                         {"read_to", TimeJson(s.read_to)},
                         {"complete_to", TimeJson(s.complete_to)},
                         {"reconciled_to", TimeJson(s.reconciled_to)},
                         {"events", s.events},
                         {"late", s.late},
                         {"rejected", s.rejected},
                         {"expired", s.expired},
                         {"deleted", s.deleted},
                         {"holes", std::move(holes)},
                         {"last_success", TimeJson(s.last_success)},
                         {"last_error", s.last_error}});
    }
    json object = {{"name", tenant.name},
                   {"state", tenant.state},
                   {"streams", std::move(streams)},
                   {"rules", RulesJson(tenant)},
                   {"outbox", {{"pending", tenant.outbox.pending}, {"dead", tenant.outbox.dead}}}};
    if (!tenant.error.empty()) object["error"] = tenant.error;
    list.push_back(std::move(object));
  }
  json ways = json::array();
  for (const OutputStatus& output : outputs) ways.push_back(ToJson(output));
  return JsonLine({{"tenants", std::move(list)}, {"outputs", std::move(ways)}});
}

// Why the stream is as it is, and what is missing of it.
std::string NoteOf(const poll::StreamStatus& stream) {
  std::string note = stream.reason;
  if (stream.holes.empty()) return note;
  const poll::Hole& newest = stream.holes.front();
  if (!note.empty()) note += "; ";
  note += fmt::format("{} {} to {}", newest.state, FormatRfc3339(newest.from),
                      FormatRfc3339(newest.to));
  if (stream.holes.size() > 1) note += fmt::format(" and {} more", stream.holes.size() - 1);
  return note;
}

// "2 partial, 1 given up"
std::string TicksText(const alerts::RuleStatus& rule) {
  std::string text;
  const auto add = [&](std::int64_t count, const char* what) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
  };
  add(rule.partial, "partial");
  add(rule.dirty, "dirty");
  add(rule.given_up, "given up");
  return text;
}

TextTable StatusTable(const std::vector<TenantStatus>& tenants) {
  TextTable table{{"TENANT", "STREAM", "STATE", "READ TO", "COMPLETE TO", "EVENTS", "LATE", "NOTE"},
                  {}};
  for (const TenantStatus& tenant : tenants) {
    if (tenant.streams.empty()) {
      table.rows.push_back({tenant.name, "", tenant.state, "", "", "", "", tenant.error});
    }
    for (const poll::StreamStatus& s : tenant.streams) {
      table.rows.push_back({tenant.name, s.name, s.state, TimeText(s.read_to),
                            TimeText(s.complete_to), std::to_string(s.events),
                            std::to_string(s.late), NoteOf(s)});
    }
    // Of the rules only those that have something to tell.
    for (const alerts::RuleStatus& rule : tenant.rules) {
      const std::string ticks = TicksText(rule);
      if (ticks.empty()) continue;
      table.rows.push_back({tenant.name, "rule " + rule.title, ticks, TimeText(rule.evaluated), "",
                            "", "", rule.note});
    }
  }
  return table;
}

std::string MetricHead(std::string_view name, std::string_view type, std::string_view help) {
  return fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

// For node_exporter's textfile collector.
std::string StatusPrometheus(const std::vector<TenantStatus>& tenants) {
  std::string tenant_ok =
      MetricHead("picket_tenant_ok", "gauge",
                 "1 when the tenant's data can be read and every stream that is not off is ok.");
  std::string events = MetricHead("picket_stream_events", "gauge", "Events that are stored.");
  std::string up = MetricHead("picket_stream_ok", "gauge", "1 when the stream's state is ok.");
  std::string read_to = MetricHead("picket_stream_read_to_seconds", "gauge",
                                   "Unix time up to which the stream is read without a break.");
  std::string late = MetricHead(
      "picket_stream_late_events", "counter",
      "Events that came into a part that counted as read, as far as the ledger reaches.");
  std::string holes =
      MetricHead("picket_stream_holes", "gauge", "Parts that were lost or are stuck, 20 at most.");
  std::string ticks = MetricHead("picket_rule_ticks", "gauge",
                                 "Ticks of the rule that are not evaluated for good.");
  std::string evaluated = MetricHead("picket_rule_evaluated_seconds", "gauge",
                                     "Unix time up to which the rule is evaluated.");
  for (const TenantStatus& tenant : tenants) {
    tenant_ok += fmt::format("picket_tenant_ok{{tenant=\"{}\"}} {}\n", tenant.name,
                             tenant.state == "ok" ? 1 : 0);
    for (const alerts::RuleStatus& rule : tenant.rules) {
      const std::string labels = fmt::format("tenant=\"{}\",rule=\"{}\"", tenant.name, rule.id);
      const auto add = [&](const char* state, std::int64_t count) {
        ticks += fmt::format("picket_rule_ticks{{{},state=\"{}\"}} {}\n", labels, state, count);
      };
      if (rule.way == rules::Way::kByTick) {
        add("partial", rule.partial);
        add("dirty", rule.dirty);
        add("given_up", rule.given_up);
      }
      if (rule.evaluated) {
        evaluated += fmt::format("picket_rule_evaluated_seconds{{{}}} {}\n", labels,
                                 rule.evaluated->UnixMillis() / 1000);
      }
    }
    for (const poll::StreamStatus& s : tenant.streams) {
      const std::string labels =
          fmt::format("{{tenant=\"{}\",stream=\"{}\"}}", tenant.name, s.name);
      events += fmt::format("picket_stream_events{} {}\n", labels, s.events);
      up += fmt::format("picket_stream_ok{} {}\n", labels, s.state == "ok" ? 1 : 0);
      late += fmt::format("picket_stream_late_events{} {}\n", labels, s.late);
      holes += fmt::format("picket_stream_holes{} {}\n", labels, s.holes.size());
      if (s.read_to) {
        read_to += fmt::format("picket_stream_read_to_seconds{} {}\n", labels,
                               s.read_to->UnixMillis() / 1000);
      }
    }
  }
  return tenant_ok + events + up + read_to + late + holes + ticks + evaluated;
}

void Status(Context& context) {
  const auto settings = LoadSettings(context);
  if (!settings) return;
  const run::RuleBook book = run::LoadRuleBook(*settings);
  std::vector<TenantStatus> tenants;
  for (const run::Tenant& tenant : settings->tenants) {
    tenants.push_back(StatusOf(*settings, book, tenant));
  }
  const auto outputs = ReadOutputStatus(*settings);
  if (!outputs) {
    Failed(context, outputs.error());
    return;
  }
  std::size_t unreadable = 0;
  for (const TenantStatus& tenant : tenants) {
    if (tenant.exit_code == 0) continue;
    ++unreadable;
    context.exit_code = tenant.exit_code;
  }
  if (unreadable > 0 && unreadable < tenants.size()) context.exit_code = 3;
  switch (context.format) {
    case Format::kJson:
      WriteAll(StatusJson(tenants, *outputs), stdout);
      break;
    case Format::kPrometheus:
      WriteAll(StatusPrometheus(tenants) + OutputMetrics(*outputs), stdout);
      break;
    case Format::kCsv:
      PrintCsv(StatusTable(tenants), stdout);
      break;
    case Format::kTable:
      PrintTable(StatusTable(tenants), stdout);
      if (!outputs->empty()) {
        WriteAll("\n", stdout);
        PrintTable(OutputTable(*outputs, SystemClock().Now()), stdout);
      }
      break;
  }
}

}  // namespace

void AddStatus(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand(
      "status", "How far each stream is read and each rule evaluated, and what waits for outputs");
  AddConfigOption(*verb, context);
  AddFormatOption(*verb, context, {"table", "json", "csv", "prometheus"});
  verb->footer(
      "Examples:\n  picket status --config picket.toml\n"
      "  picket status --format prometheus > /var/lib/node_exporter/picket.prom");
  verb->callback([&context] { Status(context); });
}

}  // namespace picket::cli

#include "agent/cli/output_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "agent/outputs/make_output.h"
#include "agent/run/tenant_files.h"
#include "base/clock.h"
#include "base/http.h"

namespace picket::cli {
namespace {

using nlohmann::json;

using Queues = std::map<std::string, storage::OutputQueue>;

void Add(const std::vector<storage::OutputQueue>& queues, Queues& all) {
  for (const storage::OutputQueue& queue : queues) {
    storage::OutputQueue& sum = all[queue.output];
    sum.depth.pending += queue.depth.pending;
    sum.depth.dead += queue.depth.dead;
    if (queue.oldest && (!sum.oldest || *queue.oldest < *sum.oldest)) sum.oldest = queue.oldest;
  }
}

json TimeJson(const std::optional<Instant>& t) { return t ? json(FormatRfc3339(*t)) : json(); }

std::string StateOf(const OutputStatus& output) {
  if (output.type.empty()) return "gone";
  if (output.delivery.failing_since) return "failing";
  return output.depth.pending > 0 ? "waiting" : "ok";
}

OutputStatus StatusOf(const std::string& name, const storage::OutputQueue& queue,
                      storage::OutputState delivery) {
  return {.name = name,
          .type = {},
          .where = {},
          .state = {},
          .depth = queue.depth,
          .oldest = queue.oldest,
          .delivery = std::move(delivery)};
}

}  // namespace

Result<std::vector<OutputStatus>> ReadOutputStatus(const run::Settings& settings) {
  const SystemClock system;
  const Instant now = system.Now();
  Queues queues;
  for (const run::Tenant& tenant : settings.tenants) {
    auto store = run::OpenTenant(settings, tenant.id, /*read_only=*/true);
    if (!store) continue;
    if (const auto found = (*store)->outbox().Queues(now)) Add(*found, queues);
  }
  auto agent = storage::AgentStore::OpenToRead(settings.data_dir);
  if (!agent && agent.error().kind != ErrorKind::kNotFound) return Fail(agent.error());
  if (agent) {
    PK_ASSIGN_OR_RETURN(const std::vector<storage::OutputQueue> own, (*agent)->Queues(now));
    Add(own, queues);
  }
  PK_ASSIGN_OR_RETURN(const std::unique_ptr<HttpTransport> network,
                      MakeHttpTransport(settings.network));
  SystemClock clock;
  std::vector<OutputStatus> all;
  for (const outputs::OutputSettings& output : settings.outputs) {
    storage::OutputState delivery;
    if (agent) {
      PK_ASSIGN_OR_RETURN(delivery, (*agent)->Output(output.name));
    }
    OutputStatus status = StatusOf(output.name, queues[output.name], std::move(delivery));
    status.type = outputs::TypeOf(output);
    status.where = outputs::MakeOutput(output, *network, clock)->Where();
    status.state = StateOf(status);
    all.push_back(std::move(status));
    queues.erase(output.name);
  }
  for (const auto& [name, queue] : queues) {
    all.push_back(StatusOf(name, queue, {}));
    all.back().state = "gone";
    all.back().delivery.error = "the config has no such output any more";
    all.back().delivery.hint = "Its entries wait; give an output this name to deliver them.";
  }
  return all;
}

json ToJson(const OutputStatus& output) {
  const storage::OutputState& delivery = output.delivery;
  return {{"name", output.name},
          {"type", output.type},
          {"to", output.where},
          {"state", output.state},
          {"pending", output.depth.pending},
          {"dead", output.depth.dead},
          {"oldest", TimeJson(output.oldest)},
          {"not_before",
           delivery.not_before.ticks > 0 ? json(FormatRfc3339(delivery.not_before)) : json()},
          {"failing_since", TimeJson(delivery.failing_since)},
          {"last_success", TimeJson(delivery.last_success)},
          {"last_error", delivery.error},
          {"hint", delivery.hint}};
}

TextTable OutputTable(const std::vector<OutputStatus>& outputs, Instant now) {
  TextTable table{{"OUTPUT", "TYPE", "STATE", "PENDING", "DEAD", "OLDEST", "LAST SUCCESS", "NOTE"},
                  {}};
  for (const OutputStatus& output : outputs) {
    const Timespan age = output.oldest ? now - *output.oldest : Timespan{};
    const std::string oldest =
        output.oldest ? FormatTimespan(Timespan{age.ticks / kMinute.ticks * kMinute.ticks}) : "";
    table.rows.push_back(
        {output.name, output.type, output.state, std::to_string(output.depth.pending),
         std::to_string(output.depth.dead), oldest,
         output.delivery.last_success ? FormatRfc3339(*output.delivery.last_success) : "",
         output.delivery.error.empty() ? ""
                                       : WithHint(output.delivery.error, output.delivery.hint)});
  }
  return table;
}

std::string OutputMetrics(const std::vector<OutputStatus>& outputs) {
  std::string ok =
      "# HELP picket_output_ok 1 when the last try of the output went through.\n"
      "# TYPE picket_output_ok gauge\n";
  std::string pending =
      "# HELP picket_output_pending Messages that wait for the output.\n"
      "# TYPE picket_output_pending gauge\n";
  std::string dead =
      "# HELP picket_output_dead Messages that could not be delivered.\n"
      "# TYPE picket_output_dead gauge\n";
  for (const OutputStatus& output : outputs) {
    const bool good = output.state == "ok" || output.state == "waiting";
    ok += fmt::format("picket_output_ok{{output=\"{}\"}} {}\n", output.name, good ? 1 : 0);
    pending += fmt::format("picket_output_pending{{output=\"{}\"}} {}\n", output.name,
                           output.depth.pending);
    dead += fmt::format("picket_output_dead{{output=\"{}\"}} {}\n", output.name, output.depth.dead);
  }
  return ok + pending + dead;
}

}  // namespace picket::cli

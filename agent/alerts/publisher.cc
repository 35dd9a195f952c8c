#include "agent/alerts/publisher.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/alerts/load_views.h"
#include "base/text.h"
#include "base/utf8.h"

namespace picket::alerts {
namespace {

using nlohmann::json;

std::string Dump(const json& object) {
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

json WithLess(const IncidentView& incident, std::size_t alerts, std::size_t rows) {
  IncidentView less = incident;
  if (less.alerts.size() > alerts) less.alerts.resize(alerts);
  std::vector<std::size_t> omitted;
  for (AlertView& alert : less.alerts) {
    omitted.push_back(alert.evidence.size() > rows ? alert.evidence.size() - rows : 0);
    if (alert.evidence.size() > rows) alert.evidence.resize(rows);
    if (alert.sources.size() > rows) alert.sources.resize(rows);
    for (SourcesView& of : alert.sources) {  // their summaries still say how many events there are
      if (of.rows.size() > rows) of.rows.resize(rows);
    }
  }
  json object = ToJson(less, /*with_evidence=*/true);
  object["count"] = incident.Count();
  for (std::size_t i = 0; i < omitted.size(); ++i) {
    if (omitted[i] > 0) object["alerts"][i]["evidence_omitted"] = omitted[i];
  }
  if (incident.alerts.size() > less.alerts.size()) {
    object["alerts_omitted"] = incident.alerts.size() - less.alerts.size();
  }
  return object;
}

// Every text to a line, every list to a few.
void Clip(json& value) {
  constexpr std::size_t kLine = 256;
  constexpr std::size_t kFew = 5;
  if (value.is_string()) {
    auto& text = value.get_ref<std::string&>();
    if (text.size() > kLine) text = std::string(Utf8Prefix(text, kLine)) + "\u2026";
  }
  if (value.is_array() && value.size() > kFew) {
    value.erase(value.begin() + static_cast<std::ptrdiff_t>(kFew), value.end());
  }
  if (value.is_structured()) {
    for (json& item : value) Clip(item);
  }
}

// What a reader must know at once: how bad, whether it is over, and which alerts there are.
std::string OutlineOf(const IncidentView& incident) {
  std::string outline = incident.status + " " + PriorityName(incident.priority);
  std::vector<std::string> alerts;
  for (const AlertView& alert : incident.alerts) alerts.push_back(alert.id + " " + alert.status);
  std::sort(alerts.begin(), alerts.end());
  for (const std::string& alert : alerts) outline += "\n" + alert;
  return Sha256Hex(outline);
}

}  // namespace

json ToBoundedJson(const IncidentView& incident, std::size_t most) {
  struct Size {
    std::size_t alerts, rows;
  };
  static constexpr Size kSizes[] = {{1000, 100}, {1000, 20}, {1000, 5}, {1000, 1},
                                    {1000, 0},   {20, 0},    {5, 0}};
  for (const Size& size : kSizes) {
    json object = WithLess(incident, size.alerts, size.rows);
    if (Dump(object).size() <= most) return object;
  }
  // Texts that are as long as this are nobody's reading.
  json object = WithLess(incident, 1, 0);
  Clip(object);
  if (Dump(object).size() > most) object.erase("alerts");
  return object;
}

Publisher::Publisher(storage::TenantStore& store, const Guid& tenant, Telling telling)
    : store_(store), tenant_(tenant), telling_(std::move(telling)) {}

Status Publisher::Begin(Instant now) {
  PK_ASSIGN_OR_RETURN(const std::optional<Instant> from, store_.publications().TellFrom());
  if (from) return {};
  PK_ASSIGN_OR_RETURN(storage::Transaction transaction, store_.Begin());
  PK_RETURN_IF_ERROR(store_.publications().SetTellFrom(now - kHour));
  return transaction.Commit();
}

Status Publisher::Tell(const std::string& id, Instant now) {
  if (telling_.to.empty()) return {};
  PK_ASSIGN_OR_RETURN(const std::optional<IncidentView> incident,
                      LoadIncident(store_, telling_.tenant, id));
  PK_CHECK(incident.has_value(), "what is told of is there");
  PK_ASSIGN_OR_RETURN(const std::vector<std::string> outputs, Concerned(*incident, now));
  if (outputs.empty()) return {};
  const std::string body = Dump(ToBoundedJson(*incident, kMostTold));
  bool at_once = true;
  PK_ASSIGN_OR_RETURN(const storage::Publication state, Publish(*incident, body, at_once));
  for (const std::string& output : outputs) {
    // The revision, because a state may come again after another; the digest, because a restored
    // file counts again from an earlier one.
    storage::OutboxEntry entry{
        .id = ToString(Uuid5(tenant_, fmt::format("delivery\n{}\n{}\n{}\n{}", output, id,
                                                  state.revision, state.digest))),
        .output = output,
        .incident = id,
        .kind = incident->status == "closed" ? "incident.closed" : "incident",
        .priority = static_cast<int>(incident->priority),
        .body = body,
        .created = now};
    if (!at_once) {
      PK_ASSIGN_OR_RETURN(const std::optional<storage::Delivery> last,
                          store_.outbox().LastDelivery(output, id));
      if (last) entry.not_before = last->delivered + kTellAgain;
    }
    PK_RETURN_IF_ERROR(store_.outbox().Put(entry));
  }
  return {};
}

// What an output was told of, it is told to the end, however harmless that turns out.
Result<std::vector<std::string>> Publisher::Concerned(const IncidentView& incident, Instant now) {
  PK_ASSIGN_OR_RETURN(const std::optional<Instant> from, store_.publications().TellFrom());
  const bool news = incident.last_seen >= from.value_or(now - kHour) ||
                    (incident.priority == Priority::kP1 && incident.last_seen > now - kTellHistory);
  std::vector<std::string> outputs;
  for (const Destination& destination : telling_.to) {
    PK_ASSIGN_OR_RETURN(const bool knows, store_.outbox().Knows(destination.output, incident.id));
    const bool new_to_it =
        news && incident.status != "closed" && incident.priority <= destination.min_priority;
    if (knows || new_to_it) outputs.push_back(destination.output);
  }
  return outputs;
}

Result<storage::Publication> Publisher::Publish(const IncidentView& incident,
                                                const std::string& body, bool& at_once) {
  PK_ASSIGN_OR_RETURN(const std::optional<storage::Publication> last,
                      store_.publications().Of(incident.id));
  storage::Publication state = last.value_or(storage::Publication{});
  const std::string outline = OutlineOf(incident);
  at_once = state.outline != outline;
  const std::string digest = Sha256Hex(body);
  if (state.digest == digest) return state;
  ++state.revision;
  state.digest = digest;
  state.outline = outline;
  PK_RETURN_IF_ERROR(store_.publications().Put(incident.id, state));
  return state;
}

}  // namespace picket::alerts

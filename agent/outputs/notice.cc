#include "agent/outputs/notice.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace picket::outputs {
namespace {

using nlohmann::json;

const json& Member(const json& object, const char* name) {
  static const json none;
  if (!object.is_object()) return none;
  const auto found = object.find(name);
  return found == object.end() ? none : *found;
}

std::string Text(const json& object, const char* name) {
  const json& member = Member(object, name);
  return member.is_string() ? member.get<std::string>() : std::string();
}

std::int64_t Number(const json& object, const char* name) {
  const json& member = Member(object, name);
  return member.is_number_integer() ? member.get<std::int64_t>() : 0;
}

std::vector<std::string> Texts(const json& object, const char* name) {
  std::vector<std::string> texts;
  const json& member = Member(object, name);
  if (!member.is_array()) return texts;
  for (const json& item : member) {
    if (item.is_string()) texts.push_back(item.get<std::string>());
  }
  return texts;
}

std::optional<Instant> Time(const json& object, const char* name) {
  const Result<Instant> time = ParseRfc3339(Text(object, name));
  return time ? std::optional<Instant>(*time) : std::nullopt;
}

void AddOnce(std::vector<std::string>& list, std::string text) {
  if (!text.empty() && std::find(list.begin(), list.end(), text) == list.end()) {
    list.push_back(std::move(text));
  }
}

void TakeAlert(const json& alert, Notice& notice) {
  AddOnce(notice.rules, Text(alert, "rule"));
  for (std::string& step : Texts(alert, "next_steps")) AddOnce(notice.next_steps, std::move(step));
  const json& evidence = Member(alert, "evidence");
  if (!evidence.is_array()) return;
  for (const json& one : evidence) {
    const json& row = Member(one, "row");
    AddOnce(notice.addresses, Text(row, "IPAddress"));
    std::string place = Text(row, "City");
    const std::string country = Text(row, "CountryCode");
    if (!country.empty()) place += (place.empty() ? "" : ", ") + country;
    AddOnce(notice.places, std::move(place));
  }
}

void TakeLines(const json& body, Notice& notice) {
  const json& incidents = Member(body, "incidents");
  if (!incidents.is_array()) return;
  notice.listed_of = Number(body, "count");
  for (const json& one : incidents) {
    notice.lines.push_back(
        fmt::format("{} {} ({})", Text(one, "priority"), Text(one, "title"), Text(one, "status")));
  }
}

std::string Joined(const std::vector<std::string>& list, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < list.size() && i < most; ++i) text += (i > 0 ? ", " : "") + list[i];
  if (list.size() > most) text += fmt::format(" and {} more", list.size() - most);
  return text;
}

}  // namespace

Notice NoticeOf(const Message& message) {
  const json body = json::parse(message.body, nullptr, /*allow_exceptions=*/false);
  const json& entity = Member(body, "entity");
  Notice notice{.type = message.type,
                .id = Text(body, "id"),
                .title = Text(body, "title"),
                .priority = Text(body, "priority"),
                .severity = Text(body, "severity"),
                .status = Text(body, "status"),
                .closed_reason = Text(body, "closed_reason"),
                .tenant = Text(body, "tenant"),
                .entity_type = Text(entity, "type"),
                .entity_id = Text(entity, "id"),
                .entity_name = Text(entity, "name"),
                .text = Text(body, "text"),
                .hint = Text(body, "hint"),
                .first_seen = Time(body, "first_seen"),
                .last_seen = Time(body, "last_seen"),
                .count = Number(body, "count"),
                .rules = {},
                .techniques = Texts(body, "techniques"),
                .reasons = Texts(body, "reasons"),
                .next_steps = {},
                .addresses = {},
                .places = {},
                .lines = {}};
  const json& alerts = Member(body, "alerts");
  if (alerts.is_array()) {
    for (const json& alert : alerts) TakeAlert(alert, notice);
  }
  TakeLines(body, notice);
  return notice;
}

std::string Notice::Headline() const {
  std::string what;
  if (type == kUpdated) what = "Update: ";
  if (type == kClosed) what = "Closed: ";
  if (type == kTest) what = "TEST, nothing happened: ";
  return fmt::format("[{}] {}{}", priority.empty() ? "P5" : priority, what, title);
}

std::vector<std::pair<std::string, std::string>> Notice::Facts() const {
  std::vector<std::pair<std::string, std::string>> facts;
  const auto add = [&facts](const char* name, std::string value) {
    if (!value.empty()) facts.emplace_back(name, std::move(value));
  };
  add("Tenant", tenant);
  add("Who", entity_name);
  add("Where", Joined(places, 3));
  add("Addresses", Joined(addresses, 5));
  if (first_seen && last_seen) {
    const std::string first = FormatRfc3339(*first_seen), last = FormatRfc3339(*last_seen);
    add("When", first == last ? first : first + " to " + last);
  }
  add("Status", closed_reason.empty() ? status : status + " (" + closed_reason + ")");
  add("Severity", severity);
  if (count > 0 && lines.empty()) add("Findings", std::to_string(count));
  add("ATT&CK", Joined(techniques, 8));
  add("Rule", Joined(rules, 3));
  add("Id", id);
  return facts;
}

}  // namespace picket::outputs

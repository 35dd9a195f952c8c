#include "agent/config/outputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/http.h"
#include "base/text.h"

namespace picket::config {
namespace {

using outputs::SyslogFormat;
using outputs::WebhookFormat;

// For Teams and Slack whoever knows the URL may post: it is the secret.
void ReadUrl(TomlTable& t, outputs::WebhookSettings& webhook) {
  const std::string text = t.RequiredText("url");
  if (text.empty()) return;
  if (text.substr(0, 2) == "@{") {
    webhook.url_ref = t.Secret("url");
    return;
  }
  webhook.url = t.Url("url", "");
  const Result<Origin> origin = ParseOrigin(webhook.url);
  if (webhook.format != WebhookFormat::kStandard && origin && !IsLoopback(*origin)) {
    t.Complain("url", "the 'url' of a Teams or Slack webhook is a secret, and stands here open",
               "Write a reference: url = \"@{file:/etc/picket/webhook-url}\".");
  }
}

outputs::WebhookSettings ReadWebhook(TomlTable& t) {
  outputs::WebhookSettings webhook;
  const std::string format =
      t.OneOf("format", {"standard-webhooks", "teams", "slack"}, "standard-webhooks");
  webhook.format = format == "teams"   ? WebhookFormat::kTeams
                   : format == "slack" ? WebhookFormat::kSlack
                                       : WebhookFormat::kStandard;
  ReadUrl(t, webhook);
  webhook.secret = t.Secret("secret");
  if (webhook.secret && webhook.format != WebhookFormat::kStandard) {
    t.Complain("secret", "only the format standard-webhooks is signed",
               "Remove 'secret', or write format = \"standard-webhooks\".");
  }
  webhook.timeout = t.Span("timeout", webhook.timeout, kSecond, kMinute * 2);
  return webhook;
}

// "udp://host:514", "tcp://[::1]:601", "/dev/log".
std::optional<SocketAddress> ParseAddress(std::string_view text) {
  if (text.substr(0, 1) == "/") return SocketAddress{.path = std::string(text)};
  SocketAddress address;
  if (text.substr(0, 6) == "udp://") {
    address.kind = SocketKind::kUdp;
  } else if (text.substr(0, 6) == "tcp://") {
    address.kind = SocketKind::kTcp;
  } else {
    return std::nullopt;
  }
  // As the host and port of a URL.
  const std::string as_url = "http://" + std::string(text.substr(6));
  const Result<Origin> origin = ParseOrigin(as_url);
  const bool bare = text.find_first_of("/?#", 6) == std::string_view::npos;
  if (!origin || !bare) return std::nullopt;
  address.host = origin->host;
  const std::size_t colon = text.rfind(':');
  const bool has_port = colon > 5 && text.find(']', colon) == std::string_view::npos;
  address.port = has_port ? origin->port : address.kind == SocketKind::kUdp ? 514 : 601;
  return address;
}

outputs::SyslogSettings ReadSyslog(TomlTable& t) {
  outputs::SyslogSettings syslog;
  const std::string text = t.Text("address", "/dev/log");
  if (const auto address = ParseAddress(text)) {
    syslog.to = *address;
  } else {
    t.Complain("address", "'address' is no place that takes syslog",
               "Write \"udp://HOST:514\", \"tcp://HOST:601\", or a local socket: \"/dev/log\".");
  }
  syslog.format = t.OneOf("format", {"rfc5424", "cef"}, "rfc5424") == "cef"
                      ? SyslogFormat::kCef
                      : SyslogFormat::kRfc5424;
  syslog.facility = static_cast<int>(t.Integer("facility", syslog.facility, 0, 23));
  syslog.enterprise = std::to_string(t.Integer("enterprise_id", 32473, 1, 4'294'967'295));
  const bool datagram = syslog.to.kind == SocketKind::kUdp;
  syslog.max_bytes =
      static_cast<std::size_t>(t.Integer("max_bytes", datagram ? 2048 : 8192, 1024, 65'000));
  syslog.timeout = t.Span("timeout", syslog.timeout, kSecond, kMinute * 2);
  return syslog;
}

nlohmann::json OutputJson(const outputs::OutputSettings& output) {
  nlohmann::json object = {{"name", output.name},
                           {"type", outputs::TypeOf(output)},
                           {"min_priority", alerts::PriorityName(output.min_priority)},
                           {"tenants", output.tenants},
                           {"give_up_after", FormatTimespan(output.give_up_after)}};
  if (const auto* webhook = std::get_if<outputs::WebhookSettings>(&output.way)) {
    static constexpr const char* kFormats[] = {"standard-webhooks", "teams", "slack"};
    object["format"] = kFormats[static_cast<std::size_t>(webhook->format)];
    object["url"] = webhook->url_ref ? RefText(webhook->url_ref) : webhook->url;
    object["secret"] = RefText(webhook->secret);
    object["timeout"] = FormatTimespan(webhook->timeout);
  } else if (const auto* syslog = std::get_if<outputs::SyslogSettings>(&output.way)) {
    object["format"] = syslog->format == SyslogFormat::kCef ? "cef" : "rfc5424";
    object["address"] = ToString(syslog->to);
    object["facility"] = syslog->facility;
    object["enterprise_id"] = syslog->enterprise;
    object["max_bytes"] = syslog->max_bytes;
    object["timeout"] = FormatTimespan(syslog->timeout);
  }
  return object;
}

bool IsGoodName(const std::string& name) {
  return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

nlohmann::json OutputsJson(const run::Settings& settings) {
  nlohmann::json list = nlohmann::json::array();
  for (const outputs::OutputSettings& output : settings.outputs) {
    list.push_back(OutputJson(output));
  }
  return list;
}

void OutputReader::Read(TomlTable& t) {
  outputs::OutputSettings output;
  output.name = t.RequiredText("name");
  if (!output.name.empty() && !IsGoodName(output.name)) {
    t.Complain("name", "an output's name is made of a-z, 0-9 and -, at most 63 of them");
  }
  const std::string type = t.OneOf("type", {"webhook", "syslog"}, "");
  if (!t.Has("type"))
    t.Complain("type", "'type' of [output] is missing", "Write webhook or syslog.");
  const std::string priority = t.OneOf("min_priority", {"P1", "P2", "P3", "P4", "P5"}, "P5");
  output.min_priority = alerts::ParsePriority(priority).value_or(output.min_priority);
  output.tenants = t.Texts("tenants");
  if (t.IsEmptyList("tenants")) {
    t.Complain("tenants", "'tenants' names none, so that nothing would be told",
               "Name some, or leave 'tenants' out for all.");
  }
  output.give_up_after = t.Span("give_up_after", output.give_up_after, kHour, kDay * 30);
  if (type == "syslog") {
    output.way = ReadSyslog(t);
  } else if (type == "webhook") {
    output.way = ReadWebhook(t);
  }
  places_.push_back({.name = t.PlaceOf("name"), .tenants = t.PlaceOf("tenants")});
  settings_.outputs.push_back(std::move(output));
}

void OutputReader::Check(Problems& problems) const {
  const auto complain = [&problems](const Place& at, std::string message, std::string hint) {
    problems.push_back({.file = at.file,
                        .line = at.line,
                        .column = at.column,
                        .message = std::move(message),
                        .hint = std::move(hint)});
  };
  std::vector<std::string_view> tenants;
  for (const run::Tenant& tenant : settings_.tenants) tenants.push_back(tenant.name);
  std::map<std::string, Place> names;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const outputs::OutputSettings& output = settings_.outputs[i];
    const auto [first, is_new] = names.emplace(output.name, places_[i].name);
    if (!is_new && !output.name.empty()) {
      complain(places_[i].name,
               fmt::format("an output at {} is named '{}' too", ToString(first->second),
                           EscapeTerminal(output.name)),
               "Give one of them another name.");
    }
    for (const std::string& tenant : output.tenants) {
      if (std::find(tenants.begin(), tenants.end(), tenant) != tenants.end()) continue;
      const std::string_view nearest = Nearest(tenant, tenants);
      complain(places_[i].tenants, fmt::format("there is no tenant '{}'", EscapeTerminal(tenant)),
               nearest.empty() ? "Name tenants as in their [[tenant]]."
                               : fmt::format("Did you mean '{}'?", EscapeTerminal(nearest)));
    }
  }
}

}  // namespace picket::config

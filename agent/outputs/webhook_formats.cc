// What webhooks send: Standard Webhooks, Adaptive Cards for Teams, blocks for Slack.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "agent/outputs/escape.h"
#include "agent/outputs/webhook.h"

namespace picket::outputs {
namespace {

using nlohmann::json;

// Teams takes 28 kB a message, Slack 3,000 characters a section: what is shown stays well below.
constexpr std::size_t kTitle = 140;
constexpr std::size_t kFact = 400;
constexpr std::size_t kLine = 200;
constexpr std::size_t kMostReasons = 5;
constexpr std::size_t kMostSteps = 4;
constexpr std::size_t kMostLines = 30;

std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

using Escape = std::string (*)(std::string_view, std::size_t);

// "• one" a line; what is left out is counted.
std::string List(const std::vector<std::string>& items, std::size_t most, std::int64_t of,
                 Escape escape, std::string_view line_break) {
  std::string list;
  std::size_t shown = 0;
  for (; shown < items.size() && shown < most; ++shown) {
    list += fmt::format("{}\u2022 {}", shown > 0 ? line_break : "", escape(items[shown], kLine));
  }
  const auto total = std::max(of, static_cast<std::int64_t>(items.size()));
  if (total > static_cast<std::int64_t>(shown)) {
    list += fmt::format("{}and {} more", line_break, total - static_cast<std::int64_t>(shown));
  }
  return list;
}

struct Section {
  const char* title;
  std::string text;
};

// What is said beside the facts.
std::vector<Section> Sections(const Notice& notice, Escape escape, std::string_view line_break) {
  std::vector<Section> sections;
  const auto add = [&sections](const char* title, std::string text) {
    if (!text.empty()) sections.push_back({title, std::move(text)});
  };
  add("", escape(notice.text, kFact * 2));
  add("Incidents", List(notice.lines, kMostLines, notice.listed_of, escape, line_break));
  if (notice.type != kClosed) {
    add("Why", List(notice.reasons, kMostReasons, 0, escape, line_break));
    add("What to do", List(notice.next_steps, kMostSteps, 0, escape, line_break));
  }
  add("", escape(notice.hint, kFact));
  return sections;
}

const char* ColorOf(const Notice& notice) {
  if (notice.type == kClosed) return "Good";
  if (notice.priority == "P1" || notice.priority == "P2") return "Attention";
  return notice.priority == "P3" ? "Warning" : "Default";
}

json PlainText(std::string text) {
  return {{"type", "plain_text"}, {"text", std::move(text)}, {"emoji", false}};
}

}  // namespace

std::string StandardBody(const Message& message) {
  // A digest is the agent's own word: the incidents follow each by itself.
  const std::string type = message.type == kDigest ? kAgentAlert : message.type;
  json data = json::parse(message.body, nullptr, /*allow_exceptions=*/false);
  return Dump({{"type", type},
               {"timestamp", FormatRfc3339(message.created)},
               {"data", data.is_discarded() ? json::object() : std::move(data)}});
}

std::string TeamsBody(const Notice& notice) {
  json body = json::array();
  body.push_back({{"type", "TextBlock"},
                  {"size", "Large"},
                  {"weight", "Bolder"},
                  {"color", ColorOf(notice)},
                  {"wrap", true},
                  {"text", EscapeMarkdown(notice.Headline(), kTitle * 2)}});
  json facts = json::array();
  for (const auto& [name, value] : notice.Facts()) {
    facts.push_back(
        {{"title", EscapeMarkdown(name, kTitle)}, {"value", EscapeMarkdown(value, kFact)}});
  }
  if (!facts.empty()) body.push_back({{"type", "FactSet"}, {"facts", std::move(facts)}});
  for (const Section& section : Sections(notice, &EscapeMarkdown, "\n\n")) {
    if (*section.title != '\0') {
      body.push_back({{"type", "TextBlock"}, {"weight", "Bolder"}, {"text", section.title}});
    }
    body.push_back({{"type", "TextBlock"}, {"wrap", true}, {"text", section.text}});
  }
  const json card = {{"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
                     {"type", "AdaptiveCard"},
                     {"version", "1.4"},
                     {"msteams", {{"width", "Full"}}},
                     {"body", std::move(body)}};
  return Dump(
      {{"type", "message"},
       {"attachments", json::array({{{"contentType", "application/vnd.microsoft.card.adaptive"},
                                     {"contentUrl", nullptr},
                                     {"content", card}}})}});
}

std::string SlackBody(const Notice& notice) {
  const std::string headline = EscapeSlack(notice.Headline(), kTitle);
  json blocks = json::array({{{"type", "header"}, {"text", PlainText(headline)}}});
  json fields = json::array();
  for (const auto& [name, value] : notice.Facts()) {
    if (fields.size() == 10) break;  // Slack takes no more
    fields.push_back(PlainText(name + "\n" + EscapeSlack(value, kFact)));
  }
  if (!fields.empty()) blocks.push_back({{"type", "section"}, {"fields", std::move(fields)}});
  for (const Section& section : Sections(notice, &EscapeSlack, "\n")) {
    std::string text = *section.title == '\0' ? "" : std::string(section.title) + "\n";
    text += section.text;
    if (text.size() > 1800) text.resize(text.rfind('\n', 1800));
    blocks.push_back({{"type", "section"}, {"text", PlainText(std::move(text))}});
  }
  return Dump({{"text", headline}, {"mrkdwn", false}, {"blocks", std::move(blocks)}});
}

}  // namespace picket::outputs

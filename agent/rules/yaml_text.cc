#include "agent/rules/yaml_text.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "base/utf8.h"

namespace picket::rules {
namespace {

std::string_view WithoutReturn(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

int CodePoints(std::string_view text) { return static_cast<int>(Utf8Length(text)); }

}  // namespace

YamlText::YamlText(std::string_view text) : lines_(Split(text, '\n')) {}

std::string_view YamlText::Line(std::size_t index) const {
  return index < lines_.size() ? WithoutReturn(lines_[index]) : std::string_view();
}

FilePlace YamlText::PlaceOf(const YAML::Node& node) const {
  const YAML::Mark mark = node ? node.Mark() : YAML::Mark::null_mark();
  if (mark.is_null()) return {};
  // yaml-cpp counts bytes.
  const std::string_view before =
      Line(static_cast<std::size_t>(mark.line)).substr(0, static_cast<std::size_t>(mark.column));
  return {.line = mark.line + 1, .column = CodePoints(before) + 1};
}

QueryPlace YamlText::PlaceOfScalar(const YAML::Node& mapping, std::string_view member) const {
  QueryPlace place{.begin = {}, .indent = 0, .verbatim = false};
  const auto pair = std::find_if(mapping.begin(), mapping.end(), [&](const auto& each) {
    return each.first.IsScalar() && each.first.Scalar() == member;
  });
  if (pair == mapping.end() || !pair->second.IsScalar()) return place;
  place.begin = PlaceOf(pair->first);
  const YAML::Mark mark = pair->second.Mark();
  if (mark.is_null()) return place;
  const std::string& scalar = pair->second.Scalar();
  const auto line = static_cast<std::size_t>(mark.line);
  const std::string_view written =
      Line(line).substr(std::min(static_cast<std::size_t>(mark.column), Line(line).size()));
  if (written.substr(0, 1) == "|") {
    // The text begins on the line after the indicator, each line behind the same indent.
    std::optional<std::size_t> indent;
    std::size_t at = line;
    for (const std::string_view each : Split(scalar, '\n')) {
      const std::string_view content = WithoutReturn(each), raw = Line(++at);
      if (content.empty()) continue;
      if (!indent) indent = raw.size() - std::min(raw.size(), content.size());
      if (raw.substr(0, *indent).find_first_not_of(' ') != std::string_view::npos ||
          raw.substr(std::min(raw.size(), *indent)) != content) {
        return place;
      }
    }
    const int columns = static_cast<int>(indent.value_or(0));
    return {.begin = {.line = mark.line + 2, .column = columns + 1}, .indent = columns};
  }
  const bool quoted = !written.empty() && (written.front() == '"' || written.front() == '\'');
  if (written.substr(quoted ? 1 : 0, scalar.size()) != scalar) return place;
  place.begin = PlaceOf(pair->second);
  if (quoted) ++place.begin.column;
  place.verbatim = true;
  return place;
}

}  // namespace picket::rules

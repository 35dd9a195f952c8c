#include "agent/kql/dynamic_kernel.h"

#include <charconv>
#include <cmath>

namespace picket::kql {
namespace {

int RankOf(JsonKind kind) {
  switch (kind) {
    case JsonKind::kNumber:
      return 0;
    case JsonKind::kString:
      return 1;
    case JsonKind::kBool:
      return 2;
    case JsonKind::kArray:
    case JsonKind::kObject:
      return 3;
    case JsonKind::kNull:
      return 4;
  }
  return 4;
}

// Past the step that begins at `at` with '[': "[0]", "['a']", "[\"a\"]".
std::optional<JsonStep> Bracketed(std::string_view path, std::size_t& at) {
  const std::size_t begin = ++at;
  const char quote = begin < path.size() ? path[begin] : '\0';
  if (quote == '\'' || quote == '"') {
    const std::size_t end = path.find(quote, begin + 1);
    if (end == std::string_view::npos || end + 1 >= path.size() || path[end + 1] != ']') {
      return std::nullopt;
    }
    at = end + 2;
    return JsonStep{std::string(path.substr(begin + 1, end - begin - 1)), std::nullopt};
  }
  std::int64_t index = 0;
  const auto [end, code] = std::from_chars(path.data() + begin, path.data() + path.size(), index);
  at = static_cast<std::size_t>(end - path.data());
  if (code != std::errc{} || at >= path.size() || path[at] != ']') return std::nullopt;
  ++at;
  return JsonStep{"", index};
}

}  // namespace

std::vector<std::string_view> ElementsAt(const Column& column, std::size_t row) {
  std::vector<std::string_view> elements;
  if (!IsArrayAt(column, row)) return elements;
  ForEachElement(column.Text(row), [&](std::string_view element) {
    elements.push_back(element);
    return true;
  });
  return elements;
}

std::string ElementText(std::string_view json) {
  if (KindOf(json) == JsonKind::kNull) return {};
  return KindOf(json) == JsonKind::kString ? UnquoteJson(json) : std::string(json);
}

std::optional<double> ElementNumber(std::string_view json) {
  if (KindOf(json) == JsonKind::kString) {
    // JSON has no word for these; Kusto writes them as texts.
    if (json == R"("NaN")") return std::nan("");
    if (json == R"("Infinity")") return HUGE_VAL;
    if (json == R"("-Infinity")") return -HUGE_VAL;
    return std::nullopt;
  }
  if (KindOf(json) != JsonKind::kNumber) return std::nullopt;
  double value = 0;
  const auto [end, code] = std::from_chars(json.data(), json.data() + json.size(), value);
  if (code != std::errc{}) return std::nullopt;
  return value;
}

std::string ElementKey(std::string_view json) {
  const JsonKind kind = KindOf(json);
  if (kind == JsonKind::kString) return "s" + UnquoteJson(json);
  if (kind == JsonKind::kNumber) {
    // Whole numbers beyond what a double holds keep their digits.
    if (json.find_first_of(".eE") == std::string_view::npos) return "n" + std::string(json);
    const double value = ElementNumber(json).value_or(0);
    if (value == std::floor(value) && std::fabs(value) < 9e15) {
      return "n" + std::to_string(static_cast<std::int64_t>(value));
    }
    return "n" + RealAsJson(value);
  }
  return "j" + std::string(json);
}

int CompareElements(std::string_view a, std::string_view b) {
  const int rank_a = RankOf(KindOf(a));
  const int rank_b = RankOf(KindOf(b));
  if (rank_a != rank_b) return rank_a < rank_b ? -1 : 1;
  if (rank_a == 0) {
    const double x = ElementNumber(a).value_or(0);
    const double y = ElementNumber(b).value_or(0);
    return x < y ? -1 : y < x ? 1 : 0;
  }
  const int order = ElementText(a).compare(ElementText(b));
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

std::string RealElement(double value) {
  return std::isfinite(value) ? RealAsJson(value) : QuoteJson(RealAsJson(value));
}

std::optional<std::vector<JsonStep>> ParseJsonPath(std::string_view path) {
  std::vector<JsonStep> steps;
  if (path.empty() || path.front() != '$') return std::nullopt;
  std::size_t at = 1;
  while (at < path.size()) {
    if (path[at] == '[') {
      std::optional<JsonStep> step = Bracketed(path, at);
      if (!step) return std::nullopt;
      steps.push_back(*std::move(step));
      continue;
    }
    if (path[at] != '.') return std::nullopt;
    const std::size_t end = std::min(path.find_first_of(".[", at + 1), path.size());
    if (end == at + 1) return std::nullopt;
    steps.push_back({std::string(path.substr(at + 1, end - at - 1)), std::nullopt});
    at = end;
  }
  return steps;
}

std::optional<std::string_view> JsonAt(std::string_view json, const std::vector<JsonStep>& path,
                                       std::size_t from) {
  std::optional<std::string_view> value = json;
  for (std::size_t i = from; i < path.size() && value; ++i) {
    value = path[i].index ? JsonElement(*value, *path[i].index) : JsonMember(*value, path[i].name);
  }
  return value;
}

}  // namespace picket::kql

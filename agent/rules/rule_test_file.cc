// Files of rule tests.

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <initializer_list>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>

#include "agent/rules/rule_file.h"
#include "agent/rules/rule_test.h"
#include "base/files.h"
#include "base/text.h"

namespace picket::rules {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kMostValues = 200'000;  // of a file, aliases written out
constexpr int kMostDepth = 64;

Error RefusedAt(const YAML::Mark& mark, const std::string& message) {
  if (mark.is_null()) return {.kind = ErrorKind::kRefused, .message = message};
  return {
      .kind = ErrorKind::kRefused,
      .message = fmt::format("line {}, column {}: {}", mark.line + 1, mark.column + 1, message)};
}

class Reader {
 public:
  explicit Reader(const fs::path& file) { read_.file = file; }

  Result<RuleTestFile> Read(const YAML::Node& root) {
    PK_RETURN_IF_ERROR(CheckMembers(root, "a file of rule tests", {"rule", "defaults", "cases"}));
    PK_ASSIGN_OR_RETURN(const std::string rule, Text(root, "rule"));
    read_.rule = rule.empty() ? RuleBeside() : read_.file.parent_path() / rule;
    PK_RETURN_IF_ERROR(ReadDefaults(root["defaults"]));
    const YAML::Node cases = root["cases"];
    if (!cases || !cases.IsSequence() || cases.size() == 0) {
      return Fail(RefusedAt(cases ? cases.Mark() : root.Mark(), "'cases' must be a list of tests"));
    }
    for (const YAML::Node& node : cases) {
      PK_RETURN_IF_ERROR(
          CheckMembers(node, "a case", {"name", "time", "events", "expect", "then"}));
      RuleTest test;
      PK_ASSIGN_OR_RETURN(test.name, Text(node, "name"));
      if (test.name.empty()) return Fail(RefusedAt(node.Mark(), "the case needs a 'name'"));
      test.place = {.line = node.Mark().line + 1, .column = node.Mark().column + 1};
      PK_RETURN_IF_ERROR(ReadStep(node, test));
      const YAML::Node then = node["then"];
      if (then && !then.IsSequence()) {
        return Fail(RefusedAt(then.Mark(), "'then' must be a list of further steps"));
      }
      for (const YAML::Node& step : then) {
        PK_RETURN_IF_ERROR(CheckMembers(step, "a step", {"time", "events", "expect"}));
        PK_RETURN_IF_ERROR(ReadStep(step, test));
      }
      read_.tests.push_back(std::move(test));
    }
    return std::move(read_);
  }

 private:
  // "risk.test.yaml" → "risk.yaml", else "risk.yml", "risk.kql"
  [[nodiscard]] fs::path RuleBeside() const {
    const fs::path stem = read_.file.parent_path() / read_.file.stem().stem();
    for (const char* extension : {".yaml", ".yml", ".kql"}) {
      fs::path rule = stem;
      rule += extension;
      std::error_code error;
      if (fs::exists(rule, error)) return rule;
    }
    return fs::path(stem).concat(".yaml");
  }

  static Status CheckMembers(const YAML::Node& node, std::string_view what,
                             std::initializer_list<std::string_view> known) {
    const std::vector<std::string_view> names(known);
    if (!node.IsMap()) {
      return Fail(RefusedAt(node.Mark(), fmt::format("{} must be a mapping", what)));
    }
    for (const auto& pair : node) {
      const std::string name = pair.first.IsScalar() ? pair.first.Scalar() : "";
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      Error error =
          RefusedAt(pair.first.Mark(), fmt::format("{} has no '{}'", what, EscapeTerminal(name)));
      const std::string_view nearest = Nearest(name, names);
      if (!nearest.empty()) error.hint = fmt::format("Did you mean '{}'?", nearest);
      return Fail(std::move(error));
    }
    return {};
  }

  static Result<std::string> Text(const YAML::Node& node, const char* name) {
    const YAML::Node member = node[name];
    if (!member) return std::string();
    if (!member.IsScalar()) {
      return Fail(RefusedAt(member.Mark(), fmt::format("'{}' must be a text", name)));
    }
    return member.Scalar();
  }

  // A scalar without quotes is what JSON makes of it, else a text.
  static json ScalarOf(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    if (node.Tag() == "!") return text;
    if (text.empty() || text == "~" || text == "null") return nullptr;
    static const std::regex kNumber(R"(-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)");
    if (text == "true" || text == "false" || std::regex_match(text, kNumber)) {
      json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
      if (!value.is_discarded()) return value;
    }
    return text;
  }

  Result<json> Value(const YAML::Node& node, int depth = 0) {
    if (++values_ > kMostValues || depth > kMostDepth) {
      return Fail(RefusedAt(node.Mark(), "the file holds too much, or is too deep"));
    }
    if (node.IsScalar()) return ScalarOf(node);
    if (node.IsSequence()) {
      json list = json::array();
      for (const YAML::Node& item : node) {
        PK_ASSIGN_OR_RETURN(json value, Value(item, depth + 1));
        list.push_back(std::move(value));
      }
      return list;
    }
    if (!node.IsMap()) return json();
    json object = json::object();
    for (const auto& pair : node) {
      if (!pair.first.IsScalar()) {
        return Fail(RefusedAt(pair.first.Mark(), "a name must be a text"));
      }
      PK_ASSIGN_OR_RETURN(json value, Value(pair.second, depth + 1));
      object[pair.first.Scalar()] = std::move(value);
    }
    return object;
  }

  // A list of mappings, as JSON objects.
  Result<json> Objects(const YAML::Node& node, const std::string& what) {
    if (!node.IsSequence()) return Fail(RefusedAt(node.Mark(), what + " must be a list"));
    for (const YAML::Node& item : node) {
      if (!item.IsMap())
        return Fail(RefusedAt(item.Mark(), "each of " + what + " must be a mapping"));
    }
    return Value(node);
  }

  Status ReadDefaults(const YAML::Node& node) {
    if (!node) return {};
    if (!node.IsMap()) {
      return Fail(RefusedAt(node.Mark(), "'defaults' must give members by table"));
    }
    for (const auto& pair : node) {
      if (!pair.first.IsScalar() || !pair.second.IsMap()) {
        return Fail(RefusedAt(pair.first.Mark(), "'defaults' must give members by table"));
      }
      PK_ASSIGN_OR_RETURN(defaults_[pair.first.Scalar()], Value(pair.second));
    }
    return {};
  }

  Status ReadEvents(const YAML::Node& node, TestStep& step) {
    if (!node) return {};
    if (!node.IsMap()) {
      return Fail(RefusedAt(node.Mark(), "'events' must give lists of events by table"));
    }
    for (const auto& pair : node) {
      if (!pair.first.IsScalar()) {
        return Fail(RefusedAt(pair.first.Mark(), "'events' must give lists of events by table"));
      }
      const std::string& table = pair.first.Scalar();
      PK_ASSIGN_OR_RETURN(json events, Objects(pair.second, "the events of " + table));
      if (const auto defaults = defaults_.find(table); defaults != defaults_.end()) {
        for (json& event : events) {
          json whole = defaults->second;
          whole.merge_patch(event);
          event = std::move(whole);
        }
      }
      step.events.push_back(
          {.table = table,
           .json = events.dump(),
           .place = {.line = pair.first.Mark().line + 1, .column = pair.first.Mark().column + 1}});
    }
    return {};
  }

  Status ReadExpectation(const YAML::Node& step, Expectation& expected) {
    const YAML::Node node = step["expect"];
    if (!node) return Fail(RefusedAt(step.Mark(), "'expect' is missing"));
    PK_RETURN_IF_ERROR(CheckMembers(node, "'expect'", {"fires", "count", "rows"}));
    PK_ASSIGN_OR_RETURN(const std::string fires, Text(node, "fires"));
    PK_ASSIGN_OR_RETURN(const std::string count, Text(node, "count"));
    if (!fires.empty()) {
      if (fires != "true" && fires != "false") {
        return Fail(RefusedAt(node["fires"].Mark(), "'fires' must be true or false"));
      }
      expected.fires = fires == "true";
    }
    if (!count.empty()) {
      const char* end = count.data() + count.size();
      const auto [rest, code] = std::from_chars(count.data(), end, expected.count.emplace());
      if (code != std::errc{} || rest != end) {
        return Fail(RefusedAt(node["count"].Mark(), "'count' must be a number"));
      }
    }
    if (const YAML::Node rows = node["rows"]) {
      PK_ASSIGN_OR_RETURN(const json objects, Objects(rows, "'rows'"));
      for (const json& row : objects) expected.rows.push_back(row.dump());
    }
    if (!expected.fires && !expected.count && expected.rows.empty()) {
      return Fail(RefusedAt(node.Mark(), "'expect' must say 'fires', 'count' or 'rows'"));
    }
    return {};
  }

  Status ReadStep(const YAML::Node& node, RuleTest& test) {
    TestStep step;
    PK_ASSIGN_OR_RETURN(const std::string time, Text(node, "time"));
    if (!time.empty()) {
      const Result<Instant> instant = ParseRfc3339(time);
      if (!instant) {
        return Fail(
            RefusedAt(node["time"].Mark(), "'time' must be a time such as 2026-11-24T10:00:00Z"));
      }
      step.time = *instant;
    }
    PK_RETURN_IF_ERROR(ReadEvents(node["events"], step));
    PK_RETURN_IF_ERROR(ReadExpectation(node, step.expected));
    test.steps.push_back(std::move(step));
    return {};
  }

  RuleTestFile read_;
  std::map<std::string, json> defaults_;  // by table
  std::size_t values_ = 0;
};

}  // namespace

bool IsRuleTestFile(const fs::path& file) {
  const std::string name = AsciiLower(file.filename().string());
  return name.ends_with(".test.yaml") || name.ends_with(".test.yml");
}

fs::path TestFileOf(const fs::path& rule) {
  fs::path file = rule;
  for (const char* extension : {".test.yml", ".test.yaml"}) {
    file.replace_extension(extension);
    std::error_code error;
    if (fs::exists(file, error)) return file;
    file = rule;
  }
  return file.replace_extension(".test.yaml");
}

Result<RuleTestFile> ParseRuleTests(std::string_view yaml, const fs::path& file) {
  if (!IsValidUtf8(yaml)) {
    return Fail({.kind = ErrorKind::kRefused,
                 .message = "the file is not UTF-8",
                 .hint = "Save it as UTF-8."});
  }
  try {
    return Reader(file).Read(YAML::Load(std::string(yaml)));
  } catch (const YAML::Exception& e) {
    return Fail(RefusedAt(e.mark, "not YAML: " + e.msg));
  }
}

Result<RuleTestFile> LoadRuleTests(const fs::path& file) {
  PK_ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMaxRuleFileBytes));
  return ParseRuleTests(text, file);
}

}  // namespace picket::rules

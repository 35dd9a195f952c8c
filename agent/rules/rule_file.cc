#include "agent/rules/rule_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <map>

#include "agent/rules/rule_test.h"
#include "base/files.h"
#include "base/text.h"
#include "base/uuid.h"

namespace picket::rules {
namespace {

namespace fs = std::filesystem;

// What decides which findings a rule gives; another hash is another rule to its cursor.
std::string HashOfMeaning(const Rule& rule) {
  std::string meaning = fmt::format(
      "{}\n{}\n{}\n{}\n{}\n{}\n", rule.id, rule.query, rule.query_frequency.ticks,
      rule.query_period.ticks, static_cast<int>(rule.trigger_operator), rule.trigger_threshold);
  for (const EntityMapping& entity : rule.entities) {
    meaning += entity.type + "\n";
    for (const EntityMapping::Identifier& identifier : entity.identifiers) {
      meaning += identifier.name + "=" + identifier.column + "\n";
    }
  }
  if (rule.suppression.ticks > 0) meaning += fmt::format("held {}\n", rule.suppression.ticks);
  if (rule.alert_per_result) meaning += "an alert per result\n";
  return Sha256Hex(meaning);
}

std::string TitleOfComment(std::string_view line) {
  while (!line.empty() && (line.front() == '/' || line.front() == ' ')) line.remove_prefix(1);
  return std::string(Trim(line));
}

// The largest span written as a literal (`14d`, `ago(1h)`): how far the query looks back.
Timespan LargestLiteral(std::string_view query) {
  Timespan largest{};
  for (std::size_t i = 0; i < query.size(); ++i) {
    const bool starts = std::isdigit(static_cast<unsigned char>(query[i])) != 0 &&
                        (i == 0 || (std::isalnum(static_cast<unsigned char>(query[i - 1])) == 0 &&
                                    query[i - 1] != '_' && query[i - 1] != '.'));
    if (!starts) continue;
    std::size_t end = i;
    while (end < query.size() && std::isdigit(static_cast<unsigned char>(query[end])) != 0) ++end;
    const std::size_t digits = end;
    while (end < query.size() && std::isalpha(static_cast<unsigned char>(query[end])) != 0) ++end;
    if (end == digits || digits - i > 6) continue;
    if (const Result<Timespan> span = ParseTimespan(query.substr(i, end - i))) {
      largest = std::max(largest, *span);
    }
    i = end;
  }
  return largest;
}

// Messages about a place in a YAML file begin "line 3, column 9: ".
struct Place {
  std::uint32_t line = 1, column = 1;
};
Place PlaceOf(const std::string& message) {
  Place place;
  unsigned line = 0, column = 0;
  // NOLINTNEXTLINE(cert-err34-c): six digits always fit
  if (std::sscanf(message.c_str(), "line %6u, column %6u: ", &line, &column) == 2) {
    place = {.line = line, .column = column};
  }
  return place;
}

}  // namespace

Result<Rule> ParseKqlRule(std::string_view text, const fs::path& file) {
  if (!IsValidUtf8(text)) {
    return Fail({.kind = ErrorKind::kRefused,
                 .message = "the file is not UTF-8",
                 .hint = "Save it as UTF-8."});
  }
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  Rule rule;
  rule.file = file;
  rule.language = "kql";
  rule.query = std::string(text);
  for (const std::string_view line : Split(text, '\n')) {
    const std::string_view trimmed = Trim(line);
    if (trimmed.substr(0, 2) != "//") break;
    const std::string words = TitleOfComment(trimmed);
    if (words.empty()) continue;
    if (rule.title.empty()) {
      rule.title = words;
    } else {
      rule.description += (rule.description.empty() ? "" : "\n") + words;
    }
  }
  if (rule.title.empty()) rule.title = file.stem().string();
  rule.id = ToString(Uuid5(kPicketNamespace, "kql-rule:" + file.filename().string()));
  const Timespan lookback = LargestLiteral(text);
  rule.query_period = lookback.ticks > 0 ? std::min(lookback, 90 * kDay) : kDay;
  rule.query_frequency = rule.query_period <= kDay        ? kHour
                         : rule.query_period <= 14 * kDay ? 6 * kHour
                                                          : kDay;
  // Every row is in the window of a tick.
  rule.query_period = std::max(rule.query_period, rule.query_frequency);
  return rule;
}

Result<Rule> LoadRule(const fs::path& file) {
  PK_ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMaxRuleFileBytes));
  const std::string extension = AsciiLower(file.extension().string());
  if (IsRuleTestFile(file)) {
    return Fail({.kind = ErrorKind::kRefused,
                 .message = "the file holds tests of a rule",
                 .hint = "'picket rules test' runs them."});
  }
  if (extension != ".kql" && extension != ".yaml" && extension != ".yml") {
    return Fail({.kind = ErrorKind::kRefused,
                 .message = "no rule file: " + file.string(),
                 .hint = "Rules are .yaml (Sentinel) or .kql files."});
  }
  Result<Rule> rule =
      extension == ".kql" ? ParseKqlRule(text, file) : ParseSentinelRule(text, file);
  if (rule) rule->hash = HashOfMeaning(*rule);
  return rule;
}

std::string Where(const RuleFileError& error) {
  return error.file.empty() ? "[rules]" : error.file.string();
}

void AddRules(RuleSet& set, const std::vector<fs::path>& paths, bool shipped) {
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      for (auto it = fs::recursive_directory_iterator(path, error);
           !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
        const std::string extension = AsciiLower(it->path().extension().string());
        if (it->is_regular_file() && !IsRuleTestFile(it->path()) &&
            (extension == ".kql" || extension == ".yaml" || extension == ".yml")) {
          files.push_back(it->path());
        }
      }
    } else if (fs::exists(path, error)) {
      files.push_back(path);
    } else {
      set.errors.push_back({.file = path,
                            .error = {.kind = ErrorKind::kNotFound,
                                      .message = "no such file or folder: " + path.string(),
                                      .hint = "Correct [rules] paths."}});
    }
  }
  std::sort(files.begin(), files.end());
  std::map<std::string, fs::path> ids;
  for (const Rule& known : set.rules) ids.emplace(known.id, known.file);
  for (const fs::path& file : files) {
    Result<Rule> rule = LoadRule(file);
    if (const auto first = rule ? ids.find(rule->id) : ids.end(); first != ids.end()) {
      rule = Fail({.kind = ErrorKind::kRefused,
                   .message = fmt::format("the id {} belongs to another rule already, that of {}",
                                          rule->id, first->second.string()),
                   .hint = "Give this rule an id of its own."});
    }
    if (rule) {
      rule->shipped = shipped;
      ids.emplace(rule->id, file);
      set.rules.push_back(*std::move(rule));
    } else {
      const Place place = PlaceOf(rule.error().message);
      set.errors.push_back({.file = file,
                            .error = std::move(rule).error(),
                            .line = place.line,
                            .column = place.column});
    }
  }
}

RuleSet LoadRules(const std::vector<fs::path>& paths, bool shipped) {
  RuleSet set;
  AddRules(set, paths, shipped);
  return set;
}

}  // namespace picket::rules

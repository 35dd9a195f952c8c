#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "agent/rules/rule.h"
#include "base/result.h"

namespace picket::rules {

inline constexpr std::size_t kMaxRuleFileBytes = std::size_t{1} << 20;

// Reads Sentinel's analytics-rule YAML. Errors are kRefused and name line and column where YAML
// gives them. Unknown members are Sentinel's business and are left alone; a member that we read
// and that has the wrong type is refused.
// Source of the format: the query style guide of the Azure-Sentinel repository.
Result<Rule> ParseSentinelRule(std::string_view yaml, const std::filesystem::path& file);

// A bare query: its leading `//` lines are title and description; its period is the largest literal
// lookback (`ago(7d)`, `7d` beside TimeGenerated), its frequency 1 h up to a day of period, 6 h up
// to 14 days, a day beyond. Its id is derived from the file's name.
Result<Rule> ParseKqlRule(std::string_view text, const std::filesystem::path& file);

// By the file's extension: .yaml, .yml, .kql.
Result<Rule> LoadRule(const std::filesystem::path& file);

struct RuleFileError {
  std::filesystem::path file;
  Error error{};
  std::uint32_t line = 1, column = 1;  // 1-based; the file's begin when it is no single place
};

// What is at fault, for people: the file, or [rules] of the config when it is none.
std::string Where(const RuleFileError& error);

struct RuleSet {
  std::vector<Rule> rules;            // in order of path
  std::vector<RuleFileError> errors;  // files that could not be read; the others run
};

// Adds every rule file below the paths (files or folders, recursively), files of tests left out. A
// second rule with the id of another of the set is an error of its file.
void AddRules(RuleSet& set, const std::vector<std::filesystem::path>& paths, bool shipped);
// The same to an empty set.
RuleSet LoadRules(const std::vector<std::filesystem::path>& paths, bool shipped);

}  // namespace picket::rules

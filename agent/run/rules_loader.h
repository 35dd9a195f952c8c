#pragma once

#include <filesystem>
#include <vector>

#include "agent/alerts/alerting.h"
#include "agent/rules/rule_file.h"
#include "agent/run/settings.h"

namespace picket::run {

// The shipped rules and those of [rules] paths, each with its verdict.
struct RuleBook {
  std::vector<alerts::LoadedRule> rules;
  std::vector<rules::RuleFileError> errors;
};
RuleBook LoadRuleBook(const Settings& settings);

// Where the shipped rules are: `given`, else beside the program, in the build tree as in a package.
std::filesystem::path ShippedRules(const std::filesystem::path& given);

}  // namespace picket::run

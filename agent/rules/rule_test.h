#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/rules/rule.h"
#include "agent/rules/verdict.h"
#include "base/result.h"
#include "base/time.h"

namespace picket::rules {

// Tests that stand beside a rule, in a file of their own: events that are put into an empty tenant,
// and what the rule must find in them. docs/reference.md describes the file.

// Events of one table: a JSON array of records as Graph gives them, or of rows of the table.
struct TestEvents {
  std::string table;
  std::string json;
  FilePlace place{};
};

// What a rule must find. Without any of them: nothing is expected, which no file can say.
struct Expectation {
  std::optional<bool> fires;
  std::optional<std::size_t> count;
  // Each of a finding of its own: an object of some of its columns. Without `count`, as many
  // findings as rows.
  std::vector<std::string> rows;
};

// Events that come, and what is expected then of all that came so far.
struct TestStep {
  std::optional<Instant> time;  // of the evaluation
  std::vector<TestEvents> events;
  Expectation expected;
};

struct RuleTest {
  std::string name;
  FilePlace place{};
  std::vector<TestStep> steps;
};

struct RuleTestFile {
  std::filesystem::path file, rule;
  std::vector<RuleTest> tests;
};

// "RULE.test.yaml", "RULE.test.yml"
bool IsRuleTestFile(const std::filesystem::path& file);
// Where the tests of a rule's file are.
std::filesystem::path TestFileOf(const std::filesystem::path& rule);

// Errors: of reading the file; kRefused with "line 3, column 9: …".
Result<RuleTestFile> LoadRuleTests(const std::filesystem::path& file);
Result<RuleTestFile> ParseRuleTests(std::string_view yaml, const std::filesystem::path& file);

// Runs a test in a store of its own in memory. Returns what is wrong, a line each; empty: it
// passed. A rule that goes by row judges each row at the tick of its own time, as it does in a
// tenant; `time` then only hides the rows after it. Any other is evaluated at `time`, which it
// must have. Errors: kCancelled; kStorage, kInternal for what is no fault of the test.
Result<std::vector<std::string>> RunRuleTest(const Rule& rule, const Verdict& verdict,
                                             const RuleTest& test, std::stop_token stop);

}  // namespace picket::rules

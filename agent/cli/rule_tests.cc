// picket rules test

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "agent/cli/context.h"
#include "agent/rules/rule_file.h"
#include "agent/rules/rule_test.h"
#include "agent/run/rules_loader.h"
#include "agent/tables/table_catalog.h"
#include "base/text.h"

namespace picket::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// How one test went. A file that holds no tests is told as one that failed, without a name.
struct Outcome {
  std::string file{}, rule{}, name{};
  int line = 1;
  std::vector<std::string> problems{};  // none: it passed
};

// The files of tests below the paths: those named, those of rules that are named, and all in
// folders. What is not there is an outcome.
std::set<fs::path> TestFilesBelow(const std::vector<fs::path>& paths,
                                  std::vector<Outcome>& outcomes) {
  std::set<fs::path> files;
  for (const fs::path& path : paths) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      for (auto it = fs::recursive_directory_iterator(path, error);
           !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
        if (it->is_regular_file(error) && rules::IsRuleTestFile(it->path())) {
          files.insert(it->path());
        }
      }
      if (error) {
        outcomes.push_back(
            {.file = path.string(), .problems = {"cannot be read: " + error.message()}});
      }
      continue;
    }
    if (!fs::exists(path, error)) {
      outcomes.push_back({.file = path.string(), .problems = {"no such file or folder"}});
      continue;
    }
    const fs::path file = rules::IsRuleTestFile(path) ? path : rules::TestFileOf(path);
    if (fs::exists(file, error)) {
      files.insert(file);
    } else {
      outcomes.push_back({.file = path.string(),
                          .problems = {"the rule has no tests; " + file.filename().string() +
                                       " beside it would hold them"}});
    }
  }
  return files;
}

std::string ProblemOf(const Error& error) { return WithHint(error.message, error.hint); }

// Tells each outcome as soon as it is known.
using Tell = std::function<void(Outcome)>;

void RunFile(const fs::path& file, const kql::Catalog& catalog, const Tell& tell,
             const std::stop_token& stop) {
  const Result<rules::RuleTestFile> tests = rules::LoadRuleTests(file);
  if (!tests) return tell({.file = file.string(), .problems = {ProblemOf(tests.error())}});
  const Result<rules::Rule> rule = rules::LoadRule(tests->rule);
  if (!rule) {
    return tell({.file = file.string(),
                 .rule = tests->rule.string(),
                 .problems = {tests->rule.string() + ": " + ProblemOf(rule.error())}});
  }
  const rules::Verdict verdict = rules::Check(*rule, catalog);
  for (const rules::RuleTest& test : tests->tests) {
    if (stop.stop_requested()) return;
    Result<std::vector<std::string>> problems = rules::RunRuleTest(*rule, verdict, test, stop);
    if (!problems && problems.error().kind == ErrorKind::kCancelled) return;
    tell({.file = file.string(),
          .rule = tests->rule.string(),
          .name = test.name,
          .line = test.place.line,
          .problems = problems ? *std::move(problems)
                               : std::vector<std::string>{ProblemOf(problems.error())}});
  }
}

void PrintOutcome(const Outcome& outcome, std::string& file) {
  std::string text;
  if (outcome.file != file) text += (file.empty() ? "" : "\n") + outcome.file + "\n";
  file = outcome.file;
  text += outcome.problems.empty() ? "  ok    " : "  FAIL  ";
  text += outcome.name.empty() ? "" : outcome.name;
  if (!outcome.problems.empty() && !outcome.name.empty()) {
    text += fmt::format(" (line {})", outcome.line);
  }
  if (!outcome.name.empty()) text += "\n";
  for (std::size_t i = 0; i < outcome.problems.size(); ++i) {
    text += (outcome.name.empty() && i == 0 ? "" : "        ") + outcome.problems[i] + "\n";
  }
  WriteAll(EscapeTerminal(text), stdout);
}

json ToJson(const Outcome& outcome) {
  return {{"file", outcome.file},
          {"line", outcome.line},
          {"rule", outcome.rule},
          {"name", outcome.name},
          {"passed", outcome.problems.empty()},
          {"problems", outcome.problems}};
}

// The shipped rules and those of the config.
std::vector<fs::path> PathsOf(const run::Settings& settings) {
  std::vector<fs::path> paths = settings.rule_paths;
  if (settings.shipped_rules) {
    const fs::path shipped = run::ShippedRules(settings.shipped_path);
    if (!shipped.empty()) paths.insert(paths.begin(), shipped);
  }
  return paths;
}

void Test(Context& context, const std::vector<std::string>& arguments, bool with_config) {
  std::vector<fs::path> paths(arguments.begin(), arguments.end());
  std::optional<run::Settings> settings;
  if (paths.empty() || with_config) {
    settings = LoadSettings(context);
    if (!settings) return;
  }
  if (paths.empty()) paths = PathsOf(*settings);
  const tables::TableCatalog catalog(settings ? settings->files : tables::LocalFiles());
  std::int64_t passed = 0, failed = 0;
  std::string file;
  json cases = json::array();
  const auto tell = [&](const Outcome& outcome) {
    ++(outcome.problems.empty() ? passed : failed);
    if (context.format == Format::kJson) {
      cases.push_back(ToJson(outcome));
    } else {
      PrintOutcome(outcome, file);
    }
  };
  std::vector<Outcome> missing;
  const std::set<fs::path> files = TestFilesBelow(paths, missing);
  for (const Outcome& outcome : missing) tell(outcome);
  {
    Progress progress;
    for (const fs::path& each : files) {
      progress.Show(each.string());
      RunFile(each, catalog, tell, context.stop);
    }
  }
  if (context.stop.stop_requested()) {
    context.exit_code = 130;
    return;
  }
  if (passed + failed == 0) {
    Failed(context, {.kind = ErrorKind::kNotFound,
                     .message = "there are no tests there",
                     .hint = "The tests of RULE.yaml are in RULE.test.yaml beside it."});
    return;
  }
  if (context.format == Format::kJson) {
    WriteAll(JsonPage({{"cases", std::move(cases)}, {"passed", passed}, {"failed", failed}}),
             stdout);
  } else {
    Say(fmt::format("{}: {} passed, {} failed", Counted(passed + failed, "test"), passed, failed));
  }
  if (failed > 0) context.exit_code = 1;
}

}  // namespace

void AddRuleTests(CLI::App& rules, Context& context) {
  auto paths = std::make_shared<std::vector<std::string>>();
  CLI::App* verb = rules.add_subcommand(
      "test", "Run the tests that stand beside rules; no tenant's data is touched");
  verb->add_option("PATH", *paths,
                   "Rules, files of tests, or folders; the config's rules without one");
  AddConfigOption(*verb, context);
  AddFormatOption(*verb, context, {"table", "json"});
  verb->footer(
      "The tests of RULE.yaml are in RULE.test.yaml beside it:\n\n"
      "  cases:\n"
      "    - name: a sign-in from abroad fires once\n"
      "      time: 2026-11-24T10:00:00Z     # the clock of the rule\n"
      "      events:                        # by table: Graph JSON, or rows of the table\n"
      "        SigninLogs:\n"
      "          - {TimeGenerated: 2026-11-24T09:30:00Z, Id: a, UserPrincipalName: ann}\n"
      "      expect: {count: 1, rows: [{UserPrincipalName: ann}]}   # or {fires: false}\n"
      "      then:                          # further steps: more events, and what then\n"
      "        - {events: {…}, expect: {…}}\n"
      "\nExamples:\n  picket rules test my-rule.yaml\n"
      "  picket rules test rules.d --format json\n"
      "  picket rules test --config picket.toml\n"
      "\nExit codes: 0 all pass; 1 some fail; 64 usage; 78 the config");
  verb->callback([&context, paths, verb] { Test(context, *paths, verb->count("--config") > 0); });
}

}  // namespace picket::cli

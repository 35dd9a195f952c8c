// Published rules: refused where Microsoft's own binder refuses them, and of the same columns and
// types where it takes them, over the tables that Picket declares. The binder comes from the npm
// registry, the rules from ../shared; skipped with a line where either is missing.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "agent/kql/engine.h"
#include "agent/tables/declared_tables.h"
#include "agent/tables/table_catalog.h"
#include "tests/process/child_process.h"
#include "tests/process/node_project.h"

namespace picket::kql {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<fs::path> Rules() {
  std::vector<fs::path> rules;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(PICKET_SHARED_DIR "/corpora/kql", error)) {
    if (entry.path().extension() == ".kql") rules.push_back(entry.path());
  }
  std::sort(rules.begin(), rules.end());
  return rules;
}

// "NAME reason" a line; '#' begins a comment.
std::map<std::string, std::string> ListedRefusals() {
  std::map<std::string, std::string> listed;
  std::istringstream lines(ReadAll(PICKET_SOURCE_DIR "/tests/conformance/refusals"));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t space = line.find(' ');
    listed.emplace(line.substr(0, space), line.substr(std::min(space, line.size())));
  }
  return listed;
}

std::vector<std::string> ColumnsOf(const Schema& schema) {
  std::vector<std::string> columns;
  for (const ColumnSchema& column : schema) {
    columns.push_back(column.name + ":" + std::string(TypeName(column.type)));
  }
  return columns;
}

std::vector<std::string> ColumnsOf(const json& list) {
  std::vector<std::string> columns;
  for (const json& column : list) {
    columns.push_back(column["name"].get<std::string>() + ":" + column["type"].get<std::string>());
  }
  return columns;
}

// Of what the binder cannot resolve: functions of a workspace, as legs of a fuzzy union.
bool HasUnknownTypes(const json& columns) {
  return std::any_of(columns.begin(), columns.end(),
                     [](const json& column) { return column["type"] == "unknown"; });
}

// The recorded engine counts these as long, the binder says int.
bool CountsAsLong(const std::string& query) {
  static const std::regex parts(
      R"(\b(dayof(month|year)|get(month|year)|datetime_part|hourofday|monthofyear|week_?of_?year)\s*\()");
  return std::regex_search(query, parts);
}

// "" when they are the same, else what differs: rules have hundreds of columns.
std::string Difference(const std::vector<std::string>& ours,
                       const std::vector<std::string>& theirs) {
  if (ours == theirs) return "";
  std::string text;
  const auto list = [&](const char* sign, const auto& from, const auto& without) {
    for (const std::string& column : from) {
      if (std::find(without.begin(), without.end(), column) == without.end()) text += sign + column;
    }
  };
  list(" +", ours, theirs);
  list(" -", theirs, ours);
  if (!text.empty()) return text;
  const auto place = std::mismatch(ours.begin(), ours.end(), theirs.begin(), theirs.end());
  return " another order from " + (place.first == ours.end() ? "the end" : *place.first);
}

// The tables as Microsoft lists them: the mapping's own have columns that came later. Every file
// that a rule names is there, and empty.
class ListedTables final : public Catalog {
 public:
  [[nodiscard]] const Schema* Find(std::string_view table) const override {
    const auto known = tables_.find(table);
    if (known != tables_.end()) return &known->second;
    auto schema = tables::DeclaredTable(table);
    return schema ? &tables_.emplace(table, *std::move(schema)).first->second : nullptr;
  }
  [[nodiscard]] std::vector<std::string_view> Names() const override {
    return tables::DeclaredTableNames();
  }
  [[nodiscard]] Result<LocalFile> ExternalFile(std::string_view) const override {
    return LocalFile{.name = "empty", .text = {}, .key = {}};
  }

 private:
  mutable std::map<std::string, Schema, std::less<>> tables_;
};

class RuleParity : public testing::Test {
 protected:
  void SetUp() override {
    rules_ = Rules();
    if (rules_.empty()) GTEST_SKIP() << "no published rules in " PICKET_SHARED_DIR;
    const std::string why_not =
        InstallNodeProject(PICKET_SOURCE_DIR "/tests/conformance/binder", PICKET_BINDER_DIR);
    if (!why_not.empty()) GTEST_SKIP() << why_not << ": no parity with Microsoft's binder";
    std::vector<std::string> command = {"node", PICKET_BINDER_DIR "/check.js",
                                        PICKET_SOURCE_DIR "/agent/tables/declared/tables.txt"};
    for (const fs::path& rule : rules_) command.push_back(rule.string());
    const auto node = ChildProcess::Start(command);
    ASSERT_TRUE(node) << "node does not start";
    std::istringstream lines(node->Output());
    for (std::string line; std::getline(lines, line);) {
      json verdict = json::parse(line, nullptr, false);
      ASSERT_TRUE(verdict.is_object()) << line.substr(0, 200);
      const std::string name = verdict["name"];
      theirs_.emplace(name, std::move(verdict));
    }
    ASSERT_EQ(node->ExitStatus(), 0);
    ASSERT_EQ(theirs_.size(), rules_.size());
  }

  std::vector<fs::path> rules_;
  std::map<std::string, json> theirs_;  // by the rule's file name
};

TEST_F(RuleParity, TheSameColumnsAndTypes) {
  const ListedTables catalog;
  std::size_t staged = 0;
  std::size_t unknown = 0;
  for (const fs::path& path : rules_) {
    const std::string name = path.filename().string();
    const json& theirs = theirs_.at(name);
    if (!theirs["errors"].empty()) continue;
    const std::string text = ReadAll(path);
    const CompileResult ours = Compile(text, catalog);
    if (!ours.query) continue;  // the other test's
    if (ours.query->later() != nullptr) {
      ++staged;  // its columns come from the data
      continue;
    }
    if (HasUnknownTypes(theirs["columns"])) {
      ++unknown;
      continue;
    }
    // The binder tells arrays by what is in them, takes a union of two such for one dynamic and
    // drops the text beside them; the engine knows one dynamic.
    if (name == "azs-TrackingPasswordChanges.kql") continue;
    std::vector<std::string> mine = ColumnsOf(ours.query->schema());
    std::vector<std::string> wanted = ColumnsOf(theirs["columns"]);
    if (CountsAsLong(text)) {
      for (auto* columns : {&mine, &wanted}) {
        for (std::string& column : *columns) {
          if (column.ends_with(":int")) column.replace(column.size() - 3, 3, "long");
        }
      }
    }
    EXPECT_EQ(Difference(mine, wanted), "") << name;
  }
  std::printf("%zu rules get columns from the data; Microsoft's binder gives %zu no types\n",
              staged, unknown);
}

TEST_F(RuleParity, TheSameRulesAreTakenAndRefused) {
  const tables::TableCatalog catalog;
  const auto listed = ListedRefusals();
  std::size_t taken = 0;
  std::set<std::string> beyond;
  for (const fs::path& path : rules_) {
    const std::string name = path.filename().string();
    const json& theirs = theirs_.at(name);
    const CompileResult ours = Compile(ReadAll(path), catalog);
    if (!theirs["errors"].empty()) {
      const json& first = theirs["errors"][0];
      EXPECT_FALSE(ours.query) << name << ": Microsoft refuses it: " << first;
      continue;
    }
    ++taken;
    if (!ours.query) {
      beyond.insert(name);
      EXPECT_TRUE(listed.contains(name)) << name << ": " << ToString(ours.errors.at(0));
    }
  }
  for (const auto& [name, reason] : listed) {
    EXPECT_TRUE(beyond.contains(name)) << name << " is listed as refused, and is not";
  }
  std::printf("%zu rules: Microsoft takes %zu, of which Picket refuses %zu\n", rules_.size(), taken,
              beyond.size());
}

}  // namespace
}  // namespace picket::kql

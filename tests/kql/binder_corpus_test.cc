// Our binder beside Microsoft's, over the shared corpora.

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>

#include "agent/kql/engine.h"
#include "tests/kql/binder_schemas.h"

namespace picket::kql {
namespace {

struct Score {
  std::size_t cases = 0;
  std::size_t bound = 0;
  std::size_t equal = 0;  // of the bound ones: same columns, same types
  std::map<std::string, std::size_t> refusals;
};

// Where the recorded engine gives another column than the binder promises, we follow the engine:
// these count as long and as real, a covariance is named after both of its arguments, ipv6_lookup
// gives the networks first, and scan a match's number only when asked for it.
bool EngineDiffersFromBinder(const nlohmann::json& record) {
  static const std::regex functions(
      R"(\b(ceiling|covariance\w*|day_?of(month|year)|get(month|year)|hourofday|jaccard_index)"
      R"(|monthofyear|datetime_part|week_?of_?year|ipv6_lookup)\s*\(|\bscan\s+declare\b)");
  return std::regex_search(record["query"].get<std::string>(), functions);
}

std::string Wanted(const nlohmann::json& schema) {
  std::string text;
  for (const auto& column : schema) text += (text.empty() ? "" : " ") + column.get<std::string>();
  return text;
}

Score ScoreOf(const std::string& file) {
  Score score;
  std::ifstream lines(std::string(PICKET_SHARED_DIR "/corpora/") + file);
  const TestCatalog none;
  for (std::string line; std::getline(lines, line);) {
    const auto record = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!record.is_object() || !record.contains("schema") || record["schema"].empty()) continue;
    ++score.cases;
    const CompileResult result = Compile(record["query"].get<std::string>(), none);
    if (!result.query) {
      const Diagnostic& error = result.errors.at(0);
      ++score.refusals[error.code + " " + error.message];
      // A name that the corpus's own tables would have is no news either.
      if (error.code != "PK100" && error.code != "KS204") {
        std::printf("  %s: %s\n", record["name"].get<std::string>().c_str(),
                    ToString(error).c_str());
      }
      continue;
    }
    if (EngineDiffersFromBinder(record)) continue;
    if (result.query->later() != nullptr) continue;  // only the data tells
    ++score.bound;
    const std::string got = ShowSchema(result.query->schema());
    if (got == Wanted(record["schema"])) {
      ++score.equal;
    } else {
      std::printf("  %s: %s\n    not %s\n", record["name"].get<std::string>().c_str(), got.c_str(),
                  Wanted(record["schema"]).c_str());
    }
  }
  for (const auto& [why, count] : score.refusals) {
    if (count >= 3) std::printf("  %3zu refused: %s\n", count, why.c_str());
  }
  std::printf("%s: %zu cases, %zu bound, %zu with Microsoft's schema\n", file.c_str(), score.cases,
              score.bound, score.equal);
  return score;
}

TEST(BinderCorpus, GivesTheSchemasOfTheEmulatorCases) {
  const Score score = ScoreOf("kql-oracle-emulator.jsonl");
  if (score.cases == 0) GTEST_SKIP() << "no corpora in " PICKET_SHARED_DIR;
  EXPECT_GE(score.bound, 70U);
  EXPECT_GE(static_cast<double>(score.equal), 0.98 * static_cast<double>(score.bound));
}

TEST(BinderCorpus, GivesTheSchemasOfTheDocumentedCases) {
  const Score score = ScoreOf("kql-conformance.jsonl");
  if (score.cases == 0) GTEST_SKIP() << "no corpora in " PICKET_SHARED_DIR;
  EXPECT_GE(score.bound, 80U);
  EXPECT_GE(static_cast<double>(score.equal), 0.98 * static_cast<double>(score.bound));
}

TEST(BinderCorpus, GivesTheSchemasOfTheFuzzCases) {
  const Score score = ScoreOf("kql-oracle-fuzz.jsonl");
  if (score.cases == 0) GTEST_SKIP() << "no corpora in " PICKET_SHARED_DIR;
  EXPECT_GE(score.bound, 600U);
  EXPECT_GE(static_cast<double>(score.equal), 0.98 * static_cast<double>(score.bound));
}

TEST(BinderCorpus, RefusesPublishedRulesOnlyByNameAndPlace) {
  if (AzureTables().empty()) GTEST_SKIP() << "no table schemas in " PICKET_SHARED_DIR;
  std::size_t bound = 0;
  std::size_t rules = 0;
  std::map<std::string, std::size_t> refusals;
  for (const auto& entry : std::filesystem::directory_iterator(PICKET_SHARED_DIR "/corpora/kql")) {
    if (entry.path().extension() != ".kql") continue;
    ++rules;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const CompileResult result = Compile(text, AzureTables());
    if (result.query) {
      ++bound;
      continue;
    }
    const Diagnostic& error = result.errors.at(0);
    EXPECT_FALSE(error.code.empty()) << entry.path();
    EXPECT_FALSE(error.message.empty()) << entry.path();
    EXPECT_GE(error.line, 1) << entry.path();
    EXPECT_GE(error.span.end, error.span.begin) << entry.path();
    ++refusals[error.code + " " + error.message];
  }
  for (const auto& [why, count] : refusals) std::printf("  %3zu %s\n", count, why.c_str());
  std::printf("%zu of %zu rules bind\n", bound, rules);
  EXPECT_GE(bound, 74U);
}

TEST(BinderCorpus, BindsTheSeedQueryAsItStands) {
  std::ifstream file(PICKET_SHARED_DIR "/seed/t1586-003.kql", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.empty() || AzureTables().empty()) GTEST_SKIP() << "no seed query in " PICKET_SHARED_DIR;
  const CompileResult result = Compile(text, AzureTables());
  ASSERT_TRUE(result.query) << ToString(result.errors.at(0));
  EXPECT_EQ(ShowSchema(result.query->schema()),
            "TimeGenerated:datetime UserPrincipalName:string AppDisplayName:string "
            "IPAddress:string CountryCode:string City:string ParsedBrowser:string ParsedOS:string "
            "RiskLevelDuringSignIn:string RiskLevelAggregated:string RiskState:string "
            "RiskEventTypes_V2:string ConditionalAccessStatus:string "
            "AuthenticationRequirement:string HomeTenantId:string ResourceTenantId:string "
            "AlertReason:string RiskIndicatorCount:long");
  EXPECT_TRUE(result.query->RowWise());
  EXPECT_EQ(result.query->Tables(), std::vector<std::string>{"SigninLogs"});
}

}  // namespace
}  // namespace picket::kql

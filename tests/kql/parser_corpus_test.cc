// The published rules of the shared corpora: all of them read, without a crash, and as far as the
// language goes.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "agent/kql/parser.h"

namespace picket::kql {
namespace {

std::vector<std::filesystem::path> Rules() {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(PICKET_SHARED_DIR "/corpora/kql", error)) {
    if (entry.path().extension() == ".kql") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string Read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ParserCorpus, ReadsThePublishedRules) {
  const std::vector<std::filesystem::path> rules = Rules();
  if (rules.empty()) GTEST_SKIP() << "no rules in " PICKET_SHARED_DIR "/corpora/kql";
  std::size_t read = 0;
  for (const std::filesystem::path& rule : rules) {
    const ParseResult result = Parse(Read(rule));
    if (result.error) {
      std::printf("  %s: %s\n", rule.filename().c_str(), ToString(*result.error).c_str());
    } else {
      ++read;
    }
  }
  std::printf("%zu of %zu rules parse\n", read, rules.size());
  // Microsoft's own parser finds one of these rules cut off in the middle.
  EXPECT_GE(read + 1, rules.size());
}

TEST(ParserCorpus, ReadsTheSeedQueryAsItStands) {
  const std::string text = Read(PICKET_SHARED_DIR "/seed/t1586-003.kql");
  if (text.empty()) GTEST_SKIP() << "no seed query in " PICKET_SHARED_DIR;
  const ParseResult result = Parse(text);
  ASSERT_FALSE(result.error) << ToString(*result.error);
  EXPECT_EQ(result.query.lets.size(), 1U);
  EXPECT_EQ(result.query.body->source.name, "SigninLogs");
  EXPECT_EQ(result.query.body->operators.size(), 15U);
}

// Cut anywhere, a query gives an error or a smaller query, never a crash.
TEST(ParserCorpus, EndsWellOnEveryPrefixOfARule) {
  const std::vector<std::filesystem::path> rules = Rules();
  if (rules.empty()) GTEST_SKIP() << "no rules in " PICKET_SHARED_DIR "/corpora/kql";
  for (std::size_t i = 0; i < rules.size(); i += 20) {
    const std::string text = Read(rules[i]);
    for (std::size_t length = 0; length < text.size(); length += 7) {
      const ParseResult result = Parse(std::string_view(text).substr(0, length));
      EXPECT_TRUE(!result.error || result.error->line >= 1);
    }
  }
}

}  // namespace
}  // namespace picket::kql

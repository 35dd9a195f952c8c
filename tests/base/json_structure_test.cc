#include "base/json_structure.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace picket {
namespace {

// The slow way: one character after the other.
std::vector<std::size_t> TokensOf(std::string_view text) {
  std::vector<std::size_t> tokens;
  bool in_string = false;
  bool in_scalar = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      if (!in_scalar) tokens.push_back(i);  // `true"a"` is one token, and no JSON
      in_string = true;
      in_scalar = false;
    } else if (std::string_view("{}[]:,").find(c) != std::string_view::npos) {
      tokens.push_back(i);
      in_scalar = false;
    } else if (std::string_view(" \n\r\t").find(c) != std::string_view::npos) {
      in_scalar = false;
    } else {
      if (!in_scalar) tokens.push_back(i);
      in_scalar = true;
    }
  }
  return tokens;
}

std::string RandomText(std::mt19937_64& random, std::size_t tokens) {
  static const std::vector<std::string> kParts = {"{",
                                                  "}",
                                                  "[",
                                                  "]",
                                                  ":",
                                                  ",",
                                                  " ",
                                                  "\n\t",
                                                  "true",
                                                  "-12.5e3",
                                                  "\"\"",
                                                  "\"a\"",
                                                  "\"\\\"\"",
                                                  "null",
                                                  "nul",
                                                  "\"\\\\\"",
                                                  "12x",
                                                  "\"{[,:]}\"",
                                                  "\"\xc3\xa4\"",
                                                  "\"long " + std::string(70, 'x') + "\"",
                                                  "\"\\\\\\\"\""};
  std::string text;
  for (std::size_t i = 0; i < tokens; ++i) text += kParts[random() % kParts.size()];
  return text;
}

TEST(JsonStructure, FindsTheTokensThatASlowReaderFinds) {
  std::mt19937_64 random(20261124);
  JsonStructure structure;
  for (int run = 0; run < 20'000; ++run) {
    const std::string text = RandomText(random, random() % 60 + 1);
    const std::vector<std::size_t> expected = TokensOf(text);
    const auto finding = structure.Read(text);
    if (expected.empty()) {
      EXPECT_NE(finding, JsonStructure::Finding::kSound) << text;
      continue;
    }
    ASSERT_EQ(finding, JsonStructure::Finding::kSound) << text;
    ASSERT_EQ(structure.size(), expected.size()) << text;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(structure.Token(i).data() - text.data(), static_cast<std::ptrdiff_t>(expected[i]))
          << text;
      ASSERT_EQ(structure.At(i), text[expected[i]]);
    }
    EXPECT_EQ(structure.At(expected.size()), '\0');
  }
}

TEST(JsonStructure, ATokenIsWhatStandsThereWithoutWhiteSpace) {
  JsonStructure structure;
  ASSERT_EQ(structure.Read("{ \"a b\" :\t12 , \"c\":tru }"), JsonStructure::Finding::kSound);
  EXPECT_EQ(structure.Token(1), "\"a b\"");
  EXPECT_EQ(structure.Token(3), "12");
  EXPECT_EQ(structure.Token(7), "tru");
  EXPECT_EQ(structure.Token(8), "}");
  EXPECT_EQ(structure.Token(9), "");
}

TEST(JsonStructure, TheLastTokenOfAValueIsTheBracketThatClosesIt) {
  JsonStructure structure;
  ASSERT_EQ(structure.Read(R"([{"a":[1,{}]},7])"), JsonStructure::Finding::kSound);
  EXPECT_EQ(structure.Last(0), structure.size() - 1);
  EXPECT_EQ(structure.Span(1, structure.Last(1).value()), R"({"a":[1,{}]})");
  EXPECT_EQ(structure.Last(2), 2U) << "a string is its own last token";
  ASSERT_EQ(structure.Read(R"({"a":[1)"), JsonStructure::Finding::kSound);
  EXPECT_EQ(structure.Last(0), std::nullopt) << "nothing closes it";
  ASSERT_EQ(structure.Read("]"), JsonStructure::Finding::kSound);
  EXPECT_EQ(structure.Last(0), std::nullopt) << "nothing opens it";
}

TEST(JsonStructure, WhatIsNoTextOrHasOpenStringsIsNotSound) {
  JsonStructure structure;
  EXPECT_EQ(structure.Read(""), JsonStructure::Finding::kBroken);
  EXPECT_EQ(structure.Read("{\"a"), JsonStructure::Finding::kBroken);
  EXPECT_EQ(structure.Read("{\"a\nb\":1}"), JsonStructure::Finding::kBroken);
  EXPECT_EQ(structure.Read("{\"\xff\":1}"), JsonStructure::Finding::kNotUtf8);
  EXPECT_EQ(structure.size(), 0U);
  EXPECT_EQ(structure.At(0), '\0');
  EXPECT_EQ(structure.Read("{}"), JsonStructure::Finding::kSound) << "and reads the next text";
  EXPECT_EQ(structure.size(), 2U);
}

TEST(JsonStructure, TextsOfAnyLengthAreReadOneAfterTheOther) {
  JsonStructure structure;
  for (const std::size_t length : {1U, 63U, 64U, 65U, 4095U, 4096U, 4097U, 100'000U, 3U}) {
    const std::string text = "[" + std::string(length, ' ') + "\"x\"]";
    ASSERT_EQ(structure.Read(text), JsonStructure::Finding::kSound) << length;
    EXPECT_EQ(structure.size(), 3U) << length;
  }
}

}  // namespace
}  // namespace picket

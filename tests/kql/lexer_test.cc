#include "agent/kql/lexer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace picket::kql {
namespace {

using ::testing::HasSubstr;

// The one literal that the text is.
Value LiteralOf(std::string_view text) {
  const LexResult result = Lex(text);
  EXPECT_FALSE(result.error) << text << ": " << ToString(*result.error);
  EXPECT_EQ(result.tokens.size(), 2U) << text;
  EXPECT_EQ(result.tokens[0].kind, TokenKind::kLiteral) << text;
  return result.tokens[0].value;
}

Diagnostic ErrorOf(std::string_view text) {
  const LexResult result = Lex(text);
  EXPECT_TRUE(result.error) << text;
  return result.error.value_or(Diagnostic{});
}

TEST(Lexer, ReadsWholeNumbersAsLong) {
  EXPECT_EQ(LiteralOf("42").type, Type::kLong);
  EXPECT_EQ(LiteralOf("42").number, 42);
  EXPECT_EQ(LiteralOf("0x1F").number, 31);
  EXPECT_EQ(Lex("- 9223372036854775808").tokens[1].value.number, INT64_MIN);
  EXPECT_EQ(LiteralOf("9223372036854775807").number, INT64_MAX);
  EXPECT_EQ(LiteralOf("long(-5)").number, -5);
  EXPECT_EQ(LiteralOf("int(7)").type, Type::kInt);
  EXPECT_TRUE(LiteralOf("int(null)").null);
}

TEST(Lexer, ReadsReals) {
  EXPECT_EQ(LiteralOf("1.5").type, Type::kReal);
  EXPECT_EQ(LiteralOf("1.5").real, 1.5);
  EXPECT_EQ(LiteralOf("2e3").real, 2000.0);
  EXPECT_EQ(LiteralOf("real(-0.25)").real, -0.25);
}

TEST(Lexer, ReadsTimespansWithTheirUnits) {
  EXPECT_EQ(LiteralOf("1d").number, 864'000'000'000);
  EXPECT_EQ(LiteralOf("1.5h").number, 54'000'000'000);
  EXPECT_EQ(LiteralOf("30m").number, 18'000'000'000);
  EXPECT_EQ(LiteralOf("100ms").number, 1'000'000);
  EXPECT_EQ(LiteralOf("1tick").number, 1);
  EXPECT_EQ(LiteralOf("timespan(0.12:34:56.7)").number, 452'967'000'000);
  EXPECT_EQ(LiteralOf("time(2d)").number, 2 * 864'000'000'000);
}

TEST(Lexer, ReadsTimesAsTicksSinceYearOne) {
  // The figure is the real engine's for the first second of 1970.
  EXPECT_EQ(LiteralOf("datetime(1970-01-01)").number, 621'355'968'000'000'000);
  EXPECT_EQ(LiteralOf("datetime(1970-01-01 00:00:01.5)").number, 621'355'968'015'000'000);
  // The looser forms that Kusto takes too.
  const std::int64_t may_12 = LiteralOf("datetime(1970-05-12)").number;
  EXPECT_EQ(LiteralOf("datetime(1970-5-12)").number, may_12);
  EXPECT_EQ(LiteralOf("datetime(1970, 5, 12)").number, may_12);
  EXPECT_EQ(LiteralOf("datetime('05-12-1970')").number, may_12);
  EXPECT_EQ(LiteralOf("datetime(5/12/1970 9:30)").number, may_12 + 342'000'000'000);
  EXPECT_TRUE(LiteralOf("datetime(null)").null);
}

TEST(Lexer, ReadsEveryFormOfString) {
  EXPECT_EQ(LiteralOf(R"("a\tb\"")").text, "a\tb\"");
  EXPECT_EQ(LiteralOf(R"('a\\b')").text, "a\\b");
  EXPECT_EQ(LiteralOf(R"(@"C:\x""y")").text, "C:\\x\"y");
  EXPECT_EQ(LiteralOf("@'it''s'").text, "it's");
  EXPECT_EQ(LiteralOf("```one\ntwo \"q\" ```").text, "one\ntwo \"q\" ");
  EXPECT_EQ(LiteralOf(R"(h"secret")").text, "secret");
  EXPECT_EQ(LiteralOf(R"(h@'a\b')").text, "a\\b");
  EXPECT_EQ(LiteralOf("'\\u00e9'").text, "é");
}

TEST(Lexer, JoinsStringsThatStandSideBySide) {
  EXPECT_EQ(LiteralOf(R"("one " 'two '  @"three")").text, "one two three");
}

TEST(Lexer, ReadsDynamicAsCompactJson) {
  EXPECT_EQ(LiteralOf(R"(dynamic([ "a", 1, {"b" : null} ]))").text, R"(["a",1,{"b":null}])");
  EXPECT_EQ(LiteralOf("dynamic(['a)', 'b'])").text, R"x(["a)","b"])x");
  EXPECT_TRUE(LiteralOf("dynamic(null)").null);
}

TEST(Lexer, ReadsBoolsAndGuids) {
  EXPECT_EQ(LiteralOf("true").number, 1);
  EXPECT_EQ(LiteralOf("bool(false)").number, 0);
  EXPECT_EQ(LiteralOf("guid(74BE27DE-1E4E-49D9-B579-FE0B331D3642)").text,
            "74be27de-1e4e-49d9-b579-fe0b331d3642");
}

TEST(Lexer, LeavesCommentsOutAndKeepsSlashesInStrings) {
  const LexResult result = Lex("a // b\n\"c // d\" // e");
  ASSERT_FALSE(result.error);
  ASSERT_EQ(result.tokens.size(), 3U);
  EXPECT_EQ(result.tokens[0].text, "a");
  EXPECT_EQ(result.tokens[1].value.text, "c // d");
}

TEST(Lexer, TellsHyphenatedWordsFromSubtraction) {
  EXPECT_EQ(Lex("project-away").tokens.size(), 2U);
  EXPECT_EQ(Lex("project-x").tokens.size(), 4U);
  EXPECT_EQ(Lex("['a b']").tokens[0].kind, TokenKind::kQuoted);
  EXPECT_EQ(Lex("['a b']").tokens[0].text, "a b");
}

TEST(Lexer, SaysWhereAnErrorIsInCodePoints) {
  const Diagnostic error = ErrorOf("print\n  \"é\" 'x");
  EXPECT_EQ(error.code, "KS001");
  EXPECT_EQ(error.line, 2);
  EXPECT_EQ(error.column, 7);  // the é counts once
}

TEST(Lexer, RefusesWhatIsNoLiteral) {
  EXPECT_THAT(ErrorOf("datetime(yesterday)").message, HasSubstr("datetime"));
  EXPECT_THAT(ErrorOf("dynamic([1,)").message, HasSubstr("dynamic"));
  EXPECT_THAT(ErrorOf("12parsecs").message, HasSubstr("12parsecs"));
  EXPECT_THAT(ErrorOf("92233720368547758080").message, HasSubstr("too large"));
  EXPECT_EQ(ErrorOf("print \x01").code, "KS001");
}

TEST(Lexer, RefusesTooMuchAndWhatIsNotText) {
  EXPECT_EQ(ErrorOf(std::string(kMaxQueryBytes + 1, ' ')).code, "PK002");
  EXPECT_EQ(ErrorOf("print '\xff'").code, "PK001");
  EXPECT_FALSE(Lex(std::string(kMaxQueryBytes, ' ')).error);
}

}  // namespace
}  // namespace picket::kql

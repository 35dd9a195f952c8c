#include "base/text.h"

#include <gtest/gtest.h>

#include <map>

#include "base/result.h"
#include "base/uuid.h"

namespace picket {
namespace {

TEST(TextTest, Utf8IsJudgedByTheBook) {
  EXPECT_TRUE(IsValidUtf8("Grüße, мир, 😀"));
  for (const char* bad : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80", "\xE2\x82"}) {
    EXPECT_FALSE(IsValidUtf8(bad));
    EXPECT_TRUE(IsValidUtf8(ToValidUtf8(bad)));
  }
}

TEST(TextTest, TerminalControlIsMadeVisible) {
  EXPECT_EQ(EscapeTerminal("a\x1b[31mb"), "a\\u{1b}[31mb");
  EXPECT_EQ(EscapeTerminal("a\xE2\x80\xAE"
                           "b"),
            "a\\u{202e}b");
  EXPECT_EQ(EscapeTerminal("\xff"), "\\xff");
  EXPECT_EQ(EscapeTerminal("Grüße 😀"), "Grüße 😀");
}

TEST(TextTest, HtmlIsEscapedForContentAndAttributes) {
  EXPECT_EQ(EscapeHtml("<img src=x onerror='a(\"b\")'>&"),
            "&lt;img src=x onerror=&#39;a(&quot;b&quot;)&#39;&gt;&amp;");
}

TEST(TextTest, CsvHasNoFormulas) {
  EXPECT_EQ(EscapeCsv("=1+1"), "'=1+1");
  EXPECT_EQ(EscapeCsv("@SUM(A1)"), "'@SUM(A1)");
  EXPECT_EQ(EscapeCsv("a,\"b\""), "\"a,\"\"b\"\"\"");
  EXPECT_EQ(EscapeCsv("plain"), "plain");
}

TEST(TextTest, TheNearestNameIsATypingMistakeAway) {
  EXPECT_EQ(Nearest("tenat_id", {"tenant_id", "name"}), "tenant_id");
  EXPECT_EQ(Nearest("zzz", {"tenant_id", "name"}), "");
}

// Vectors: FIPS 180-2; RFC 9562 appendix A.4.
TEST(TextTest, DigestsAreThoseOfTheStandards) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const Guid dns = ParseGuid("6ba7b810-9dad-11d1-80b4-00c04fd430c8").value();
  EXPECT_EQ(ToString(Uuid5(dns, "www.example.com")), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

TEST(TextTest, Base64UrlHasNoPadding) {
  EXPECT_EQ(Base64UrlEncode(""), "");
  EXPECT_EQ(Base64UrlEncode("f"), "Zg");
  EXPECT_EQ(Base64UrlEncode("\xfb\xff"), "-_8");
}

TEST(TextTest, GuidsAreReadStrictly) {
  EXPECT_TRUE(ParseGuid("18E9803A-3394-580e-b321-53d788c2c042"));
  for (const char* bad :
       {"", "18e9803a-3394-580e-b321-53d788c2c04", "18e9803a33943394580eb32153d788c2c042",
        "18e9803a-3394-580e-b321-53d788c2c04g"}) {
    EXPECT_FALSE(ParseGuid(bad)) << bad;
  }
}

TEST(TextTest, EveryKindOfErrorHasANameAndTheExitOfTheDesign) {
  const std::map<std::string_view, int> exits = {
      {"invalid_config", 78},   {"auth", 77},     {"permission", 77},   {"throttled", 69},
      {"transient", 69},        {"shrink", 69},   {"expired_page", 69}, {"storage", 74},
      {"unexpected_reply", 69}, {"not_found", 1}, {"refused", 1},       {"limit", 1},
      {"cancelled", 130},       {"internal", 70}};
  std::map<std::string_view, int> actual;
  for (int i = 0; i <= static_cast<int>(ErrorKind::kInternal); ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    actual[ErrorKindName(kind)] = ExitCodeFor(kind);
  }
  EXPECT_EQ(actual, exits);
}

TEST(TextTest, AnErrorSaysWhereItHappenedOutermostFirst) {
  const auto fails = []() -> Status {
    return Fail(Error{.kind = ErrorKind::kAuth, .message = "refused"}.In("token").In("contoso"));
  };
  const auto outer = [&]() -> Result<int> {
    PK_RETURN_IF_ERROR(fails());
    return 1;
  };
  EXPECT_EQ(outer().error().message, "contoso: token: refused");
}

}  // namespace
}  // namespace picket

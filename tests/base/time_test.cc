#include "base/time.h"

#include <gtest/gtest.h>

#include <ctime>

namespace picket {
namespace {

TEST(TimeTest, TheUnixEpochIsWhereKustoPutsIt) {
  EXPECT_EQ(ParseRfc3339("1970-01-01T00:00:00Z").value().ticks, 621355968000000000);
  EXPECT_EQ(ParseRfc3339("0001-01-01T00:00:00Z").value().ticks, 0);
}

TEST(TimeTest, GraphsFractionsAreKeptToATick) {
  const Instant t = ParseRfc3339("2020-03-13T19:15:41.6195833Z").value();
  EXPECT_EQ(FormatRfc3339(t), "2020-03-13T19:15:41.6195833Z");
  EXPECT_EQ(FormatKusto(t), "2020-03-13T19:15:41.6195833Z");
  EXPECT_EQ(FormatGraph(t), "2020-03-13T19:15:41.619Z");
  EXPECT_EQ(ParseRfc3339("2021-06-30T16:34:32.123456789Z").value().ticks % 10'000'000, 1234567);
}

TEST(TimeTest, OffsetsAreBroughtToUtc) {
  EXPECT_EQ(FormatRfc3339(ParseRfc3339("2026-01-01T01:30:00+02:00").value()),
            "2025-12-31T23:30:00Z");
}

TEST(TimeTest, WhatIsNoDateIsRefused) {
  for (const char* text : {"", "2026", "2026-02-30", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z",
                           "2026-01-01T00:61Z", "2026-01-01T00:00:00+99:00",
                           "2026-01-01T00:00:00Zx", "0000-01-01", "2026-01-01T00:00:00."}) {
    EXPECT_FALSE(ParseRfc3339(text)) << text;
  }
}

// gmtime of the C library is the oracle.
TEST(TimeTest, CivilTimeAgreesWithTheCLibrary) {
  for (std::int64_t day = -719162; day < 2'932'896; day += 373) {
    const std::time_t seconds = day * 86400 + 12345;
    std::tm tm{};
    ASSERT_NE(gmtime_r(&seconds, &tm), nullptr);
    const CivilTime civil = ToCivil(Instant::FromUnixMillis(seconds * 1000));
    ASSERT_EQ(civil.year, tm.tm_year + 1900);
    ASSERT_EQ(civil.month, tm.tm_mon + 1);
    ASSERT_EQ(civil.day, tm.tm_mday);
    ASSERT_EQ(civil.hour, tm.tm_hour);
    ASSERT_EQ(FromCivil(civil), Instant::FromUnixMillis(seconds * 1000));
  }
}

TEST(TimeTest, HttpDatesAreReadInAllThreeForms) {
  const Instant expected = ParseRfc3339("1994-11-06T08:49:37Z").value();
  EXPECT_EQ(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT").value(), expected);
  EXPECT_EQ(ParseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT").value(), expected);
  EXPECT_EQ(ParseHttpDate("Sun Nov  6 08:49:37 1994").value(), expected);
  EXPECT_EQ(FormatHttpDate(expected), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_FALSE(ParseHttpDate("tomorrow"));
}

TEST(TimeTest, SpansAreReadAndWrittenAsTheConfigHasThem) {
  EXPECT_EQ(ParseTimespan("90d").value(), kDay * 90);
  EXPECT_EQ(ParseTimespan("1h30m").value(), kMinute * 90);
  EXPECT_EQ(ParseTimespan("0").value(), Timespan{});
  EXPECT_EQ(FormatTimespan(kMinute * 90), "1h30m");
  for (const char* text : {"", "5", "d", "5x", "-5m", "99999999d"}) {
    EXPECT_FALSE(ParseTimespan(text)) << text;
  }
}

TEST(TimeTest, IsoDurationsOfSentinelAreRead) {
  EXPECT_EQ(ParseIsoDuration("PT1H").value(), kHour);
  EXPECT_EQ(ParseIsoDuration("P14D").value(), kDay * 14);
  EXPECT_EQ(ParseIsoDuration("P1DT12H").value(), kHour * 36);
  for (const char* text : {"", "P", "PT", "1H", "PT1", "P1H"}) {
    EXPECT_FALSE(ParseIsoDuration(text)) << text;
  }
}

}  // namespace
}  // namespace picket

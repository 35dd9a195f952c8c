#include "agent/tables/csv.h"

#include <gtest/gtest.h>

namespace picket::tables {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows ReadRows(std::string_view text) {
  CsvReader reader(text);
  Rows rows;
  while (auto row = reader.Next()) rows.push_back(*std::move(row));
  return rows;
}

TEST(Csv, ReadsQuotedCellsWithCommasQuotesAndLineBreaks) {
  EXPECT_EQ(ReadRows("a,\"b,\"\"c\"\"\",\"d\r\ne\"\r\n1,,\"\"\r\n"),
            (Rows{{"a", "b,\"c\"", "d\r\ne"}, {"1", "", ""}}));
}

TEST(Csv, SkipsTheByteOrderMarkAndEmptyLines) {
  EXPECT_EQ(ReadRows("\xEF\xBB\xBF"
                     "a,b\n\n1,2"),
            (Rows{{"a", "b"}, {"1", "2"}}));
}

TEST(Csv, TellsWhereARowBeginsThoughCellsSpanLines) {
  CsvReader reader("h\n\"x\ny\"\nz\n");
  std::vector<std::int64_t> lines;
  while (reader.Next()) lines.push_back(reader.line());
  EXPECT_EQ(lines, (std::vector<std::int64_t>{1, 2, 4}));
}

TEST(Csv, NoticesAQuoteThatNeverCloses) {
  CsvReader reader("a\n\"b\nc");
  ASSERT_TRUE(reader.Next());
  EXPECT_FALSE(reader.cut_short());
  ASSERT_TRUE(reader.Next());
  EXPECT_TRUE(reader.cut_short());
}

TEST(PortalTime, IsReadInBothHalvesOfTheDay) {
  EXPECT_EQ(PortalTimeToRfc3339("4/19/2021, 12:13:19.483 PM"), "2021-04-19T12:13:19.483Z");
  EXPECT_EQ(PortalTimeToRfc3339("4/19/2021, 12:13:19.483 AM"), "2021-04-19T00:13:19.483Z");
  EXPECT_EQ(PortalTimeToRfc3339("12/1/2021, 1:02:03 PM"), "2021-12-01T13:02:03Z");
}

TEST(PortalTime, OfNoDayOfTheCalendarIsNone) {
  for (const char* text : {"2/30/2021, 1:00:00 PM", "4/19/2021, 13:00:00 PM", "4/19/2021", "",
                           "4/19/2021, 1:00:00", "x/19/2021, 1:00:00 PM"}) {
    EXPECT_EQ(PortalTimeToRfc3339(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace picket::tables

#include "agent/outputs/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/outputs/sample_report.h"

namespace picket::outputs {
namespace {

using testing::HasSubstr;
using testing::Not;

std::size_t Times(const std::string& text, const std::string& part) {
  std::size_t times = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++times;
  }
  return times;
}

TEST(ReportHtmlTest, HostileTextBecomesNoMarkup) {
  const std::string html = ReportHtml(Sample(kHostile));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;"));
  // The same tags as with harmless text: nothing of the hostile one is markup.
  const std::string harmless = ReportHtml(Sample("harmless"));
  EXPECT_EQ(Times(html, "<"), Times(harmless, "<"));
  EXPECT_EQ(Times(html, "\""), Times(harmless, "\""));
}

TEST(ReportHtmlTest, ThePageForbidsScriptsAndRequests) {
  const std::string html = ReportHtml(Sample("text"));
  EXPECT_THAT(html, HasSubstr("Content-Security-Policy\" content=\"default-src 'none';"));
  EXPECT_THAT(html, Not(HasSubstr("http://")));
  EXPECT_THAT(html, Not(HasSubstr("https://")));
  EXPECT_LT(html.find("Content-Security-Policy"), html.find("<style"));
}

TEST(ReportHtmlTest, CountsAreThoseOfTheIncidents) {
  const std::string html = ReportHtml(Sample("text"));
  EXPECT_EQ(Times(html, "<article"), 4U);
  EXPECT_EQ(Times(html, "<section class=\"alert\""), 5U);
  EXPECT_THAT(html, HasSubstr(R"(<li class="count-p1"><span class="tag p1">P1</span><b>2</b>)"));
  EXPECT_THAT(html, HasSubstr(R"(<li class="count-p2"><span class="tag p2">P2</span><b>0</b>)"));
  EXPECT_THAT(html, HasSubstr(R"(<li class="count-p5"><span class="tag p5">P5</span><b>1</b>)"));
}

TEST(ReportHtmlTest, AnEmptyReportSaysWhatWasRead) {
  Report report = Sample("text");
  report.incidents.clear();
  EXPECT_THAT(ReportHtml(report), HasSubstr("Nothing was found"));
}

TEST(ReportJsonTest, TheJsonIsWholeAndBytesThatAreNoTextDoNotBreakIt) {
  const auto json = nlohmann::json::parse(ReportJson(Sample(kHostile + "\xff\n")), nullptr, false);
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["incidents"].size(), 4U);
  EXPECT_EQ(json["incidents"][0]["alerts"].size(), 2U);
  EXPECT_EQ(json["coverage"][0]["streams"][0]["events"], 7);
}

TEST(ReportCsvTest, NoCellIsAFormula) {
  for (const char* start : {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0"}) {
    const std::string csv = ReportCsv(Sample(start));
    for (const char* before : {",", ",\"", "\n", "\n\""}) {
      EXPECT_THAT(csv, Not(HasSubstr(std::string(before) + start))) << csv;
    }
  }
}

// An RFC 4180 reader of its own.
std::vector<std::vector<std::string>> ReadCsv(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1, std::vector<std::string>(1));
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        rows.back().back() += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        rows.back().back() += text[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      rows.back().emplace_back();
    } else if (c == '\n') {
      rows.emplace_back(1);
    } else if (c != '\r') {
      rows.back().back() += c;
    }
  }
  rows.pop_back();
  return rows;
}

TEST(ReportCsvTest, EveryAlertIsOneRowOfAsManyCellsAsTheHeader) {
  const auto rows = ReadCsv(ReportCsv(Sample("a,\"b\"\nc")));
  ASSERT_EQ(rows.size(), 6U);  // header and five alerts
  for (const auto& row : rows) EXPECT_EQ(row.size(), rows[0].size());
  EXPECT_EQ(rows[1][1], "a,\"b\"\nc");
}

}  // namespace
}  // namespace picket::outputs

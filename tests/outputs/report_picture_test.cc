// The report as a person sees it: in a real browser, on a phone, a screen and on paper.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "tests/outputs/browser.h"
#include "tests/outputs/png.h"
#include "tests/outputs/sample_report.h"

namespace picket::outputs {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// The colours of the priorities, as the page's style gives them for light screens.
constexpr Colour kP1 = {0xA4, 0x0E, 0x26}, kP2 = {0xBC, 0x4C, 0x00}, kP3 = {0x7D, 0x4E, 0x00},
                 kP4 = {0x05, 0x50, 0xAE}, kP5 = {0x57, 0x60, 0x6A};

// One browser for all tests: it takes seconds to start.
class PictureTest : public testing::Test {
 protected:
  static void TearDownTestSuite() { browser_.reset(); }
  void SetUp() override {
    if (!Browser::Installed()) {
      GTEST_SKIP() << "chromium is missing: the report was not looked at in a browser";
    }
    if (browser_ == nullptr) browser_ = Browser::Start();
    ASSERT_NE(browser_, nullptr) << "chromium does not start";
  }
  static std::unique_ptr<Browser> browser_;
};
std::unique_ptr<Browser> PictureTest::browser_;

// How many bars of the colour stand below one another in the column of pixels. An incident has one
// at its left, as high as it is; text is never that high.
int BarsIn(const Picture& picture, std::size_t x, const Colour& colour) {
  int bars = 0;
  std::size_t run = 0;
  for (std::size_t y = 0; y <= picture.height; ++y) {
    if (y < picture.height && picture.At(x, y) == colour) {
      ++run;
      continue;
    }
    if (run >= 100) ++bars;
    run = 0;
  }
  return bars;
}

// Of the column that has most of them.
int Bars(const Picture& picture, const Colour& colour) {
  int most = 0;
  for (std::size_t x = 0; x < picture.width; ++x) {
    most = std::max(most, BarsIn(picture, x, colour));
  }
  return most;
}

// The share of pixels that are not the commonest colour.
double Inked(const Picture& picture, std::size_t* colours) {
  std::map<Colour, std::size_t> counts;
  for (const Colour& colour : picture.pixels) ++counts[colour];
  *colours = counts.size();
  std::size_t most = 0;
  for (const auto& [colour, count] : counts) most = std::max(most, count);
  return 1.0 - static_cast<double>(most) / static_cast<double>(picture.pixels.size());
}

class ScreenTest : public PictureTest, public testing::WithParamInterface<int> {};

TEST_P(ScreenTest, ShowsEveryIncidentWithinTheWidthAndComplainsOfNothing) {
  const int width = GetParam();
  ASSERT_TRUE(browser_->Open(ReportHtml(Sample(kHostile)), width));
  EXPECT_THAT(browser_->complaints(), IsEmpty());
  EXPECT_EQ(browser_->Value("document.title"), "Picket report");
  EXPECT_EQ(browser_->Value("document.querySelectorAll('article').length"), 4);
  EXPECT_EQ(browser_->Value("document.querySelectorAll('section.alert').length"), 5);
  EXPECT_EQ(browser_->Value("document.querySelectorAll('script,img').length"), 0);
  EXPECT_EQ(browser_->Value("[...document.querySelectorAll('.counts b')].map(b => b.innerText)"),
            nlohmann::json::parse(R"(["2","0","1","0","1"])"));
  EXPECT_EQ(browser_->Value("innerWidth"), width);
  EXPECT_EQ(browser_->Value("document.documentElement.scrollWidth"), width)
      << "it must be scrolled sideways";

  const auto picture = ReadPng(browser_->Screenshot());
  ASSERT_TRUE(picture) << "the screenshot is no PNG";
  EXPECT_EQ(picture->width, static_cast<std::size_t>(width));
  EXPECT_GT(picture->height, 1000U);
  std::size_t colours = 0;
  EXPECT_GT(Inked(*picture, &colours), 0.05) << "the page is all but blank";
  EXPECT_GT(colours, 50U);
  EXPECT_EQ(Bars(*picture, kP1), 2);
  EXPECT_EQ(Bars(*picture, kP2), 0);
  EXPECT_EQ(Bars(*picture, kP3), 1);
  EXPECT_EQ(Bars(*picture, kP4), 0);
  EXPECT_EQ(Bars(*picture, kP5), 1);
}

TEST_P(ScreenTest, LongWordsAreBroken) {
  ASSERT_TRUE(browser_->Open(ReportHtml(Sample(std::string(400, 'w'))), GetParam()));
  EXPECT_EQ(browser_->Value("document.documentElement.scrollWidth"), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Widths, ScreenTest, testing::Values(360, 1280),
                         [](const auto& one) { return std::to_string(one.param); });

TEST_F(PictureTest, AnEmptyReportIsNoBlankPage) {
  Report report = Sample("text");
  report.incidents.clear();
  ASSERT_TRUE(browser_->Open(ReportHtml(report), 1280));
  EXPECT_THAT(browser_->complaints(), IsEmpty());
  const auto picture = ReadPng(browser_->Screenshot());
  ASSERT_TRUE(picture);
  std::size_t colours = 0;
  EXPECT_GT(Inked(*picture, &colours), 0.005);
  EXPECT_EQ(Bars(*picture, kP1), 0);
}

// The text operators of all content streams of a PDF, which are packed.
std::size_t TextOperators(const std::string& pdf) {
  std::size_t operators = 0;
  for (std::size_t at = pdf.find("stream\n"); at != std::string::npos;
       at = pdf.find("stream\n", at + 1)) {
    const std::size_t begin = at + 7, end = pdf.find("endstream", begin);
    if (end == std::string::npos) break;
    std::string raw(std::size_t{4} << 20, '\0');
    uLongf length = raw.size();
    if (::uncompress(reinterpret_cast<Bytef*>(raw.data()), &length,
                     reinterpret_cast<const Bytef*>(pdf.data()) + begin, end - begin) != Z_OK) {
      continue;  // a font or a picture of another kind
    }
    raw.resize(length);
    const std::regex shown("\\b(Tj|TJ)\\b");
    operators += static_cast<std::size_t>(
        std::distance(std::sregex_iterator(raw.begin(), raw.end(), shown), {}));
  }
  return operators;
}

TEST_F(PictureTest, OnPaperTheEvidenceIsOpen) {
  ASSERT_TRUE(browser_->Open(ReportHtml(Sample(kHostile)), 1280));
  const char* shown =
      "[...document.querySelectorAll('details table')].filter(t => "
      "t.checkVisibility({contentVisibilityAuto: true})).length";
  EXPECT_EQ(browser_->Value(shown), 0) << "closed on a screen";
  browser_->ShowFor("print");
  EXPECT_TRUE(browser_->Becomes(shown, 5)) << browser_->Value(shown);
  const std::string pdf = browser_->Pdf();
  EXPECT_THAT(pdf.substr(0, 5), "%PDF-");
  EXPECT_THAT(pdf.substr(pdf.size() - 10), HasSubstr("%%EOF"));
  const std::regex page("/Type\\s*/Page\\b");
  const auto pages = std::distance(std::sregex_iterator(pdf.begin(), pdf.end(), page), {});
  EXPECT_GE(pages, 2);
  EXPECT_LE(pages, 20);
  EXPECT_GT(TextOperators(pdf), 50U) << "the pages are blank";
  EXPECT_THAT(browser_->complaints(), IsEmpty());
}

// The second wall, and proof that the tests above would see a complaint.
TEST_F(PictureTest, AScriptThatGotIntoThePageWouldNotRun) {
  std::string html = ReportHtml(Sample("text"));
  html.insert(html.find("</main>"), "<script>document.title='owned'</script>");
  ASSERT_TRUE(browser_->Open(html, 1280));
  EXPECT_EQ(browser_->Value("document.title"), "Picket report");
  ASSERT_THAT(browser_->complaints(), SizeIs(1));
  EXPECT_THAT(browser_->complaints()[0], HasSubstr("Content Security Policy"));
}

// And that they would see an overflow and a blank page.
TEST_F(PictureTest, WhatIsTooWideOrBlankIsSeen) {
  ASSERT_TRUE(browser_->Open("<!DOCTYPE html><div style='width:900px'>x</div>", 360));
  EXPECT_GE(browser_->Value("document.documentElement.scrollWidth"), 900);
  ASSERT_TRUE(browser_->Open("<!DOCTYPE html><title>x</title>", 360));
  const auto picture = ReadPng(browser_->Screenshot());
  ASSERT_TRUE(picture);
  std::size_t colours = 0;
  EXPECT_EQ(Inked(*picture, &colours), 0.0);
  EXPECT_EQ(colours, 1U);
}

}  // namespace
}  // namespace picket::outputs

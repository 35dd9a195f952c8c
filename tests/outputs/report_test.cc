#include "agent/outputs/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/uuid.h"

namespace picket::outputs {
namespace {

using testing::HasSubstr;
using testing::Not;

// What an attacker may choose: names of users, applications, browsers, devices.
const std::string kHostile =
    R"("><script>document.title='owned'</script><img src=x onerror=alert(1)>'&)";

alerts::AlertView Alert(const std::string& id, alerts::Priority priority, const std::string& text) {
  const Instant time = ParseRfc3339("2026-11-24T09:00:00Z").value();
  return {.id = id,
          .tenant = text,
          .rule = "rule",
          .title = text,
          .description = text,
          .priority = priority,
          .status = text,
          .closed_reason = text,
          .entity = {.type = "user", .id = text, .name = text},
          .first_seen = time,
          .last_seen = time,
          .count = 2,
          .tactics = {text},
          .techniques = {text},
          .reasons = {text},
          .priority_why = {text},
          .next_steps = {text},
          .false_positives = {text},
          .evidence = {{.finding_id = text,
                        .time = time,
                        .columns = {{text, text}, {"City", text}, {"IPAddress", text}}}}};
}

// Incidents of P1, P1, P3, and P5, each with one alert; the first with two.
Report Sample(const std::string& text) {
  Report report{.generated = ParseRfc3339("2026-11-24T10:00:00Z").value(),
                .version = text,
                .coverage = {{.tenant = text,
                              .streams = {{.name = text,
                                           .state = text,
                                           .complete_to = text,
                                           .events = 7,
                                           .note = text}}}},
                .incidents = {}};
  int number = 0;
  for (const auto priority : {alerts::Priority::kP1, alerts::Priority::kP1, alerts::Priority::kP3,
                              alerts::Priority::kP5}) {
    const std::string id = "incident-" + std::to_string(++number);
    alerts::IncidentView incident{.id = text + id,
                                  .tenant = text,
                                  .title = text,
                                  .priority = priority,
                                  .status = text,
                                  .closed_reason = text,
                                  .entity = {.type = "user", .id = text, .name = text},
                                  .first_seen = report.generated,
                                  .last_seen = report.generated,
                                  .alerts = {Alert("a" + id, priority, text)}};
    if (number == 1) incident.alerts.push_back(Alert("b" + id, priority, text));
    report.incidents.push_back(std::move(incident));
  }
  return report;
}

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

// A real browser, headless; its words and the page as it understood it.
class BrowserTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::path(testing::TempDir()) / ("picket-report-" + ToString(Uuid4()));
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  struct Seen {
    std::string dom, words;
  };
  [[nodiscard]] Seen Open(const std::string& html) const {
    std::ofstream(directory_ / "report.html", std::ios::binary) << html;
    const std::string words = (directory_ / "words").string();
    const std::string command =
        "timeout 90 chromium --headless --no-sandbox --disable-gpu --no-first-run "
        "--disable-background-networking --disable-component-update --disable-sync "
        "--user-data-dir='" +
        (directory_ / "profile").string() + "' --enable-logging=stderr --v=0 --dump-dom 'file://" +
        (directory_ / "report.html").string() + "' 2>'" + words + "'";
    Seen seen;
    FILE* pipe = popen(command.c_str(), "r");
    std::array<char, 4096> buffer{};
    for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
      seen.dom.append(buffer.data(), n);
    }
    EXPECT_EQ(pclose(pipe), 0);
    std::ifstream in(words);
    seen.words.assign(std::istreambuf_iterator<char>(in), {});
    return seen;
  }
  std::filesystem::path directory_;
};

#define PICKET_BROWSER_OR_SKIP()                                    \
  if (std::system("command -v chromium >/dev/null 2>&1") != 0) {    \
    GTEST_SKIP() << "chromium is missing: the page was not loaded"; \
  }                                                                 \
  static_assert(true)

TEST_F(BrowserTest, ThePageLoadsWithoutAWordOnTheConsoleAndWithAllIncidents) {
  PICKET_BROWSER_OR_SKIP();
  const Seen seen = Open(ReportHtml(Sample(kHostile)));
  EXPECT_THAT(seen.words, Not(HasSubstr("CONSOLE")));
  EXPECT_THAT(seen.dom, HasSubstr("<title>Picket report</title>"));
  EXPECT_EQ(Times(seen.dom, "<article"), 4U);
  EXPECT_EQ(Times(seen.dom, "<section class=\"alert\""), 5U);
  EXPECT_EQ(Times(seen.dom, "<script"), 0U);
  EXPECT_EQ(Times(seen.dom, "<img"), 0U);
}

// The second wall, and proof that the test above would see a complaint.
TEST_F(BrowserTest, AScriptThatGotIntoThePageWouldNotRun) {
  PICKET_BROWSER_OR_SKIP();
  std::string html = ReportHtml(Sample("text"));
  html.insert(html.find("</main>"), "<script>document.title='owned'</script>");
  const Seen seen = Open(html);
  EXPECT_THAT(seen.dom, HasSubstr("<title>Picket report</title>"));
  EXPECT_THAT(seen.words, HasSubstr("CONSOLE"));
}

}  // namespace
}  // namespace picket::outputs

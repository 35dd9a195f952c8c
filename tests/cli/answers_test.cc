// Answers of Graph that are none: what came is said, the bad record is left out, and what could not
// be read is read later.

#include <gmock/gmock.h>

#include "tests/cli/program.h"

namespace picket {
namespace {

using simulator::Fault;
using simulator::FaultKind;
using testing::HasSubstr;
using testing::Not;

struct BadAnswer {
  const char* name;
  Fault fault;
  std::vector<std::string> says;
};

// The whole answer is unusable.
class BadAnswerTest : public TenantTest, public testing::WithParamInterface<BadAnswer> {};

TEST_P(BadAnswerTest, IsSaidAndReadAgain) {
  ReadAll();
  WriteConfig();
  Emit();
  graph_->faults().Add({.path = "/auditLogs/signIns", .count = 1000, .fault = GetParam().fault});
  const Outcome once = Once();
  EXPECT_NE(once.code, 0) << once.out;
  EXPECT_THAT(once.out, HasSubstr("error: contoso: signIns.interactive: "));
  for (const std::string& words : GetParam().says) EXPECT_THAT(once.out, HasSubstr(words));
  EXPECT_THAT(once.out, Not(HasSubstr("<script>")));
  EXPECT_THAT(Picket("status").out, HasSubstr("failing"));
  EXPECT_EQ(graph_->Leaks().size(), 0U);
  graph_->faults().Clear();
  Pass(kHour * 2);  // beyond every wait between tries
  ExpectNothingLost();
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BadAnswerTest,
    testing::Values(
        BadAnswer{"NotJson",
                  {.kind = FaultKind::kBody, .status = 200, .text = "<script>alert(1)</script>"},
                  {"Graph's answer is no page"}},
        BadAnswer{"HtmlOfAProxy",
                  {.kind = FaultKind::kHtml, .status = 200},
                  {"Graph's answer is no page"}},
        BadAnswer{"EmptyBody", {.kind = FaultKind::kEmptyBody, .status = 200}, {"is not JSON"}},
        BadAnswer{"NoPage",
                  {.kind = FaultKind::kBody, .status = 200, .text = R"({"value":7})"},
                  {"page"}},
        BadAnswer{"TooLarge",
                  {.kind = FaultKind::kTooLarge, .size = std::int64_t{70} << 20},
                  {"larger than"}},
        BadAnswer{"GzipBomb",
                  {.kind = FaultKind::kGzipBomb, .size = std::int64_t{256} << 20},
                  {"larger than"}},
        BadAnswer{"TooDeep", {.kind = FaultKind::kDeepJson}, {"Graph's answer is no page"}},
        BadAnswer{"BreaksOff", {.kind = FaultKind::kTruncated}, {"127.0.0.1"}},
        BadAnswer{"Redirect",
                  {.kind = FaultKind::kRedirect, .text = "http://127.0.0.1:9/"},
                  {"a redirect, which is not followed"}},
        BadAnswer{"NextLinkElsewhere",
                  {.kind = FaultKind::kForeignNextLink, .text = "https://graph.example"},
                  {"another host"}},
        BadAnswer{"PagesWithoutEnd", {.kind = FaultKind::kLoopingNextLink}, {"have no end"}}),
    [](const auto& one) { return std::string(one.param.name); });

// One record of a page is bad; the others are kept, and so is the page.
class BadRecordTest : public TenantTest, public testing::WithParamInterface<BadAnswer> {};

TEST_P(BadRecordTest, IsLeftOutCountedAndSaidWithItsReason) {
  ReadAll();
  WriteConfig();
  Emit();
  graph_->faults().Add({.path = "/auditLogs/signIns", .count = 1000, .fault = GetParam().fault});
  const Outcome once = Once();
  EXPECT_EQ(once.code, 0) << once.out;
  EXPECT_THAT(once.out, HasSubstr("could not be kept: "));
  for (const std::string& words : GetParam().says) EXPECT_THAT(once.out, HasSubstr(words));
  EXPECT_THAT(once.out, Not(HasSubstr("\"rejected\":0")));
  EXPECT_EQ(StoredIds(), EmittedIds());
  graph_->faults().Clear();
  ExpectNothingLost();
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BadRecordTest,
    testing::Values(BadAnswer{"WithoutId", {.kind = FaultKind::kRecordWithoutId}, {"id"}},
                    BadAnswer{"NotUtf8", {.kind = FaultKind::kInvalidUtf8}, {"UTF-8"}}),
    [](const auto& one) { return std::string(one.param.name); });

using OutageTest = TenantTest;

TEST_F(OutageTest, AnOutageIs69AndTheNextRunGoesOn) {
  ReadAll();
  WriteConfig();
  Emit();
  graph_->faults().Add({.path = "/auditLogs/signIns",
                        .count = 1000,
                        .fault = {.kind = FaultKind::kStatus, .status = 503}});
  const Outcome once = Once();
  EXPECT_EQ(once.code, 69) << once.out;
  EXPECT_THAT(once.out, HasSubstr("Graph answered 503"));
  graph_->faults().Clear();
  Pass(kHour * 2);
  ExpectNothingLost();
}

TEST_F(OutageTest, HostileTextInAnEventReachesNoTerminal) {
  Emit(R"json({"userDisplayName":"\u001b[2J\u202eevil","appDisplayName":"=HYPERLINK(1)"})json");
  WriteConfig();
  ASSERT_EQ(Once().code, 0);
  const Outcome table =
      Picket("query 'SigninLogs | project UserDisplayName, AppDisplayName' --tenant contoso");
  EXPECT_THAT(table.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(table.out, HasSubstr("\\u{1b}[2J\\u{202e}evil"));
  const Outcome csv =
      Picket("query 'SigninLogs | project AppDisplayName' --tenant contoso --format csv");
  EXPECT_THAT(csv.out, HasSubstr("'=HYPERLINK(1)"));
}

}  // namespace
}  // namespace picket

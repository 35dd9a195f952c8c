// Files that are no events, or not quite: the line and the reason, and the rest is kept.

#include <gmock/gmock.h>

#include "tests/cli/program.h"

namespace picket {
namespace {

using testing::HasSubstr;

struct BadFile {
  const char* name;
  const char* file;
  std::string content;
  const char* options;
  std::vector<std::string> says;
};

class BadFileTest : public TenantTest, public testing::WithParamInterface<BadFile> {};

TEST_P(BadFileTest, IsNamedWithTheReasonAndLosesNothing) {
  ReadAll();
  Write(GetParam().file, GetParam().content);
  const Outcome outcome =
      Picket(std::string("import ") + GetParam().file + " --tenant contoso " + GetParam().options);
  EXPECT_EQ(outcome.code, 1) << outcome.out;
  EXPECT_THAT(outcome.out, HasSubstr(GetParam().file));
  for (const std::string& words : GetParam().says) EXPECT_THAT(outcome.out, HasSubstr(words));
  ExpectNothingLost();
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BadFileTest,
    testing::Values(
        BadFile{"NotJson", "x.json", "{ this is not json", "", {"x.json"}},
        BadFile{"Binary", "x.json", std::string("\x7f\x45\x4c\x46\0\1\2", 7), "", {"x.json"}},
        BadFile{"Empty", "x.json", "", "", {"empty"}},
        BadFile{"UnknownTable",
                "x.csv",
                "TimeGenerated,Id\n2026-11-01T00:00:00Z,1\n",
                "--table SigninLog",
                {"SigninLog", "SigninLogs"}},
        BadFile{
            "TimeThatNobodyReads",
            "x.csv",
            "TimeGenerated,Id,Type\n\"31/12/2025, 23:00:00\",1,SigninLogs\n",
            "",
            {"x.csv", "line 2", "TimeGenerated", "31/12/2025, 23:00:00", "2025-12-31T23:00:00Z"}},
        BadFile{"TableThatItDoesNotSay", "x.csv", "A,B\n1,2\n", "", {"--table"}},
        BadFile{"BrokenGzip",
                "x.json.gz",
                std::string("\x1f\x8b\x08\0\0\0\0\0\0\3garbage", 17),
                "",
                {"x.json.gz"}}),
    [](const auto& one) { return std::string(one.param.name); });

using ImportTest = TenantTest;

TEST_F(ImportTest, AMissingFileAndAFolderAreNamedAndTheOthersTakenIn) {
  ReadAll();
  const Outcome outcome = Picket("import nowhere.json . --tenant contoso");
  EXPECT_NE(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("nowhere.json"));
  EXPECT_THAT(outcome.out, HasSubstr("Is a directory"));
  ExpectNothingLost();
}

TEST_F(ImportTest, AnUnknownTenantIsNamedWithTheNearest) {
  ReadAll();
  const Outcome outcome = Picket("import x.json --tenant contso");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("no tenant 'contso'"));
  EXPECT_THAT(outcome.out, HasSubstr("Did you mean 'contoso'?"));
}

TEST_F(ImportTest, ABadRowIsNamedByLineAndTheOthersAreKept) {
  ReadAll();
  std::string rows;
  for (const std::string& id : EmittedIds()) {
    rows += *graph_->Record(tenant_, simulator::List::kSignIns, id) + "\n";
  }
  std::string other = *graph_->Record(tenant_, simulator::List::kSignIns, *EmittedIds().begin());
  const std::size_t at = other.find(*EmittedIds().begin());
  other.replace(at, 8, "ffffffff");
  Write("x.json", rows + "{\"createdDateTime\":\"2026-01-01T00:00:00Z\"}\n" + other + "\n");
  const Outcome outcome = Picket("import x.json --tenant contoso");
  EXPECT_EQ(outcome.code, 1) << outcome.out;
  EXPECT_THAT(outcome.out, HasSubstr("x.json:6: "));
  EXPECT_EQ(StoredIds().size(), 6U);
}

}  // namespace
}  // namespace picket

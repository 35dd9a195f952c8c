// The program as a new user tries it: wrong words, no data yet, help, pipes, Ctrl-C.

#include <gmock/gmock.h>

#include <functional>
#include <regex>

#include "tests/cli/program.h"

namespace picket {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

using UsageTest = ProgramTest;

struct WrongWords {
  const char* name;
  const char* arguments;
  std::vector<std::string> says;
};

class WrongWordsTest : public ProgramTest, public testing::WithParamInterface<WrongWords> {};

TEST_P(WrongWordsTest, AreAnsweredWithTheNearestRightOne) {
  const Outcome outcome = Picket(GetParam().arguments);
  EXPECT_EQ(outcome.code, 64);
  for (const std::string& words : GetParam().says) EXPECT_THAT(outcome.out, HasSubstr(words));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, WrongWordsTest,
    testing::Values(
        WrongWords{"Nothing", "", {"Usage: picket", "picket demo"}},
        WrongWords{"Command", "hlep", {"'picket' has no command 'hlep'", "Did you mean 'help'?"}},
        WrongWords{"FarOffCommand", "frobnicate", {"no command 'frobnicate'", "picket --help"}},
        WrongWords{"GroupAlone", "incidents", {"Usage: picket incidents", "list", "show"}},
        WrongWords{"CommandOfAGroup",
                   "incidents lst",
                   {"'picket incidents' has no command 'lst'", "Did you mean 'list'?"}},
        WrongWords{"Option",
                   "once --al-streams",
                   {"'picket once' has no option '--al-streams'", "Did you mean '--all-streams'?"}},
        WrongWords{"OptionWithAValue",
                   "query 'print 1' --fromat json",
                   {"no option '--fromat'", "Did you mean '--format'?"}},
        WrongWords{"Value",
                   "status --format jsn",
                   {"'jsn' is none of table|json|csv|prometheus", "Did you mean 'json'?"}},
        WrongWords{"NoValue", "query --tenant", {"--tenant needs a value"}},
        WrongWords{"OneTooMany", "once extra", {"'picket once' does not take 'extra'"}},
        WrongWords{"OneTooFew", "import", {"FILE is required", "picket import --help"}},
        WrongWords{"NoQuery", "query", {"there is no query", "picket query 'print now()'"}},
        WrongWords{"NoTime", "once --now yesterday", {"--now takes a time such as"}},
        WrongWords{"NoHelp", "help x", {"has no command 'x'"}}),
    [](const auto& one) { return std::string(one.param.name); });

// Follows the help from command to command.
void Walk(const UsageTest& test, const std::string& path, const std::string& help,
          const std::function<std::string(const std::string&)>& help_of, int& seen) {
  ++seen;
  EXPECT_THAT(help, HasSubstr("Usage: picket" + path)) << path;
  const std::size_t examples = help.find("Examples:\n  picket" + path);
  EXPECT_NE(examples, std::string::npos) << "no example of its own: picket" << path << "\n" << help;
  const std::regex command("\n  ([a-z]+) {2,}\\S");
  const std::string list = help.substr(0, help.find("Examples:"));
  for (std::sregex_iterator it(list.begin(), list.end(), command), end; it != end; ++it) {
    const std::string inner = path + " " + (*it)[1].str();
    Walk(test, inner, help_of(inner), help_of, seen);
  }
}

TEST_F(UsageTest, EveryHelpHasExamplesOfItsOwn) {
  int seen = 0;
  const auto help_of = [this](const std::string& path) {
    const Outcome help = Picket(path + " --help");
    EXPECT_EQ(help.code, 0);
    return help.out;
  };
  Walk(*this, "", help_of(""), help_of, seen);
  EXPECT_GE(seen, 22);
}

TEST_F(UsageTest, HelpCanBeAskedForInTheWaysThatPeopleTry) {
  const std::string help = Picket("rules check --help").out;
  EXPECT_EQ(Picket("help rules check").out, help);
  EXPECT_EQ(Picket("rules check -h").out, help);
  EXPECT_EQ(Picket("--version").out, Picket("version").out);
}

TEST_F(UsageTest, AQueryErrorNamesLineAndColumn) {
  const Outcome outcome = Picket("query 'print ('");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("line 1, column"));
  EXPECT_EQ(Picket("query --file .").code, 74);
}

TEST_F(UsageTest, AClosedPipeIsNoCrash) {
  const Outcome outcome =
      Shell("\"$PICKET\" query 'range x from 1 to 300000 step 1' --format csv | head -n 1");
  EXPECT_THAT(outcome.out, StartsWith("x"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("bug")));
}

TEST_F(UsageTest, AFullStdoutIsAnError) {
  EXPECT_EQ(Shell("\"$PICKET\" query 'print 1' > /dev/full").code, 74);
  EXPECT_EQ(Shell("\"$PICKET\" config sample > /dev/full").code, 74);
}

class EmptyTest : public TenantTest {};

TEST_F(EmptyTest, BeforeTheFirstRunEveryCommandSaysWhatToRun) {
  WriteConfig();
  for (const char* command : {"incidents list", "alerts list", "report -o r.html",
                              "query 'SigninLogs | count' --tenant contoso"}) {
    const Outcome outcome = Picket(command);
    EXPECT_EQ(outcome.code, 0) << command << ": " << outcome.out;
    EXPECT_THAT(outcome.out, HasSubstr("nothing was read of this tenant yet")) << command;
    EXPECT_THAT(outcome.out, HasSubstr("picket once")) << command;
  }
  const Outcome status = Picket("status");
  EXPECT_EQ(status.code, 0);
  EXPECT_THAT(status.out, HasSubstr("waiting"));
  EXPECT_FALSE(std::filesystem::exists(dir_ / "data"));  // who looks makes nothing
}

TEST_F(EmptyTest, AListWithoutIncidentsIsEmptyOnStdoutAndSaidOnStderr) {
  ReadAll();
  const Outcome list = Shell("\"$PICKET\" incidents list 2>/dev/null");
  EXPECT_EQ(list.out, "");
  EXPECT_THAT(Picket("incidents list").out, HasSubstr("no open incidents"));
  EXPECT_THAT(Shell("\"$PICKET\" incidents list --format json").out,
              HasSubstr("\"incidents\": []"));
}

TEST_F(EmptyTest, AnIdThatIsNotThereIsSaid) {
  ReadAll();
  for (const char* what : {"incidents", "alerts"}) {
    const Outcome show = Picket(std::string(what) + " show 00000000-0000-0000-0000-000000000001");
    EXPECT_EQ(show.code, 1);
    EXPECT_THAT(show.out, HasSubstr("none of the " + std::string(what) + " has the id"));
    EXPECT_THAT(show.out, HasSubstr("list --all"));
  }
}

TEST_F(EmptyTest, CtrlCEndsRunAfterTheCommitInHand) {
  WriteConfig();
  const Outcome run = Shell(
      "\"$PICKET\" run > out.txt 2> err.txt & pid=$!\n"
      "for i in $(seq 300); do [ -s data/tenants/*.db ] && \"$PICKET\" query "
      "'SigninLogs | where isnotempty(Id) | take 1' --tenant contoso --format csv 2>/dev/null "
      "| grep -q 2026 ; [ $? = 0 ] && break; sleep 0.1; done\n"
      "kill -INT $pid; wait $pid; code=$?; cat err.txt; exit $code");
  EXPECT_EQ(run.code, 0) << run.out;
  EXPECT_THAT(run.out, HasSubstr("watching 1 tenant every"));
  good_ = {};
  Write("good.toml", Read("picket.toml"));
  ExpectNothingLost();
}

}  // namespace
}  // namespace picket

// The program as a user meets it: its output, its exit codes, and what it leaves on disk.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "base/text.h"
#include "base/time.h"
#include "tests/cli/program.h"
#include "tests/scenarios/demo_scenario.h"
#include "tests/simulator/stand_in.h"

namespace picket {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class PicketTest : public ProgramTest {
 protected:
  // A config of one tenant against the stand-in.
  void WriteConfig(const simulator::StandIn& stand_in, const simulator::DemoScenario& scenario,
                   const std::string& secret) const {
    Write("secret", secret);
    Write("picket.toml",
          "[agent]\ndata_dir = \"data\"\n[cloud]\nauthority = \"" + stand_in.Url() +
              "\"\ngraph = \"" + stand_in.Url() + "\"\n[app]\nclient_id = \"" + scenario.client_id +
              "\"\ncredential = \"secret\"\nclient_secret = \"@{file:secret}\"\n"
              "[poll]\nbackfill = \"1d\"\n[retention]\nmin_free = \"0\"\n"
              "[[tenant]]\nname = \"contoso\"\ntenant_id = \"" +
              ToString(scenario.tenants[0].id) + "\"\nstreams = [\"signIns.interactive\"]\n");
  }
};

Instant Now() { return Instant::FromUnixMillis(static_cast<std::int64_t>(::time(nullptr)) * 1000); }

std::string LastLine(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

// `script` gives the program a terminal.
TEST_F(PicketTest, OnATerminalOnceAndImportShowHowFarTheyAreAndElsewhereTheyAreQuiet) {
  simulator::StandIn stand_in(&Now);
  ASSERT_TRUE(stand_in.Start());
  const simulator::DemoScenario scenario = simulator::PlayDemo(stand_in, Now(), 7);
  WriteConfig(stand_in, scenario, scenario.secret);
  const Outcome once =
      Shell("script -qec 'stty cols 120; $PICKET once --all-streams' /dev/null < /dev/null");
  EXPECT_EQ(once.code, 0) << once.out;
  EXPECT_THAT(once.out,
              testing::ContainsRegex("contoso: signIns.interactive: [0-9]+ rows; backfill "
                                     "20[0-9-]+ [0-9:]+ to [0-9-]+ [0-9:]+"));
  EXPECT_THAT(once.out, HasSubstr("1 of 1 tenant;"));
  Write("rows.json", R"([{"id":"a","createdDateTime":")" + FormatRfc3339(Now()) + "\"}]");
  const std::string import = "$PICKET import --tenant contoso --table SigninLogs rows.json";
  const Outcome quiet = Shell(import + " 2>&1");
  EXPECT_THAT(quiet.out, Not(HasSubstr("\r"))) << quiet.out;
  Write("more.json", R"([{"id":"b","createdDateTime":")" + FormatRfc3339(Now()) + "\"}]");
  const Outcome told = Shell("script -qec '" + import + " more.json' /dev/null < /dev/null");
  EXPECT_THAT(told.out, ContainsRegex("SigninLogs: 1 row[^s]"));
}

TEST_F(PicketTest, OnceReadsEvaluatesAndCountsWhatReconciles) {
  simulator::StandIn stand_in(&Now);
  ASSERT_TRUE(stand_in.Start());
  const simulator::DemoScenario scenario = simulator::PlayDemo(stand_in, Now(), 7);
  WriteConfig(stand_in, scenario, scenario.secret);
  const Outcome once = Picket("once --all-streams 2>/dev/null");
  EXPECT_EQ(once.code, 0) << once.out;
  const json counts = json::parse(LastLine(once.out), nullptr, false);
  ASSERT_TRUE(counts.is_object()) << once.out;
  EXPECT_GT(counts["new"].get<int>(), 200);
  EXPECT_EQ(counts["read"].get<int>(), counts["new"].get<int>() + counts["changed"].get<int>() +
                                           counts["same"].get<int>() + counts["poorer"].get<int>() +
                                           counts["rejected"].get<int>() +
                                           counts["expired"].get<int>());

  const json incidents =
      json::parse(Picket("incidents list --format json 2>/dev/null").out, nullptr, false);
  ASSERT_TRUE(incidents.is_object());
  std::set<std::string> who;
  for (const json& incident : incidents["incidents"]) {
    who.insert(incident["entity"]["name"].get<std::string>());
  }
  for (const auto& [user, expected] : scenario.expected) {
    if (user.find("@contoso") == std::string::npos || user.substr(0, 4) == "hans") continue;
    EXPECT_EQ(who.contains(user), expected) << user;
  }
  // A second time changes nothing.
  const json again = json::parse(LastLine(Picket("once --all-streams 2>/dev/null").out));
  EXPECT_EQ(again["findings"], 0);
  EXPECT_EQ(again["new"], 0);
}

TEST_F(PicketTest, AWrongSecretIsNamedWithItsRemedyAndPrintedNowhere) {
  simulator::StandIn stand_in(&Now);
  ASSERT_TRUE(stand_in.Start());
  const simulator::DemoScenario scenario = simulator::PlayDemo(stand_in, Now(), 8);
  WriteConfig(stand_in, scenario, "hunter2-is-wrong");
  const Outcome once = Picket("once -vv");
  EXPECT_EQ(once.code, 77) << once.out;
  EXPECT_THAT(once.out, HasSubstr("AADSTS7000215"));
  EXPECT_THAT(once.out, Not(HasSubstr("hunter2")));
}

TEST_F(PicketTest, NoSecretAndNoTokenIsLeftOnDisk) {
  simulator::StandIn stand_in(&Now);
  ASSERT_TRUE(stand_in.Start());
  const simulator::DemoScenario scenario = simulator::PlayDemo(stand_in, Now(), 9);
  WriteConfig(stand_in, scenario, scenario.secret);
  ASSERT_EQ(Picket("once --all-streams").code, 0);
  for (const auto& entry : fs::recursive_directory_iterator(dir_ / "data")) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    EXPECT_EQ(bytes.find(scenario.secret), std::string::npos) << entry.path();
    EXPECT_EQ(bytes.find("c3RhbmQtaW4"), std::string::npos) << entry.path();  // the token's end
    EXPECT_EQ(fs::status(entry.path()).permissions() & fs::perms::others_all, fs::perms::none);
  }
}

TEST_F(PicketTest, TheDemoFindsItsAttacksAndWritesTheReport) {
  const Outcome demo = Picket("demo --dir demo");
  EXPECT_EQ(demo.code, 0) << demo.out;
  for (const char* who : {"clara@contoso", "felix@contoso", "gerda@fabrikam", "hans@contoso"}) {
    EXPECT_THAT(demo.out, HasSubstr(who));
  }
  EXPECT_THAT(demo.out, Not(HasSubstr("david@contoso")));
  EXPECT_TRUE(fs::exists(dir_ / "demo" / "report.html"));
}

// Wherever the reader copies them to.
TEST_F(PicketTest, TheCommandsThatTheDemoNamesWorkAsTheyStand) {
  fs::create_directories(dir_ / "my tenants");
  const Outcome demo = Shell("cd 'my tenants' && \"$PICKET\" demo");
  ASSERT_EQ(demo.code, 0) << demo.out;
  std::vector<std::string> commands;
  for (const std::string_view line : Split(demo.out, '\n')) {
    if (line.starts_with("  /")) commands.emplace_back(line.substr(2));
  }
  ASSERT_EQ(commands.size(), 4U) << demo.out;
  for (const std::string& command : commands) {
    const Outcome outcome = Shell(command);
    EXPECT_EQ(outcome.code, 0) << command << "\n" << outcome.out;
  }
  EXPECT_THAT(Shell(commands[0]).out, HasSubstr("clara@contoso"));
  EXPECT_THAT(Shell(commands[2]).out, HasSubstr("@contoso"));
  EXPECT_TRUE(fs::exists(dir_ / "picket.toml")) << "the sample, for the own tenant";
  const Outcome valid = Picket("validate --offline --config 'my tenants/picket-demo/picket.toml'");
  EXPECT_EQ(valid.code, 0) << valid.out;
}

TEST_F(PicketTest, TheDemoRunsAgainInItsFolderAndLeavesOthersAlone) {
  EXPECT_EQ(Picket("demo --dir demo").code, 0);
  EXPECT_EQ(Picket("demo --dir demo").code, 0);
  fs::create_directories(dir_ / "mine" / "data");
  Write("mine/data/notes", "dear to me");
  const Outcome refused = Picket("demo --dir mine");
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.out, HasSubstr("mine holds other things than a demo"));
  EXPECT_TRUE(fs::exists(dir_ / "mine" / "data" / "notes"));
  EXPECT_FALSE(fs::exists(dir_ / "mine" / "secret"));
}

TEST_F(PicketTest, ADataFolderThatCannotBeReadIsNoAllClear) {
  simulator::StandIn stand_in([] { return Now(); });
  ASSERT_TRUE(stand_in.Start());
  const simulator::DemoScenario scenario = simulator::PlayDemo(stand_in, Now(), 9);
  WriteConfig(stand_in, scenario, scenario.secret);
  fs::create_directories(dir_ / "data");
  fs::create_symlink("tenants", dir_ / "data" / "tenants");  // a loop, which even root cannot read
  for (const char* words : {"incidents list", "alerts list", "status"}) {
    const Outcome outcome = Picket(words);
    EXPECT_EQ(outcome.code, 74) << words << outcome.out;
    EXPECT_THAT(outcome.out, HasSubstr("cannot look at"));
    EXPECT_THAT(outcome.out, Not(HasSubstr("no open")));
  }
}

TEST_F(PicketTest, TenantsThatCannotBeReadAreAProblemOfTheConfig) {
  simulator::StandIn stand_in([] { return Now(); });
  ASSERT_TRUE(stand_in.Start());
  const simulator::DemoScenario scenario = simulator::PlayDemo(stand_in, Now(), 9);
  WriteConfig(stand_in, scenario, scenario.secret);
  Write("tenants.d", "not a folder");
  const Outcome outcome = Picket("validate --offline");
  EXPECT_EQ(outcome.code, 78) << outcome.out;
  EXPECT_THAT(outcome.out, HasSubstr("tenants.d: the tenants in it cannot be read"));
}

TEST_F(PicketTest, AConfigProblemIsNamedByPlaceWithTheNearestKey) {
  Write("picket.toml", "[agent]\npol_interval = \"5m\"\n");
  const Outcome outcome = Picket("validate");
  EXPECT_EQ(outcome.code, 78);
  EXPECT_THAT(outcome.out, HasSubstr("picket.toml:2:1: unknown key 'pol_interval'"));
  EXPECT_THAT(outcome.out, HasSubstr("poll_interval"));
}

TEST_F(PicketTest, AQueryWithoutATenantHasPrintButNoTables) {
  EXPECT_EQ(Picket("query 'print x = 1 + 1' --format json").out,
            "{\"columns\":[{\"name\":\"x\",\"type\":\"long\"}],\"rows\":[[2]]}\n");
  EXPECT_EQ(Picket("query 'SigninLogs | count'").code, 1);
  EXPECT_EQ(Picket("query 'print ('").code, 1);
}

TEST_F(PicketTest, UsageErrorsAre64AndHelpHasExamples) {
  EXPECT_EQ(Picket("").code, 64);
  EXPECT_EQ(Picket("once --no-such-option").code, 64);
  const Outcome help = Picket("query --help");
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.out, HasSubstr("Examples:"));
}

}  // namespace
}  // namespace picket

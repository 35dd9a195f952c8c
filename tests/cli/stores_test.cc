// The data directory in a bad state: damaged, of a newer version, of another tenant, in use, full,
// read-only. Nothing is overwritten; when the cause is gone, Picket goes on.

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "tests/cli/program.h"

namespace picket {
namespace {

namespace fs = std::filesystem;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

class StoreTest : public TenantTest {
 protected:
  void SetUp() override {
    TenantTest::SetUp();
    ReadAll();
    WriteConfig();
    Emit();
  }

  void Patch(std::streamoff at, const std::string& bytes) const {
    std::fstream file(Database(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

  // A line of [retention] in place of the one that turns min_free off.
  void PutInPlaceOfMinFree(const std::string& line) {
    const std::string off = "min_free = \"0\"";
    std::string text = Read("picket.toml");
    text.replace(text.find(off), off.size(), line);
    Write("picket.toml", text);
  }

  // Every command that opens the file says what is wrong with it and changes no byte of it.
  void ExpectRefused(const std::vector<std::string>& says) {
    const std::string before = Read("data/tenants/" + Database().filename().string());
    for (const char* command :
         {"once", "status", "query 'SigninLogs | count' --tenant contoso", "incidents list",
          "alerts list", "rules list", "validate --offline", "report -o r.html"}) {
      const Outcome outcome = Picket(command);
      EXPECT_NE(outcome.code, 0) << command << ": " << outcome.out;
      EXPECT_THAT(outcome.out, HasSubstr("contoso")) << command;
      for (const std::string& words : says) {
        EXPECT_THAT(outcome.out, HasSubstr(words)) << command;
      }
    }
    EXPECT_EQ(Read("data/tenants/" + Database().filename().string()), before);
  }
};

TEST_F(StoreTest, ADatabaseOfANewerPicketIsLeftAloneAndSaysWhatToInstall) {
  const std::string file = "data/tenants/" + Database().filename().string();
  const std::string version = Read(file).substr(60, 4);  // user_version, big-endian
  Patch(60, std::string("\0\0\0\x63", 4));
  ExpectRefused({ToString(tenant_) + ".db was written by a newer Picket (schema 99",
                 "Install the newer Picket again"});
  EXPECT_EQ(Once().code, 74);
  const std::string not_ok = "picket_tenant_ok{tenant=\"contoso\"} 0\n";
  EXPECT_THAT(Picket("status --format prometheus").out, HasSubstr(not_ok));
  Patch(60, version);
  const Outcome whole = Picket("status --format prometheus");
  EXPECT_THAT(whole.out, HasSubstr("picket_tenant_ok{tenant=\"contoso\"} 1\n"));
  EXPECT_THAT(whole.out, HasSubstr("# HELP picket_tenant_ok "));
  ExpectNothingLost();
}

TEST_F(StoreTest, AFileThatIsNoDatabaseIsLeftAlone) {
  fs::rename(Database(), dir_ / "kept.db");
  Write("data/tenants/" + Database().filename().string(), std::string(8192, 'x'));
  ExpectRefused({ToString(tenant_) + ".db", "backup"});
  EXPECT_EQ(Once().code, 74);
  fs::rename(dir_ / "kept.db", Database());
  ExpectNothingLost();
}

TEST_F(StoreTest, ADamagedDatabaseIsNamedAndNotReadAsIfItWereWhole) {
  fs::copy_file(Database(), dir_ / "kept.db");
  // Every page but the first, which holds the schema.
  Patch(4096, std::string(fs::file_size(Database()) - 4096, '\xA5'));
  const Outcome once = Once();
  EXPECT_EQ(once.code, 74) << once.out;
  EXPECT_THAT(once.out, HasSubstr("contoso"));
  EXPECT_THAT(once.out, HasSubstr("The file is damaged"));
  EXPECT_THAT(once.out, HasSubstr("backup"));
  EXPECT_NE(Picket("query 'SigninLogs | count' --tenant contoso").code, 0);
  fs::rename(dir_ / "kept.db", Database());
  ExpectNothingLost();
}

TEST_F(StoreTest, ADatabaseOfAnotherTenantIsNotUsed) {
  ConfigSpec other = good_;
  other.tenant_id = "6a0f2f36-7c0e-4c83-9d5e-444444444444";
  graph_->AddTenant({.id = *ParseGuid(other.tenant_id)});
  fs::copy_file(Database(), Database().parent_path() / (other.tenant_id + ".db"));
  WriteConfig(other);
  const Outcome once = Once();
  EXPECT_EQ(once.code, 74) << once.out;
  EXPECT_THAT(once.out, HasSubstr("holds the events of another tenant"));
  EXPECT_THAT(once.out, HasSubstr("Put it back under its own name"));
  ExpectNothingLost();
}

TEST_F(StoreTest, OneTenantsDamagedFileKeepsNoOtherFromBeingReadAndShown) {
  const std::string other = "6a0f2f36-7c0e-4c83-9d5e-555555555555";
  graph_->AddTenant({.id = *ParseGuid(other)});
  Write("data/tenants/" + other + ".db", std::string(8192, 'x'));
  good_.more = fmt::format(
      "[[tenant]]\nname = \"broken\"\ntenant_id = \"{}\"\nstreams = [\"signIns.interactive\"]\n",
      other);
  WriteConfig(good_);
  const Outcome once = Once();
  EXPECT_EQ(once.code, 3) << once.out;
  EXPECT_THAT(once.out, HasSubstr("error: broken: "));
  const Outcome list = Picket("incidents list");
  EXPECT_EQ(list.code, 3) << list.out;
  EXPECT_THAT(list.out, HasSubstr("error: broken: "));
  const Outcome report = Picket("report -o report.html");
  EXPECT_EQ(report.code, 3) << report.out;
  EXPECT_THAT(Read("report.html"), HasSubstr("broken"));
  const Outcome status = Picket("status");
  EXPECT_EQ(status.code, 3) << status.out;
  EXPECT_THAT(status.out, HasSubstr("unreadable"));
  good_.more.clear();
  ExpectNothingLost();
}

TEST_F(StoreTest, ASecondInstanceIsToldWhoWorksThere) {
  const int lock = ::open((dir_ / "data" / "lock").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(lock, 0);
  ASSERT_EQ(::flock(lock, LOCK_EX), 0);
  ASSERT_EQ(::ftruncate(lock, 0), 0);
  ASSERT_EQ(::pwrite(lock, "4711", 4, 0), 4);
  Write("rows.json", "[]");
  for (const char* command : {"once", "run", "import rows.json --tenant contoso"}) {
    const Outcome outcome = Picket(command);
    EXPECT_EQ(outcome.code, 75) << outcome.out;
    EXPECT_THAT(outcome.out, HasSubstr("another Picket (pid 4711) works on data"));
    EXPECT_THAT(outcome.out, HasSubstr("Stop it, or wait"));
  }
  // Who only looks needs no lock.
  EXPECT_EQ(Picket("status").code, 0);
  EXPECT_EQ(StoredIds().size(), 5U);
  ::close(lock);
  ExpectNothingLost();
}

TEST_F(StoreTest, TwoAtOnceLoseNothing) {
  const Outcome both = Shell(
      "\"$PICKET\" once --all-streams >a.txt 2>&1 & first=$!\n"
      "\"$PICKET\" once --all-streams >b.txt 2>&1; second=$?\n"
      "wait $first; echo $? $second");
  EXPECT_THAT(both.out, AnyOf(HasSubstr("0 75"), HasSubstr("75 0"), HasSubstr("0 0")));
  ExpectNothingLost();
}

TEST_F(StoreTest, ADataFolderThatCannotBeMadeIs73) {
  Write("file", "");
  ConfigSpec spec = good_;
  WriteConfig(spec);
  std::string text = Read("picket.toml");
  text.replace(text.find("\"data\""), 6, "\"file/data\"");
  Write("picket.toml", text);
  const Outcome once = Once();
  EXPECT_EQ(once.code, 73) << once.out;
  EXPECT_THAT(once.out, HasSubstr("cannot create file/data"));
  EXPECT_THAT(once.out, HasSubstr("data_dir"));
  ExpectNothingLost();
}

TEST_F(StoreTest, ADataFolderThatOthersMayWriteIsRefused) {
  fs::permissions(dir_ / "data", fs::perms(0777));
  const Outcome once = Once();
  EXPECT_EQ(once.code, 74) << once.out;
  EXPECT_THAT(once.out, HasSubstr("data can be written by others"));
  EXPECT_THAT(once.out, HasSubstr("chmod 700 data"));
  fs::permissions(dir_ / "data", fs::perms(0700));
  ExpectNothingLost();
}

// What an earlier umask, a `mkdir` or a restored backup left.
TEST_F(StoreTest, WhatOthersCouldReadIsTakenFromThemAndSaidOnce) {
  fs::permissions(dir_ / "data", fs::perms(0755));
  fs::permissions(dir_ / "data" / "tenants", fs::perms(0755));
  fs::permissions(Database(), fs::perms(0644));
  fs::permissions(dir_ / "data" / "agent.db", fs::perms(0640));
  const Outcome validate = Picket("validate --offline");
  EXPECT_EQ(validate.code, 0) << validate.out;
  EXPECT_THAT(validate.out, HasSubstr("warn  data_dir data: other users can read data/agent.db"));
  EXPECT_EQ(fs::status(Database()).permissions(), fs::perms(0644)) << "validate changes nothing";
  const Outcome once = Once();
  EXPECT_EQ(once.code, 0) << once.out;
  EXPECT_THAT(once.out, HasSubstr("note: other users could read data and "));
  EXPECT_THAT(Once().out, Not(HasSubstr("note:")));
  fs::permissions(Database(), fs::perms(0644));
  Write("none.json", "[]");
  EXPECT_THAT(Picket("import none.json --tenant contoso --table SigninLogs").out,
              HasSubstr("note: other users could read " +
                        ("data/tenants/" + Database().filename().string()) + "; it is for the "));
  EXPECT_EQ(fs::status(dir_ / "data").permissions(), fs::perms(0700));
  for (const auto& entry : fs::recursive_directory_iterator(dir_ / "data")) {
    EXPECT_EQ(entry.status().permissions(), fs::perms(entry.is_directory() ? 0700 : 0600))
        << entry.path();
  }
  ExpectNothingLost();
}

TEST_F(StoreTest, WhatIsMadeIsForTheOwnerAloneWhateverTheUmask) {
  fs::remove_all(dir_ / "data");
  WriteConfig(good_);
  EXPECT_EQ(Shell("umask 000; \"$PICKET\" " + OnceArguments()).code, 0);
  EXPECT_EQ(fs::status(dir_ / "data").permissions(), fs::perms(0700));
  for (const auto& entry : fs::recursive_directory_iterator(dir_ / "data")) {
    EXPECT_EQ(entry.status().permissions(), fs::perms(entry.is_directory() ? 0700 : 0600))
        << entry.path();
  }
}

// Not a folder that is there for others too.
TEST_F(StoreTest, AFolderWithOtherThingsInItIsNotShut) {
  Write("data/notes.txt", "mine");
  fs::permissions(dir_ / "data", fs::perms(0755));
  for (const std::string& command : {std::string("once"), std::string("validate --offline")}) {
    const Outcome outcome = Picket(command);
    EXPECT_NE(outcome.code, 0) << outcome.out;
    EXPECT_THAT(outcome.out, HasSubstr("holds other things than Picket's: notes.txt"));
    EXPECT_THAT(outcome.out, HasSubstr("chmod 700 data"));
  }
  EXPECT_EQ(fs::status(dir_ / "data").permissions(), fs::perms(0755));
  fs::permissions(dir_ / "data", fs::perms(0700));
  ExpectNothingLost();
}

TEST_F(StoreTest, ADatabaseThatOthersMayWriteIsRefused) {
  fs::permissions(Database(), fs::perms(0666));
  const Outcome once = Once();
  EXPECT_EQ(once.code, 74) << once.out;
  EXPECT_THAT(once.out, HasSubstr(".db can be written by others"));
  EXPECT_THAT(once.out, HasSubstr("chmod 600 data/tenants/" + Database().filename().string()));
  fs::permissions(Database(), fs::perms(0600));
  ExpectNothingLost();
}

TEST_F(StoreTest, ADatabaseOfAnotherUserIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_EQ(::chown(Database().c_str(), 1, 1), 0);
  const Outcome once = Once();
  EXPECT_EQ(once.code, 74) << once.out;
  EXPECT_THAT(once.out, HasSubstr(".db belongs to another user"));
  EXPECT_THAT(once.out, HasSubstr("chown 0 data/tenants/"));
  ASSERT_EQ(::chown(Database().c_str(), 0, 0), 0);
  ExpectNothingLost();
}

TEST_F(StoreTest, AFolderOfAnotherUserIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  ASSERT_EQ(::chown((dir_ / "data").c_str(), 1, 1), 0);
  const Outcome once = Once();
  EXPECT_EQ(once.code, 74) << once.out;
  EXPECT_THAT(once.out, HasSubstr("data belongs to another user"));
  EXPECT_THAT(once.out, HasSubstr("chown -R 0 data"));
  ASSERT_EQ(::chown((dir_ / "data").c_str(), 0, 0), 0);
  ExpectNothingLost();
}

TEST_F(StoreTest, TooLittleFreeSpacePausesReadingAndSaysSo) {
  PutInPlaceOfMinFree("min_free = \"1000000GiB\"");
  const Outcome once = Once();
  EXPECT_NE(once.code, 0) << once.out;
  EXPECT_THAT(once.out, HasSubstr("MB are free on the volume"));
  EXPECT_THAT(once.out, HasSubstr("Free some space; reading goes on by itself"));
  EXPECT_EQ(StoredIds().size(), 5U);
  ExpectNothingLost();
}

TEST_F(StoreTest, ATenantThatFillsItsSizeIsPausedAndSaysSo) {
  PutInPlaceOfMinFree("max_size = \"10KB\"");
  const Outcome once = Once();
  EXPECT_NE(once.code, 0) << once.out;
  EXPECT_THAT(once.out, HasSubstr("fill their limit"));
  EXPECT_THAT(once.out, HasSubstr("Raise [retention] max_size"));
  EXPECT_EQ(StoredIds().size(), 5U);
  ExpectNothingLost();
}

// A volume of its own needs a mount namespace.
class VolumeTest : public StoreTest {
 protected:
  // Runs the commands with `data` mounted anew.
  [[nodiscard]] Outcome Mounted(const std::string& commands) const {
    Write("mounted.sh", commands);
    return Shell("unshare --user --map-root-user --mount sh mounted.sh");
  }
  [[nodiscard]] bool CanMount() const { return Mounted("mount -t tmpfs none data").code == 0; }
};

TEST_F(VolumeTest, AReadOnlyVolumeIsNamedAndReadingCommandsStillWork) {
  if (!CanMount()) GTEST_SKIP() << "this machine gives tests no mount namespace";
  const Outcome once = Mounted(
      "mount --bind data data && mount -o remount,ro,bind data && "
      "\"$PICKET\" once --all-streams; code=$?; \"$PICKET\" status; exit $code");
  EXPECT_EQ(once.code, 74) << once.out;
  EXPECT_THAT(once.out, HasSubstr("Read-only file system"));
  EXPECT_THAT(once.out, HasSubstr("The volume is read-only"));
  // agent.db is read without a write-ahead log, which nobody can make here.
  EXPECT_FALSE(fs::exists(dir_ / "data/agent.db-wal"));
  EXPECT_THAT(once.out, HasSubstr("signIns.interactive  ok"));
  ExpectNothingLost();
}

TEST_F(VolumeTest, AFullVolumeStopsReadingSaysSoAndLosesNothing) {
  if (!CanMount()) GTEST_SKIP() << "this machine gives tests no mount namespace";
  for (int i = 0; i < 900; ++i) Emit();
  WriteConfig();
  // Full from the beginning, and full in the middle of the first page.
  for (const char* room : {"0", "120000"}) {
    const Outcome once = Mounted(
        fmt::format("rm -rf kept; cp -a data kept && mount -t tmpfs -o size=1m none data && "
                    "cp -a kept/. data/ && free=$(df --output=avail -B1 data | tail -n 1) && "
                    "head -c $((free - {})) /dev/zero > data/ballast; "
                    "\"$PICKET\" {}; code=$?; rm data/ballast; rm -rf kept; mkdir kept; "
                    "cp -a data/. kept/; exit $code",
                    room, OnceArguments()));
    EXPECT_EQ(once.code, 74) << once.out;
    EXPECT_THAT(once.out, HasSubstr("full")) << room;
    EXPECT_THAT(once.out, AnyOf(HasSubstr("Free some space"), HasSubstr("Check the volume")));
    // What the full volume holds is whole, and the next run goes on from there.
    fs::remove_all(dir_ / "data");
    fs::rename(dir_ / "kept", dir_ / "data");
    EXPECT_EQ(StoredIds().size(), 5U) << room;
  }
  ExpectNothingLost();
}

}  // namespace
}  // namespace picket

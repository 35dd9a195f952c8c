#include "base/secret.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>
#include <type_traits>

#include "base/files.h"

namespace picket {
namespace {

namespace fs = std::filesystem;

static_assert(!std::is_copy_constructible_v<SecretString>);
static_assert(!std::is_copy_assignable_v<SecretString>);

class SecretTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "picket-secret-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override {
    fs::remove_all(dir_);
    ::unsetenv("PICKET_TEST_SECRET");
    ::unsetenv("CREDENTIALS_DIRECTORY");
  }
  fs::path dir_;
};

// Looks into the object itself: a short string lives inside it.
bool Holds(const void* object, std::size_t size, std::string_view needle) {
  return std::string_view(static_cast<const char*>(object), size).find(needle) !=
         std::string_view::npos;
}

TEST_F(SecretTest, AShortSecretLeavesNothingWhereItWasMovedFrom) {
  SecretString from{std::string("hunter2")};
  ASSERT_TRUE(Holds(&from, sizeof from, "hunter2"));
  const SecretString to(std::move(from));
  EXPECT_EQ(to.Reveal(), "hunter2");
  EXPECT_FALSE(Holds(&from, sizeof from, "unter2"));  // NOLINT(bugprone-use-after-move)
  SecretString other{std::string("older7")};
  other = SecretString(std::string("newer8"));
  EXPECT_EQ(other.Reveal(), "newer8");
  EXPECT_FALSE(Holds(&other, sizeof other, "lder7"));
}

TEST_F(SecretTest, ASecretThatGoesIsOverwritten) {
  alignas(SecretString) unsigned char place[sizeof(SecretString)] = {};
  auto* secret = new (place) SecretString(std::string("hunter2"));
  ASSERT_TRUE(Holds(place, sizeof place, "hunter2"));
  secret->~SecretString();
  EXPECT_FALSE(Holds(place, sizeof place, "unter2"));
}

TEST_F(SecretTest, TheEnvironmentIsAStore) {
  ASSERT_EQ(::setenv("PICKET_TEST_SECRET", "hunter2", 1), 0);
  EXPECT_EQ(ReadSecret({"env", "PICKET_TEST_SECRET"}).value().Reveal(), "hunter2");
  ASSERT_EQ(::setenv("PICKET_TEST_SECRET", "", 1), 0);
  EXPECT_EQ(ReadSecret({"env", "PICKET_TEST_SECRET"}).error().kind, ErrorKind::kInvalidConfig);
}

TEST_F(SecretTest, ACredentialIsAFileOfSystemdAndNoOther) {
  ASSERT_TRUE(WriteFileAtomically(dir_ / "app", "hunter2\n"));
  EXPECT_FALSE(ReadSecret({"credential", "app"}));
  ASSERT_EQ(::setenv("CREDENTIALS_DIRECTORY", dir_.c_str(), 1), 0);
  EXPECT_EQ(ReadSecret({"credential", "app"}).value().Reveal(), "hunter2");
  const fs::path outside = dir_.parent_path() / (dir_.filename().string() + "x");
  ASSERT_TRUE(WriteFileAtomically(outside, "outside"));
  EXPECT_FALSE(ReadSecret({"credential", "../" + outside.filename().string()}));
  fs::remove(outside);
}

TEST_F(SecretTest, OnlyTheLineBreakOfATextIsCut) {
  ASSERT_TRUE(WriteFileAtomically(dir_ / "text", " pass word \r\n"));
  EXPECT_EQ(ReadSecret({"file", dir_ / "text"}).value().Reveal(), " pass word ");
  const std::string binary("\x30\x82\x00\x0a", 4);
  ASSERT_TRUE(WriteFileAtomically(dir_ / "pfx", binary));
  EXPECT_EQ(ReadSecret({"file", dir_ / "pfx"}).value().Reveal(), binary);
}

TEST_F(SecretTest, AnEmptyFileIsNoSecret) {
  for (const char* nothing : {"", "\n", " \r\n"}) {
    ASSERT_TRUE(WriteFileAtomically(dir_ / "empty", nothing));
    const auto secret = ReadSecret({"file", dir_ / "empty"});
    ASSERT_FALSE(secret);
    EXPECT_EQ(secret.error().kind, ErrorKind::kInvalidConfig);
    EXPECT_NE(secret.error().message.find("empty is empty"), std::string::npos);
  }
}

TEST_F(SecretTest, AMissingOrHugeFileIsTheConfigsFault) {
  EXPECT_EQ(ReadSecret({"file", dir_ / "none"}).error().kind, ErrorKind::kInvalidConfig);
  ASSERT_TRUE(WriteFileAtomically(dir_ / "huge", std::string(100'000, 'x')));
  EXPECT_EQ(ReadSecret({"file", dir_ / "huge"}).error().kind, ErrorKind::kInvalidConfig);
}

}  // namespace
}  // namespace picket

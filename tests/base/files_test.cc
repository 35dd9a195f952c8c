#include "base/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>
#include <vector>

#include "base/gzip.h"
#include "base/secret.h"

namespace picket {
namespace {

namespace fs = std::filesystem;

class FilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "picket-files-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { fs::remove_all(dir_); }
  fs::path dir_;
};

TEST_F(FilesTest, AFileIsReplacedWholeWithItsMode) {
  ASSERT_TRUE(WriteFileAtomically(dir_ / "a", "one"));
  ASSERT_TRUE(WriteFileAtomically(dir_ / "a", "two"));
  EXPECT_EQ(ReadFile(dir_ / "a", 100).value(), "two");
  struct stat info {};
  ASSERT_EQ(::stat((dir_ / "a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_), fs::directory_iterator()), 1);
}

TEST_F(FilesTest, AWriteThatFailsLeavesTheOldFileAndNothingElse) {
  ASSERT_TRUE(EnsurePrivateDirectory(dir_ / "a"));
  ASSERT_TRUE(WriteFileAtomically(dir_ / "a" / "inside", "old"));
  EXPECT_FALSE(WriteFileAtomically(dir_ / "a", "new"));  // a folder cannot be replaced
  EXPECT_EQ(ReadFile(dir_ / "a" / "inside", 100).value(), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_), fs::directory_iterator()), 1);
  EXPECT_FALSE(WriteFileAtomically(dir_ / "none" / "b", "new"));
}

TEST_F(FilesTest, WritersAtOnceEachReplaceTheWholeFile) {
  const std::string one(100'000, '1');
  const std::string two(200'000, '2');
  std::vector<std::thread> writers;
  for (const std::string* text : {&one, &two, &one, &two}) {
    writers.emplace_back([&, text] {
      for (int i = 0; i < 5; ++i) EXPECT_TRUE(WriteFileAtomically(dir_ / "a", *text));
    });
  }
  for (std::thread& writer : writers) writer.join();
  const std::string content = ReadFile(dir_ / "a", 1'000'000).value();
  EXPECT_TRUE(content == one || content == two) << content.size();
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_), fs::directory_iterator()), 1);
}

TEST_F(FilesTest, AMissingAndATooLargeFileAreToldApart) {
  EXPECT_EQ(ReadFile(dir_ / "none", 10).error().kind, ErrorKind::kNotFound);
  ASSERT_TRUE(WriteFileAtomically(dir_ / "a", std::string(11, 'x')));
  EXPECT_EQ(ReadFile(dir_ / "a", 10).error().kind, ErrorKind::kLimit);
}

TEST_F(FilesTest, ADirectoryThatOthersMayWriteIsRefused) {
  ASSERT_TRUE(EnsurePrivateDirectory(dir_ / "mine"));
  EXPECT_TRUE(EnsurePrivateDirectory(dir_ / "mine"));
  ASSERT_EQ(::chmod((dir_ / "mine").c_str(), 0777), 0);
  EXPECT_FALSE(EnsurePrivateDirectory(dir_ / "mine"));
}

TEST_F(FilesTest, ASecondProcessIsToldWhoHoldsTheLock) {
  const Result<DirectoryLock> lock = DirectoryLock::Acquire(dir_);
  ASSERT_TRUE(lock);
  const pid_t child = ::fork();
  if (child == 0) {
    const Result<DirectoryLock> second = DirectoryLock::Acquire(dir_);
    const bool told = !second && second.error().remote_code == "locked" &&
                      second.error().message.find(std::to_string(::getppid())) != std::string::npos;
    ::_exit(told ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(FilesTest, SecretsAreReferencesAndNeverInErrors) {
  const Result<SecretRef> literal = ParseSecretRef("hunter2");
  ASSERT_FALSE(literal);
  EXPECT_EQ(literal.error().message.find("hunter2"), std::string::npos);
  for (const char* bad : {"", "@{", "@{}", "@{file:}", "@{vault:x}", "@{file:x"}) {
    EXPECT_FALSE(ParseSecretRef(bad)) << bad;
  }
  ASSERT_TRUE(WriteFileAtomically(dir_ / "s", "hunter2\n"));
  EXPECT_EQ(
      ReadSecret(ParseSecretRef("@{file:" + (dir_ / "s").string() + "}").value()).value().Reveal(),
      "hunter2");
  ASSERT_EQ(::chmod((dir_ / "s").c_str(), 0644), 0);
  EXPECT_FALSE(ReadSecret({"file", (dir_ / "s").string()}));
}

TEST_F(FilesTest, GzipIsBoundedAndBrokenGzipIsRefused) {
  const std::string text(100'000, 'a');
  const std::string packed = Gzip(text);
  EXPECT_EQ(Gunzip(packed, 100'000).value(), text);
  EXPECT_EQ(Gunzip(packed, 99'999).error().kind, ErrorKind::kLimit);
  EXPECT_EQ(Gunzip(packed.substr(0, packed.size() / 2), 1 << 20).error().kind,
            ErrorKind::kUnexpectedReply);
  EXPECT_FALSE(Gunzip("no gzip at all", 100));
  EXPECT_FALSE(Gunzip("", 100));
  EXPECT_EQ(Gunzip(packed + Gzip("tail"), 1 << 20).value(), text + "tail");  // two members
  EXPECT_FALSE(Gunzip(packed + "garbage", 1 << 20));
  for (std::size_t size = 0; size < packed.size(); ++size) {
    EXPECT_FALSE(Gunzip(packed.substr(0, size), 1 << 20)) << size;
  }
}

}  // namespace
}  // namespace picket

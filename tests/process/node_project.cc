#include "tests/process/node_project.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/files.h"
#include "base/text.h"
#include "tests/process/child_process.h"

namespace picket {
namespace {

namespace fs = std::filesystem;

bool Runs(const char* program) {
  const auto version = ChildProcess::Start({program, "--version"});
  if (!version) return false;
  (void)version->Output();
  return version->ExitStatus() == 0;
}

// Held by one process at a time, until it goes.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder)
      : file_(open((folder / ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)) {
    flock(file_, LOCK_EX);
  }
  ~FolderLock() { close(file_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  const int file_;
};

}  // namespace

std::string InstallNodeProject(const fs::path& from, const fs::path& to) {
  fs::create_directories(to);
  const FolderLock lock(to);
  for (const auto& entry : fs::directory_iterator(from)) {
    if (!entry.is_regular_file()) continue;
    fs::copy_file(entry.path(), to / entry.path().filename(), fs::copy_options::overwrite_existing);
  }
  const std::string wanted =
      Sha256Hex(ReadFile(to / "package-lock.json", std::size_t{1} << 20).value_or(""));
  const fs::path stamp = to / "node_modules" / ".picket-installed";
  if (!Runs("node")) return "Node.js is not installed";
  if (ReadFile(stamp, 200).value_or("") == wanted) return {};
  if (!Runs("npm")) return "npm is not installed";
  const auto npm = ChildProcess::Start({"npm", "ci", "--prefix", to.string(), "--silent",
                                        "--ignore-scripts", "--no-audit", "--no-fund"});
  if (!npm) return "npm does not start";
  (void)npm->Output();
  if (npm->ExitStatus() != 0) return "npm reaches no registry that has the packages";
  if (!WriteFileAtomically(stamp, wanted)) return "the build directory cannot be written";
  return {};
}

}  // namespace picket

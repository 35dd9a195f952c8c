#pragma once

#include <stdlib.h>  // NOLINT: mkdtemp is POSIX

#include <filesystem>
#include <string>
#include <system_error>

#include "base/result.h"

namespace picket {

// A new directory, gone with all that is in it when this goes.
class ScratchDirectory {
 public:
  // kMemory: in memory if the machine has such a place, for tests of very many commits.
  enum class Where { kDisk, kMemory };
  explicit ScratchDirectory(Where where = Where::kDisk) {
    namespace fs = std::filesystem;
    for (const fs::path& parent : {fs::path("/dev/shm"), fs::temp_directory_path()}) {
      if (where == Where::kDisk && parent == "/dev/shm") continue;
      std::string pattern = (parent / "picket-test-XXXXXX").string();
      if (::mkdtemp(pattern.data()) == nullptr) continue;
      path_ = pattern;
      return;
    }
    PK_CHECK(false, "a directory for temporary files");
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace picket

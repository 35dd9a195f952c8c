#include "tests/bench/scratch_directory.h"

#include <cstdlib>
#include <string>
#include <system_error>

#include "base/result.h"

namespace picket::bench {

ScratchDirectory::ScratchDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "picket-bench-XXXXXX").string();
  PK_CHECK(mkdtemp(pattern.data()) != nullptr, "a directory for the bench");
  path_ = pattern;
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace picket::bench

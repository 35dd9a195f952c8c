#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace picket {

// Programs of others that tests run: a folder of the source tree with package.json,
// package-lock.json and scripts. Its packages are installed from the npm registry, as the lock file
// has them, into a folder of the build tree, once; tests that run beside each other may all ask.
//
// "" when it is there, or why not: "npm is not installed". For GTEST_SKIP.
std::string InstallNodeProject(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace picket

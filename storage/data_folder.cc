#include "storage/data_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <system_error>

#include "base/files.h"

namespace picket::storage {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kOthers = S_IRWXG | S_IRWXO;
constexpr unsigned kOthersWrite = S_IWGRP | S_IWOTH;

// What stands in a data folder: what Picket makes, and what a file system makes at its root.
bool IsExpected(const std::string& name) {
  return name == "lock" || name == "tenants" || name == "lost+found" ||
         name.rfind("agent.db", 0) == 0;
}

bool IsDatabase(const std::string& name) { return name.find(".db") != std::string::npos; }

// The first thing in it that is not Picket's; "" for none.
std::string StrangerIn(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!IsExpected(name)) return name;
  }
  return {};
}

// Ours, and others may read it but not write it. The mode is that of the thing itself, not of what
// a link leads to.
bool IsLax(const fs::path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return false;
  const bool known = S_ISREG(info.st_mode) || S_ISDIR(info.st_mode);
  return known && info.st_uid == ::geteuid() && (info.st_mode & kOthers) != 0 &&
         (info.st_mode & kOthersWrite) == 0;
}

Status Tighten(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  struct stat info {};
  bool done = fd >= 0 && ::fstat(fd, &info) == 0 && ::fchmod(fd, info.st_mode & (S_IRWXU)) == 0 &&
              ::fstat(fd, &info) == 0;
  const int code = errno;
  const bool kept = done && (info.st_mode & kOthers) != 0;
  done = done && !kept;
  if (fd >= 0) ::close(fd);
  if (done || (fd < 0 && code == ENOENT)) return {};
  return Fail({.kind = ErrorKind::kStorage,
               .message = fmt::format(
                   "{} can be read by others, and its mode cannot be changed: {}", path.string(),
                   kept ? "the volume keeps no modes" : std::generic_category().message(code)),
               .hint = "Put data_dir on a volume that keeps them, or mount it for Picket alone."});
}

void AddLaxFiles(const fs::path& folder, bool (*wanted)(const std::string&),
                 std::vector<fs::path>& lax) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (wanted(entry->path().filename().string()) && IsLax(entry->path())) {
      lax.push_back(entry->path());
    }
  }
}

}  // namespace

Result<std::vector<fs::path>> SecureDataFolder(const fs::path& data_dir, Lax lax) {
  PK_RETURN_IF_ERROR(EnsurePrivateDirectory(data_dir));
  std::vector<fs::path> parts;
  if (IsLax(data_dir)) {
    // A home folder, or /var/lib itself, must not be shut for everybody else.
    if (const std::string stranger = StrangerIn(data_dir); !stranger.empty()) {
      return Fail({.kind = ErrorKind::kStorage,
                   .message = fmt::format(
                       "{} can be read by others, and holds other things than Picket's: {}",
                       data_dir.string(), stranger),
                   .hint = fmt::format("Let data_dir name a folder of its own, or: chmod 700 {}",
                                       data_dir.string())});
    }
    parts.push_back(data_dir);
  }
  AddLaxFiles(data_dir, &IsExpected, parts);
  AddLaxFiles(data_dir / "tenants", &IsDatabase, parts);
  std::sort(parts.begin(), parts.end());
  if (lax == Lax::kList) return parts;
  for (const fs::path& part : parts) PK_RETURN_IF_ERROR(Tighten(part));
  return parts;
}

}  // namespace picket::storage

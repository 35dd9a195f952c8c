#include "base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace picket {
namespace {

namespace fs = std::filesystem;

std::string ErrorText(int code) { return std::error_code(code, std::generic_category()).message(); }

Error FileError(const fs::path& path, std::string_view what, int code) {
  const bool missing = code == ENOENT;
  return {.kind = missing ? ErrorKind::kNotFound : ErrorKind::kStorage,
          .message = fmt::format("{} {}: {}", what, path.string(), ErrorText(code)),
          .hint = code == EACCES   ? "Run Picket as the owner of the file."
                  : code == ENOSPC ? "Free some space on the volume."
                  : code == EROFS  ? "The volume is read-only."
                                   : "",
          .remote_code = code == EACCES || code == EROFS ? "denied" : ""};
}

class FileHandle {
 public:
  explicit FileHandle(int fd) : fd_(fd) {}
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  ~FileHandle() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  // Closes now, to hear of an error.
  int Close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

Status WriteAllBytes(int fd, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return Fail(FileError(path, "cannot write", errno));
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Status SyncDirectory(const fs::path& directory) {
  const FileHandle handle(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.get() < 0 || ::fsync(handle.get()) != 0) {
    return Fail(FileError(directory, "cannot sync", errno));
  }
  return {};
}

}  // namespace

Result<std::string> ReadFile(const fs::path& path, std::size_t max_bytes) {
  const FileHandle handle(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (handle.get() < 0) return Fail(FileError(path, "cannot read", errno));
  std::string content;
  char buffer[65536];
  while (true) {
    const ssize_t got = ::read(handle.get(), buffer, sizeof buffer);
    if (got < 0) {
      if (errno == EINTR) continue;
      return Fail(FileError(path, "cannot read", errno));
    }
    if (got == 0) return content;
    content.append(buffer, static_cast<std::size_t>(got));
    if (content.size() > max_bytes) {
      return Fail({.kind = ErrorKind::kLimit,
                   .message = fmt::format("{} is larger than {} bytes", path.string(), max_bytes)});
    }
  }
}

Status WriteFileAtomically(const fs::path& path, std::string_view content, unsigned mode) {
  const fs::path directory = path.has_parent_path() ? path.parent_path() : fs::path(".");
  // Threads may write at once; what a crash left behind must lend neither its mode nor its target.
  static std::atomic<unsigned> count = 0;
  const fs::path temporary = path.string() + fmt::format(".tmp{}-{}", ::getpid(), ++count);
  ::unlink(temporary.c_str());
  {
    FileHandle handle(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
    if (handle.get() < 0) return Fail(FileError(path, "cannot create", errno));
    Status status = WriteAllBytes(handle.get(), content, path);
    if (status && ::fsync(handle.get()) != 0) {
      status = Fail(FileError(path, "cannot sync", errno));
    }
    if (handle.Close() != 0 && status) status = Fail(FileError(path, "cannot close", errno));
    if (!status) {
      ::unlink(temporary.c_str());
      return status;
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int code = errno;
    ::unlink(temporary.c_str());
    return Fail(FileError(path, "cannot replace", code));
  }
  return SyncDirectory(directory);
}

Status EnsurePrivateDirectory(const fs::path& path) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    Error failed = FileError(path, "cannot create", errno);
    failed.kind = ErrorKind::kStorage;
    failed.remote_code = kCannotCreate;
    if (failed.hint.empty()) failed.hint = "Choose another data_dir, or make the folder it is in.";
    return Fail(std::move(failed));
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return Fail(FileError(path, "cannot look at", errno));
  if (!S_ISDIR(info.st_mode)) {
    return Fail({.kind = ErrorKind::kStorage, .message = path.string() + " is no folder"});
  }
  if (info.st_uid != ::geteuid()) {
    return Fail(
        {.kind = ErrorKind::kStorage,
         .message = path.string() + " belongs to another user",
         .hint = fmt::format("Run Picket as its owner, choose another data_dir, or: chown -R {} {}",
                             ::geteuid(), path.string())});
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return Fail({.kind = ErrorKind::kStorage,
                 .message = path.string() + " can be written by others",
                 .hint = "See who wrote to it, then: chmod 700 " + path.string()});
  }
  return {};
}

Result<DirectoryLock> DirectoryLock::Acquire(const fs::path& directory) {
  const fs::path path = directory / "lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return Fail(FileError(path, "cannot open", errno));
  DirectoryLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const Result<std::string> pid = ReadFile(path, 64);
    return Fail(
        {.kind = ErrorKind::kRefused,
         .message = fmt::format("another Picket (pid {}) works on {}",
                                pid && !pid->empty() ? *pid : "unknown", directory.string()),
         .hint = "Stop it, or wait until it is done.",
         .remote_code = "locked"});
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd, 0) != 0) return Fail(FileError(path, "cannot write", errno));
  PK_RETURN_IF_ERROR(WriteAllBytes(fd, pid, path));
  return lock;
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

DirectoryLock& DirectoryLock::operator=(DirectoryLock&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

DirectoryLock::~DirectoryLock() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::uint64_t> FreeBytes(const fs::path& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) return Fail(FileError(path, "cannot look at", errno));
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

bool OnReadOnlyVolume(const std::filesystem::path& path) {
  struct statvfs info {};
  return ::statvfs(path.c_str(), &info) == 0 && (info.f_flag & ST_RDONLY) != 0;
}

}  // namespace picket

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace picket {

// Whole file, at most `max_bytes` (kLimit beyond). kNotFound, else kStorage with the path.
Result<std::string> ReadFile(const std::filesystem::path& path, std::size_t max_bytes);

// Replaces the file whole or not at all: temporary file beside it, fsync, rename, fsync of the
// directory. Mode 0600 unless given.
Status WriteFileAtomically(const std::filesystem::path& path, std::string_view content,
                           unsigned mode = 0600);

// remote_code of a directory that cannot be made; the command line answers 73.
inline constexpr std::string_view kCannotCreate = "cannot_create";
// Creates the directory (0700) if missing; refuses one that is another user's or that others may
// write.
Status EnsurePrivateDirectory(const std::filesystem::path& path);

// One instance a directory. kTransient-free: a second instance gets kRefused with the holder's pid
// in the message; the command line answers 75.
class DirectoryLock {
 public:
  static Result<DirectoryLock> Acquire(const std::filesystem::path& directory);
  DirectoryLock(DirectoryLock&&) noexcept;
  DirectoryLock& operator=(DirectoryLock&&) noexcept;
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

// Free bytes of the volume that holds the path.
Result<std::uint64_t> FreeBytes(const std::filesystem::path& path);
// Whether the volume that holds the path is mounted read-only; false when that can't be told.
bool OnReadOnlyVolume(const std::filesystem::path& path);

}  // namespace picket

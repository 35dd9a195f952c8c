#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/sqlite/database.h"

namespace picket::storage {

// A frame: the JSON of up to 64 records of one page, in one zstd frame. Records of a page look
// alike, so together they take a tenth of what each takes alone. A frame is closed early when its
// records reach kFrameBytes, so that reading one record never unpacks much more than it.
inline constexpr std::size_t kRecordsPerFrame = 64;
inline constexpr std::size_t kFrameBytes = std::size_t{1} << 20;
// Of a frame with its last record, whatever the decoder lets through.
inline constexpr std::size_t kMaxFrameBytes = std::size_t{32} << 20;

std::string PackFrame(const std::vector<std::string_view>& records);

// Packs one frame after the other into the same memory.
class FramePacker {
 public:
  // Valid until the next call.
  std::string_view Pack(const std::vector<std::string_view>& records);

 private:
  std::string plain_;
  std::string packed_;
};

// The records of a frame; views into its own bytes.
class UnpackedFrame {
 public:
  // kStorage when the bytes are not what PackFrame made.
  static Result<UnpackedFrame> From(std::string_view packed);
  [[nodiscard]] std::size_t size() const { return ends_.size(); }
  [[nodiscard]] std::string_view Record(std::size_t place) const;

 private:
  std::string bytes_;
  std::vector<std::size_t> ends_;
  std::size_t start_ = 0;
};

// Reads records out of frames; keeps the last few frames unpacked. One thread at a time.
class FrameReader {
 public:
  explicit FrameReader(Database& database) : database_(database) {}
  // Valid until the next call but three.
  Result<std::string_view> Record(std::int64_t frame, std::int64_t place);
  void Forget() { cache_.clear(); }

 private:
  struct Cached {
    std::int64_t id = 0;
    UnpackedFrame frame;
  };
  Database& database_;
  std::list<Cached> cache_;  // newest first
  std::int64_t rollbacks_ = 0;
};

}  // namespace picket::storage

#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/sqlite/database.h"

namespace picket::storage {

// A frame: the JSON of up to 64 records of one page, in one zstd frame. Records of a page look
// alike, so together they take a tenth of what each takes alone.
inline constexpr std::size_t kRecordsPerFrame = 64;
inline constexpr std::size_t kMaxFrameBytes = std::size_t{96} << 20;

std::string PackFrame(const std::vector<std::string_view>& records);
Result<std::vector<std::string>> UnpackFrame(std::string_view bytes);

// Reads records out of frames; keeps the last few frames unpacked. One thread at a time.
class FrameReader {
 public:
  explicit FrameReader(Database& database) : database_(database) {}
  // Valid until the frame leaves the cache: until the next call but seven.
  Result<std::string_view> Record(std::int64_t frame, std::int64_t place);
  void Forget() { cache_.clear(); }

 private:
  struct Unpacked {
    std::int64_t frame;
    std::vector<std::string> records;
  };
  Database& database_;
  std::list<Unpacked> cache_;  // newest first
};

}  // namespace picket::storage

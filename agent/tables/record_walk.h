#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace picket::tables {

inline constexpr std::size_t kMaxRecordBytes = std::size_t{1} << 20;
inline constexpr int kMaxRecordDepth = 64;

// Walks records once, over simdjson's tokens: checks all of their JSON, hashes them and hands out
// their members. One thread at a time.
class RecordWalker {
 public:
  RecordWalker();
  ~RecordWalker();
  RecordWalker(const RecordWalker&) = delete;
  RecordWalker& operator=(const RecordWalker&) = delete;

  struct Visitor {
    // A record begins; then its members, in the order of the text, each with its exact JSON.
    std::function<void()> begin;
    std::function<void(std::string_view name, std::string_view value)> member;
    // It ended, and is sound: its JSON, and the hash of its canonical form (members in any order,
    // without insignificant space, without null and volatile ones).
    std::function<void(std::string_view json, std::uint64_t hash)> end;
    // It ended, and can't be kept.
    std::function<void(std::string_view why)> reject;
  };

  // `json`: an array of records, or one. Views that the visitor gets point into `json`. A record
  // that is broken, too large, too deep, no object or not UTF-8 is rejected alone. kUnexpectedReply
  // when the array itself breaks off; what came before was handed out.
  [[nodiscard]] Status Walk(std::string_view json, const Visitor& visitor);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace picket::tables

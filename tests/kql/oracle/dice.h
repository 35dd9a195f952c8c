#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>

namespace picket::kql::oracle {

// Where random choices come from: a seed, or a fuzzer's bytes (and nothing but zeros after them, so
// that what they make ends).
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  explicit Dice(std::span<const std::uint8_t> bytes) : from_bytes_(true), bytes_(bytes) {}

  std::size_t Below(std::size_t n) {
    if (!from_bytes_) return static_cast<std::size_t>(engine_() % n);
    if (n <= 1) return 0;
    std::size_t number = Byte();
    if (n > 256) number = number << 8U | Byte();
    return number % n;
  }
  bool Once(std::size_t in) { return Below(in) == 1 % in; }
  template <class T, std::size_t N>
  T Of(const std::array<T, N>& values) {
    return values[Below(N)];
  }

 private:
  std::uint8_t Byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }

  bool from_bytes_ = false;
  std::mt19937_64 engine_;
  std::span<const std::uint8_t> bytes_;
};

}  // namespace picket::kql::oracle

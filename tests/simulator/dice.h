#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace picket::simulator {

// Numbers by chance that depend on nothing but what they are made of: the same on every platform
// and in every order of threads (splitmix64).
class Dice {
 public:
  explicit Dice(std::uint64_t seed, std::string_view what = "", std::uint64_t number = 0)
      : state_(seed ^ 0x9e3779b97f4a7c15ULL) {
    for (const char c : what) state_ = Mix(state_ ^ static_cast<unsigned char>(c));
    state_ = Mix(state_ ^ number);
  }

  std::uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    return Mix(state_);
  }
  // [0, count); `count` is not 0.
  std::size_t Below(std::size_t count) { return static_cast<std::size_t>(Next() % count); }
  // [low, high]
  std::int64_t Between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(Next() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool PerMille(int chance) { return static_cast<int>(Next() % 1000) < chance; }

 private:
  static std::uint64_t Mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  std::uint64_t state_;
};

}  // namespace picket::simulator

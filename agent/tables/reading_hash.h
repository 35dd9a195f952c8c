#pragma once

#include <cstdint>
#include <string_view>

// The hash that tells readings of one event apart: of what a record says, not of how it is written
// (order of members, white space, escapes; null members count as absent). It need not withstand
// someone who chooses both readings: what an event's author writes is in both of them alike, and an
// object's hash is the sum of its members', so that only what the service changed decides whether
// the sums are equal. A change of these functions needs a new kMappingVersion.
namespace picket::tables::hash {

inline constexpr std::uint64_t kNull = 0x51A4B7C2E3D69F01ULL;
inline constexpr std::uint64_t kTrue = 0x2F90C6A4D81B7E53ULL;
inline constexpr std::uint64_t kFalse = 0x8C3E5D7A1F64B029ULL;

std::uint64_t OfText(std::string_view text);
std::uint64_t OfNumber(std::string_view digits);
std::uint64_t OfName(std::string_view name);

// Of an object: in whatever order its members come.
class Members {
 public:
  void Add(std::uint64_t name, std::uint64_t value);
  [[nodiscard]] std::uint64_t Hash() const;

 private:
  std::uint64_t sum_ = 0;
};

// Of an array: order counts.
class Elements {
 public:
  void Add(std::uint64_t element);
  [[nodiscard]] std::uint64_t Hash() const { return chain_; }

 private:
  std::uint64_t chain_ = 0x7E1D3B5F9A2C4860ULL;
};

}  // namespace picket::tables::hash

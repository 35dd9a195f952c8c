#include "agent/tables/reading_hash.h"

#include <cstring>

namespace picket::tables::hash {
namespace {

constexpr std::uint64_t kPrime1 = 0x9E3779B185EBCA87ULL;
constexpr std::uint64_t kPrime2 = 0xC2B2AE3D27D4EB4FULL;
constexpr std::uint64_t kPrime3 = 0x165667B19E3779F9ULL;

enum Seed : std::uint64_t { kName = 1, kText, kNumber, kObject };

__extension__ using Wide = unsigned __int128;

// Both halves of the product, folded: each bit of the result hangs on every bit of both.
std::uint64_t Fold(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

std::uint64_t Mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * kPrime1;
  hash ^= hash >> 29U;
  hash *= kPrime2;
  return hash ^ (hash >> 32U);
}

std::uint64_t Word(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

std::uint64_t Bytes(std::string_view bytes, std::uint64_t seed) {
  std::uint64_t hash = seed * kPrime1;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left > 16; left -= 16, at += 16) hash = Fold(Word(at) ^ kPrime1, Word(at + 8) ^ hash);
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  if (left >= 8) {
    first = Word(at);
    second = Word(at + left - 8);
  } else if (left > 0) {
    std::memcpy(&first, at, left);
  }
  return Fold(bytes.size() ^ kPrime3, Fold(first ^ kPrime2, second ^ hash));
}

}  // namespace

std::uint64_t OfText(std::string_view text) { return Bytes(text, kText); }
std::uint64_t OfNumber(std::string_view digits) { return Bytes(digits, kNumber); }
std::uint64_t OfName(std::string_view name) { return Bytes(name, kName); }

void Members::Add(std::uint64_t name, std::uint64_t value) { sum_ += Mix(name, value); }
std::uint64_t Members::Hash() const { return Mix(kObject, sum_); }

void Elements::Add(std::uint64_t element) { chain_ = Mix(chain_, element); }

}  // namespace picket::tables::hash

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/kql/column.h"

namespace picket::kql {

// Builds one text column of a scan, batch after batch. Texts that come again are coded, with one
// dictionary for all batches; when there are too many different ones, this batch and all that
// follow are flat. For one thread.
class DictionaryBuilder {
 public:
  // Different values at most, with so many bytes.
  static constexpr std::size_t kMost = 1024;
  static constexpr std::size_t kMostBytes = std::size_t{64} << 10;

  // `rows`: the largest batch that is expected.
  DictionaryBuilder(Type type, std::size_t rows);
  // The scan's texts that are given as views live as long as this.
  void Keep(std::shared_ptr<const void> arena) { arena_ = std::move(arena); }

  // A key tells a text from the column's others: equal keys, equal texts.
  [[nodiscard]] static std::optional<std::uint64_t> KeyOfShort(std::string_view text) {
    if (text.size() > 7) return std::nullopt;
    std::uint64_t key = text.size();
    for (const char c : text) key = key << 8U | static_cast<unsigned char>(c);
    return key << 1U | 1U;  // odd: never a number's
  }
  [[nodiscard]] static std::uint64_t KeyOfNumber(std::int64_t number) {
    return static_cast<std::uint64_t>(number) << 1U;
  }

  void Null() {
    constexpr std::uint64_t kKey = ~std::uint64_t{0};
    if (!Known(kKey)) AddNull(kKey);
  }
  // True: the value of this key has come before, and is added.
  [[nodiscard]] bool Known(std::uint64_t key) {
    if (flat_) return false;
    for (std::size_t i = PlaceOf(key);; i = (i + 1) % slots_.size()) {
      if (!slots_[i].used) return false;
      if (slots_[i].key == key) {
        codes_->push_back(slots_[i].code);
        return true;
      }
    }
  }
  // One that has not; its bytes are kept here, or (View) by what Keep() was given.
  void Text(std::optional<std::uint64_t> key, std::string_view text);
  void View(std::uint64_t key, std::string_view text);

  // The batch's column. Builds the next one from here.
  ColumnPtr Finish();

 private:
  struct Slot {
    std::uint64_t key = 0;
    std::uint32_t code = 0;
    bool used = false;
  };
  [[nodiscard]] std::size_t PlaceOf(std::uint64_t key) const {
    return static_cast<std::size_t>(key * 0x9E3779B97F4A7C15U >> 32U) % slots_.size();
  }
  void AddNull(std::uint64_t key);
  void Remember(std::optional<std::uint64_t> key, std::size_t bytes);
  void BeginBatch();
  void GoFlat();

  const Type type_;
  const std::size_t rows_;
  std::shared_ptr<const void> arena_;
  bool flat_ = false;
  std::optional<ColumnBuilder> builder_;  // of the batch when flat
  std::vector<Slot> slots_;
  ColumnBuilder values_;  // of the dictionary
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  ColumnPtr dictionary_;  // the values so far; nullptr when there are more
  std::shared_ptr<Codes> codes_;
};

}  // namespace picket::kql

#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "storage/record.h"
#include "storage/sqlite/database.h"

namespace picket::storage {

// A text as a typed column holds it: the id of a word (INTEGER), a GUID's 16 bytes (BLOB), or
// itself (TEXT). Most texts of sign-ins come again and again (users, applications, browsers): kept
// once, an event takes half the bytes, and scans read fewer pages.
struct StoredText {
  std::int64_t word = 0;     // 0: not a word
  std::optional<Guid> guid;  // its lower-case form
  std::string_view text;     // if neither
};

inline constexpr std::size_t kGuidText = 36;
// Only of the lower-case form, which FormatGuid gives back the same; anything else stays a text.
std::optional<Guid> ParseLowerGuid(std::string_view text);
void FormatGuid(std::string_view bytes, std::array<char, kGuidText>& text);

// Binds it; the value must live until the statement's next step or reset.
void BindText(Statement& statement, int index, const StoredText& stored);
// The statement keeps a copy of its own.
void BindTextCopy(Statement& statement, int index, const StoredText& stored);

// Words as read: by id. Shared by the scans of a store; its texts stay where they are.
class WordCache {
 public:
  [[nodiscard]] Result<std::string_view> Text(Database& database, std::int64_t word) {
    // Ids grow from 1, so most words have a place of their own.
    if (word >= 0 && word < std::ssize(low_)) {
      const std::string_view text = low_[static_cast<std::size_t>(word)];
      if (text.data() != nullptr) return text;
    }
    return Read(database, word);
  }
  [[nodiscard]] bool Full() const { return texts_.size() >= kMost; }

 private:
  static constexpr std::size_t kMost = 50'000;
  static constexpr std::int64_t kLow = 65'536;
  [[nodiscard]] Result<std::string_view> Read(Database& database, std::int64_t word);
  std::unordered_map<std::int64_t, std::string> texts_;  // every one of them
  std::vector<std::string_view> low_;                    // views of those with low ids
};

// The words of one tenant's file. A text becomes a word when it is seen for the second time. One
// thread at a time; writes happen in the caller's transaction.
class Words {
 public:
  explicit Words(Database& database) : database_(database) {}

  // How often a column's texts come again; for columns where they hardly ever do, no words are
  // looked for.
  struct Usage {
    std::uint32_t seen = 0;
    std::uint32_t again = 0;
  };
  // Of the column of that name; lives as long as this.
  [[nodiscard]] Usage& UsageOf(const std::string& column) { return usage_[column]; }
  // How to write the text into the column.
  [[nodiscard]] Result<StoredText> ForWriting(Usage& usage, std::string_view text);
  // The forms under which an equal text may be stored: the word's id (or none), and the other.
  struct Forms {
    std::int64_t word = 0;
    StoredText other;
  };
  [[nodiscard]] Result<Forms> ForSearching(std::string_view text);
  // For scans; another one when the last was full or a word was deleted.
  [[nodiscard]] const std::shared_ptr<WordCache>& Cache();

  // Deletes the words that no column of the tables holds any more, if there are many: in small
  // transactions of its own.
  [[nodiscard]] Status Sweep(const std::vector<StreamSchema>& schemas);
  // Gives back memory.
  void Forget();

 private:
  // A text that was seen, and its id; 0 when it is no word yet.
  struct Remembered {
    std::string text;
    std::int64_t word = 0;
  };
  [[nodiscard]] Remembered& PlaceOf(std::string_view text);
  [[nodiscard]] Result<std::int64_t> Find(std::string_view text);
  [[nodiscard]] Result<std::int64_t> Make(std::string_view text);
  [[nodiscard]] Status DeleteUnused(const std::vector<StreamSchema>& schemas);

  Database& database_;
  std::vector<Remembered> remembered_;  // by hash
  std::unordered_map<std::string, Usage> usage_;
  std::int64_t rollbacks_ = 0;
  std::shared_ptr<WordCache> cache_;
};

}  // namespace picket::storage

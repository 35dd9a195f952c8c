#pragma once

#include <array>
#include <cstdint>
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
void FormatGuid(std::string_view bytes, std::array<char, kGuidText>& text);

// Binds it; the value must live until the statement's next step or reset.
void BindText(Statement& statement, int index, const StoredText& stored);
// The statement keeps a copy of its own.
void BindTextCopy(Statement& statement, int index, const StoredText& stored);

// Words as read: by id. Shared by the scans of a store; its texts stay where they are.
class WordCache {
 public:
  [[nodiscard]] Result<std::string_view> Text(Database& database, std::int64_t word);
  [[nodiscard]] bool Full() const { return texts_.size() >= kMost; }

 private:
  static constexpr std::size_t kMost = 50'000;
  std::unordered_map<std::int64_t, std::string> texts_;
};

// The words of one tenant's file. A text becomes a word when it is seen for the second time. One
// thread at a time; writes happen in the caller's transaction.
class Words {
 public:
  explicit Words(Database& database) : database_(database) {}

  // How to write the text into a column. `column` tells columns apart, to notice those whose texts
  // hardly ever come again.
  [[nodiscard]] Result<StoredText> ForWriting(std::string_view column, std::string_view text);
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
  struct Usage {
    std::uint32_t seen = 0;
    std::uint32_t again = 0;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  [[nodiscard]] Result<std::int64_t> Find(std::string_view text);
  [[nodiscard]] Result<std::int64_t> Make(std::string_view text);
  [[nodiscard]] Status DeleteUnused(const std::vector<StreamSchema>& schemas);

  Database& database_;
  // Text → id, 0 for one that was seen once.
  std::unordered_map<std::string, std::int64_t, TextHash, std::equal_to<>> seen_;
  std::unordered_map<std::string, Usage, TextHash, std::equal_to<>> usage_;
  std::int64_t rollbacks_ = 0;
  std::shared_ptr<WordCache> cache_;
};

}  // namespace picket::storage

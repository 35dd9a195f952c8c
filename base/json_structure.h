#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace picket {

// Where the tokens of a JSON text stand: each { } [ ] : and comma, and the first character of each
// string, number and literal. Found by simdjson's first stage, which picks the fastest code for the
// processor when it runs; its On Demand front end is bound to the slowest when it is compiled for
// any x86-64 (docs/decisions/json-tokens.md). Keep one and read text after text with it: it keeps
// its memory. One thread at a time.
class JsonStructure {
 public:
  JsonStructure();
  ~JsonStructure();
  JsonStructure(const JsonStructure&) = delete;
  JsonStructure& operator=(const JsonStructure&) = delete;

  // kSound: the text is UTF-8, every string is closed, and no control character stands in one. What
  // the tokens are and how they follow is not looked at. At most 4 GiB.
  enum class Finding : std::uint8_t { kSound, kNotUtf8, kBroken };
  // The text must live as long as it is asked of.
  [[nodiscard]] Finding Read(std::string_view text);

  // Tokens of the last text that was sound; else none.
  [[nodiscard]] std::size_t size() const { return size_; }
  // The token's first character; '\0' behind the last one.
  [[nodiscard]] char At(std::size_t token) const {
    return token < size_ ? text_[positions_[token]] : '\0';
  }
  // A string with its quotes, a number, a literal, or one of the six characters. What stands there
  // up to the next token, without white space: `12x` is one token.
  [[nodiscard]] std::string_view Token(std::size_t token) const;
  // From the first token's first character to the last one's end, which must be a bracket.
  [[nodiscard]] std::string_view Span(std::size_t first, std::size_t last) const {
    return text_.substr(positions_[first], positions_[last] + 1 - positions_[first]);
  }
  // The last token of the value that begins with this one: itself, or the bracket that closes it,
  // of either kind. nullopt when none does.
  [[nodiscard]] std::optional<std::size_t> Last(std::size_t token) const;

 private:
  class Parser;
  const std::unique_ptr<Parser> parser_;
  std::string_view text_;
  const std::uint32_t* positions_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace picket

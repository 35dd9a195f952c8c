#include "base/json_structure.h"

#include <simdjson.h>

#include <algorithm>
#include <array>

namespace picket {
namespace {

constexpr std::array<std::int8_t, 256> kDeeper = [] {
  std::array<std::int8_t, 256> deeper{};
  for (const char c : {'{', '['}) deeper[static_cast<unsigned char>(c)] = 1;
  for (const char c : {'}', ']'}) deeper[static_cast<unsigned char>(c)] = -1;
  return deeper;
}();

}  // namespace

class JsonStructure::Parser {
 public:
  simdjson::error_code Read(std::string_view text) {
    // The document must be smaller than the capacity; a little more spares the next growth.
    if (!parser_ || text.size() >= parser_->capacity()) {
      const std::size_t capacity = std::max<std::size_t>(text.size() + text.size() / 8, 4096);
      if (capacity > simdjson::SIMDJSON_MAXSIZE_BYTES) return simdjson::CAPACITY;
      const auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(
          capacity, /*max_depth=*/1, parser_);
      if (error != simdjson::SUCCESS) return error;
    }
    return parser_->stage1(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                           simdjson::stage1_mode::regular);
  }
  [[nodiscard]] const std::uint32_t* positions() const { return parser_->structural_indexes.get(); }
  [[nodiscard]] std::size_t size() const { return parser_->n_structural_indexes; }

 private:
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser_;
};

JsonStructure::JsonStructure() : parser_(std::make_unique<Parser>()) {}
JsonStructure::~JsonStructure() = default;

JsonStructure::Finding JsonStructure::Read(std::string_view text) {
  size_ = 0;
  text_ = text;
  if (text.empty()) return Finding::kBroken;
  const simdjson::error_code error = parser_->Read(text);
  if (error == simdjson::UTF8_ERROR) return Finding::kNotUtf8;
  if (error != simdjson::SUCCESS) return Finding::kBroken;
  positions_ = parser_->positions();
  size_ = parser_->size();
  return Finding::kSound;
}

std::string_view JsonStructure::Token(std::size_t token) const {
  if (token >= size_) return {};
  const std::size_t begin = positions_[token];
  std::size_t end = token + 1 < size_ ? positions_[token + 1] : text_.size();
  const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (end > begin && is_space(text_[end - 1])) --end;
  return text_.substr(begin, end - begin);
}

std::optional<std::size_t> JsonStructure::Last(std::size_t token) const {
  std::int64_t depth = 0;
  for (; token < size_; ++token) {
    depth += kDeeper[static_cast<unsigned char>(text_[positions_[token]])];
    if (depth <= 0) return depth == 0 ? std::optional(token) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace picket

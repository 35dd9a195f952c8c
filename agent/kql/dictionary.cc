#include "agent/kql/dictionary.h"

namespace picket::kql {

DictionaryBuilder::DictionaryBuilder(Type type, std::size_t rows)
    : type_(type), rows_(rows), slots_(4 * kMost), values_(type, 16) {
  BeginBatch();
}

void DictionaryBuilder::BeginBatch() {
  if (flat_) {
    builder_.emplace(type_, rows_);
  } else {
    codes_ = std::make_shared<Codes>();
    codes_->reserve(rows_);
  }
}

void DictionaryBuilder::AddNull(std::uint64_t key) {
  if (flat_) return builder_->Null();
  values_.Null();
  Remember(key, 0);
}

void DictionaryBuilder::Text(std::optional<std::uint64_t> key, std::string_view text) {
  if (flat_) return builder_->Text(text);
  values_.Text(text);
  Remember(key, text.size());
}

void DictionaryBuilder::View(std::uint64_t key, std::string_view text) {
  if (flat_) return builder_->View(text);
  values_.View(text);
  Remember(key, text.size());
}

void DictionaryBuilder::Remember(std::optional<std::uint64_t> key, std::size_t bytes) {
  const auto code = static_cast<std::uint32_t>(count_++);
  bytes_ += bytes;
  dictionary_.reset();
  codes_->push_back(code);
  if (key) {
    std::size_t i = PlaceOf(*key);
    while (slots_[i].used) i = (i + 1) % slots_.size();
    slots_[i] = {.key = *key, .code = code, .used = true};
  }
  if (count_ >= kMost || bytes_ >= kMostBytes) GoFlat();
}

void DictionaryBuilder::GoFlat() {
  const ColumnPtr values = values_.Copy();
  flat_ = true;
  slots_ = {};
  const std::shared_ptr<Codes> codes = std::move(codes_);
  BeginBatch();
  for (const std::uint32_t code : *codes) builder_->AppendFrom(*values, code);
  builder_->KeepArenasOf(*values);
}

ColumnPtr DictionaryBuilder::Finish() {
  ColumnPtr column;
  if (flat_) {
    if (arena_) builder_->Keep(arena_);
    column = builder_->Finish();
  } else {
    if (!dictionary_) {
      if (arena_) values_.Keep(arena_);
      dictionary_ = values_.Copy();
    }
    column = CodedColumn(dictionary_, std::move(codes_));
  }
  BeginBatch();
  return column;
}

}  // namespace picket::kql

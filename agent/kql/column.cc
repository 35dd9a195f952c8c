#include "agent/kql/column.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace picket::kql {

bool IsText(Type type) {
  return type == Type::kString || type == Type::kGuid || type == Type::kDynamic ||
         type == Type::kDecimal;
}

std::string_view Arena::Keep(std::string_view text) {
  constexpr std::size_t kFirst = 1024;
  constexpr std::size_t kMost = std::size_t{64} << 10;
  if (text.empty()) return {};
  bytes_ += text.size();
  if (text.size() > left_) {
    const std::size_t usual = std::min(kFirst << std::min<std::size_t>(blocks_.size(), 6), kMost);
    if (text.size() > usual / 4) {  // a block of its own; the begun one goes on
      blocks_.push_back(std::make_unique<char[]>(text.size()));
      std::memcpy(blocks_.back().get(), text.data(), text.size());
      return {blocks_.back().get(), text.size()};
    }
    blocks_.push_back(std::make_unique<char[]>(usual));
    free_ = blocks_.back().get();
    left_ = usual;
  }
  char* const begin = free_;
  std::memcpy(begin, text.data(), text.size());
  free_ += text.size();
  left_ -= text.size();
  return {begin, text.size()};
}

Value Column::Get(std::size_t row) const {
  if (IsNull(row)) return Value::Null(type);
  Value value{.type = type};
  if (IsText(type)) {
    value.text = Text(row);
  } else if (type == Type::kReal) {
    value.real = Real(row);
  } else {
    value.number = Number(row);
  }
  return value;
}

ColumnBuilder::ColumnBuilder(Type type, std::size_t expected_rows)
    : column_(std::make_shared<Column>()) {
  column_->type = type;
  if (IsText(type)) {
    column_->texts.reserve(expected_rows);
  } else if (type == Type::kReal) {
    column_->reals.reserve(expected_rows);
  } else {
    column_->numbers.reserve(expected_rows);
  }
}

void ColumnBuilder::Null() {
  if (column_->type == Type::kString) return View({});
  // Most columns have no null: their bytes begin with the first one.
  column_->nulls.resize(column_->rows, 0);
  column_->nulls.push_back(1);
  ++column_->rows;
  if (IsText(column_->type)) {
    column_->texts.emplace_back();
  } else if (column_->type == Type::kReal) {
    column_->reals.push_back(0);
  } else {
    column_->numbers.push_back(0);
  }
}

void ColumnBuilder::Number(std::int64_t value) {
  Valid();
  column_->numbers.push_back(value);
}

void ColumnBuilder::Real(double value) {
  Valid();
  column_->reals.push_back(value);
}

void ColumnBuilder::View(std::string_view text) {
  Valid();
  column_->texts.push_back(text);
}

void ColumnBuilder::Text(std::string_view text) {
  if (text.empty()) return View({});
  if (!arena_) arena_ = std::make_shared<Arena>();
  if (arena_->bytes() + text.size() > kMostColumnBytes) {
    column_->too_large = true;
    return Null();
  }
  View(arena_->Keep(text));
}

void ColumnBuilder::Append(const Value& value) {
  if (value.null) {
    Null();
  } else if (IsText(column_->type)) {
    Text(value.text);
  } else if (column_->type == Type::kReal) {
    Real(value.type == Type::kReal ? value.real : static_cast<double>(value.number));
  } else {
    Number(value.number);
  }
}

void ColumnBuilder::AppendFrom(const Column& column, std::size_t row) {
  if (column.IsNull(row)) {
    Null();
  } else if (IsText(column.type)) {
    View(column.Text(row));
  } else if (column_->type == Type::kReal) {
    Real(column.AsReal(row));
  } else {
    Number(column.Number(row));
  }
}

void ColumnBuilder::KeepArenasOf(const Column& column) {
  for (const auto& arena : column.arenas) Keep(arena);
  if (column.dictionary) KeepArenasOf(*column.dictionary);
}

void ColumnBuilder::Keep(std::shared_ptr<const void> arena) {
  // Each once: a column that is used many times over must not make the list grow each time.
  std::vector<std::shared_ptr<const void>>& kept = column_->arenas;
  if (std::find(kept.begin(), kept.end(), arena) == kept.end()) kept.push_back(std::move(arena));
}

ColumnPtr ColumnBuilder::Finish() {
  if (arena_) {
    column_->arenas.push_back(arena_);
    column_->made_bytes = arena_->bytes();
  }
  return column_;
}

ColumnPtr ColumnBuilder::Copy() const {
  auto copy = std::make_shared<Column>(*column_);
  if (arena_) copy->arenas.push_back(arena_);
  return copy;
}

ColumnPtr ConstantColumn(const Value& value, std::size_t rows) {
  auto column = std::make_shared<Column>();
  column->type = value.type;
  column->constant = true;
  column->rows = rows;
  if (value.null) column->nulls.push_back(1);
  if (IsText(value.type)) {
    auto arena = std::make_shared<Arena>();
    column->texts.push_back(arena->Keep(value.text));
    column->arenas.push_back(std::move(arena));
  } else if (value.type == Type::kReal) {
    column->reals.push_back(value.real);
  } else {
    column->numbers.push_back(value.number);
  }
  return column;
}

ColumnPtr CodedColumn(ColumnPtr dictionary, CodesPtr codes) {
  auto column = std::make_shared<Column>();
  column->type = dictionary->type;
  column->rows = codes->size();
  if (dictionary->constant) {
    *column = *dictionary;
    column->rows = codes->size();
    return column;
  }
  column->too_large = dictionary->too_large;
  column->dictionary = std::move(dictionary);
  column->codes = std::move(codes);
  return column;
}

namespace {

// The codes of a selection. Columns that were made of one another share their codes, and go on
// sharing them: what is computed from them together is computed once a value.
class CodeGatherer {
 public:
  explicit CodeGatherer(const Selection& selection) : selection_(selection) {}
  CodesPtr operator()(const CodesPtr& codes) {
    for (const auto& [from, to] : made_) {
      if (from == codes.get()) return to;
    }
    auto gathered = std::make_shared<Codes>(selection_.size());
    for (std::size_t i = 0; i < selection_.size(); ++i) (*gathered)[i] = (*codes)[selection_[i]];
    made_.emplace_back(codes.get(), gathered);
    return gathered;
  }

 private:
  const Selection& selection_;
  std::vector<std::pair<const Codes*, CodesPtr>> made_;
};

ColumnPtr GatherWith(CodeGatherer& codes, const ColumnPtr& column, const Selection& selection) {
  if (column->codes) return CodedColumn(column->dictionary, codes(column->codes));
  return Gather(*column, selection);
}

}  // namespace

ColumnPtr Gather(const Column& column, const Selection& selection) {
  if (column.codes) return CodedColumn(column.dictionary, CodeGatherer(selection)(column.codes));
  auto gathered = std::make_shared<Column>();
  gathered->type = column.type;
  gathered->rows = selection.size();
  gathered->arenas = column.arenas;
  if (column.constant) {
    gathered->constant = true;
    gathered->nulls = column.nulls;
    gathered->numbers = column.numbers;
    gathered->reals = column.reals;
    gathered->texts = column.texts;
    return gathered;
  }
  const auto pick = [&selection](const auto& from, auto& to) {
    if (from.empty()) return;
    to.resize(selection.size());
    for (std::size_t i = 0; i < selection.size(); ++i) to[i] = from[selection[i]];
  };
  pick(column.nulls, gathered->nulls);
  pick(column.numbers, gathered->numbers);
  pick(column.reals, gathered->reals);
  pick(column.texts, gathered->texts);
  return gathered;
}

Batch Select(const Batch& batch, const Selection& selection) {
  Batch selected;
  selected.rows = selection.size();
  selected.columns.reserve(batch.columns.size());
  CodeGatherer codes(selection);
  for (const ColumnPtr& column : batch.columns) {
    selected.columns.push_back(GatherWith(codes, column, selection));
  }
  if (!batch.keys.empty()) {
    for (const std::uint32_t row : selection) selected.keys.push_back(batch.keys[row]);
  }
  if (!batch.origins.empty()) {
    for (const std::uint32_t row : selection) selected.origins.push_back(batch.origins[row]);
  }
  return selected;
}

namespace {

std::size_t BytesOf(const Column& column) {
  if (column.codes) {
    // A dictionary is shared by many batches: no more than it would take without.
    std::size_t bytes = column.codes->size() * sizeof(std::uint32_t);
    if (column.codes->size() >= column.dictionary->rows) return bytes + BytesOf(*column.dictionary);
    const bool text = IsText(column.type);
    for (std::size_t row = 0; row < column.rows; ++row) {
      bytes += text ? sizeof(std::string_view) + column.Text(row).size() : sizeof(std::int64_t);
    }
    return bytes;
  }
  std::size_t bytes = column.nulls.size() + column.numbers.size() * 8 + column.reals.size() * 8;
  for (const std::string_view text : column.texts) bytes += sizeof(std::string_view) + text.size();
  return bytes;
}

}  // namespace

std::size_t BytesOf(const Batch& batch) {
  std::size_t bytes = batch.keys.size() * sizeof(std::int64_t);
  for (const Origins& origins : batch.origins) {
    bytes += sizeof(Origins) + origins.kept() * sizeof(std::int64_t);
  }
  for (const ColumnPtr& column : batch.columns) bytes += BytesOf(*column);
  return bytes;
}

namespace {

constexpr std::size_t kFirstOrigins = kMostOrigins / 2;

}  // namespace

std::vector<std::int64_t> Origins::events() const {
  std::vector<std::int64_t> events = events_;
  if (next_ > 0) {
    const auto last = events.begin() + kFirstOrigins;
    std::rotate(last, last + static_cast<std::ptrdiff_t>(next_), events.end());
  }
  return events;
}

void Origins::Add(std::int64_t event) {
  if (std::find(events_.begin(), events_.end(), event) != events_.end()) return;
  ++count_;
  if (events_.size() < kMostOrigins) {
    events_.push_back(event);
    return;
  }
  events_[kFirstOrigins + next_] = event;
  next_ = (next_ + 1) % (kMostOrigins - kFirstOrigins);
}

void Origins::Add(const Origins& other) {
  for (const std::int64_t event : other.events()) Add(event);
  count_ += other.count_ - other.events_.size();
}

void AddOrigins(const Batch& batch, std::size_t row, Origins& origins) {
  if (!batch.keys.empty()) origins.Add(batch.keys[row]);
  if (!batch.origins.empty()) origins.Add(batch.origins[row]);
}

void AppendLineage(Batch& to, const Batch& from, std::size_t row) {
  const bool one = !from.keys.empty() && to.origins.empty() && to.keys.size() == to.rows;
  if (one) {
    to.keys.push_back(from.keys[row]);
    return;
  }
  if (from.keys.empty() && from.origins.empty() && to.keys.empty() && to.origins.empty()) return;
  // Rows of several kinds: each has its list.
  to.origins.resize(to.rows);
  for (std::size_t i = 0; i < to.keys.size(); ++i) to.origins[i].Add(to.keys[i]);
  to.keys.clear();
  AddOrigins(from, row, to.origins.emplace_back());
}

void AppendRowKey(std::string& key, const Column& column, std::size_t row) {
  if (column.IsNull(row)) {
    key += 'n';
    return;
  }
  const auto raw = [&key](const auto& value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    key.append(bytes, sizeof value);
  };
  if (IsText(column.type)) {
    const std::string_view text = column.Text(row);
    key += 't';
    raw(static_cast<std::uint32_t>(text.size()));
    key += text;
  } else if (column.type == Type::kReal) {
    double real = column.Real(row);
    if (real == 0.0) real = 0.0;  // -0.0 is the same key
    key += 'v';
    raw(std::isnan(real) ? std::nan("") : real);
  } else {
    key += 'v';
    raw(column.Number(row));
  }
}

}  // namespace picket::kql

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/type.h"

namespace picket::kql {

inline constexpr std::size_t kBatchRows = 1024;

// Bytes that the texts of columns point into. Grows only; shared by the columns that need it.
class Arena {
 public:
  std::string_view Keep(std::string text) {
    bytes_ += text.size();
    if (text.empty()) return {};
    return texts_.emplace_back(std::move(text));
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::deque<std::string> texts_;
  std::size_t bytes_ = 0;
};

// The values of one column over a batch: flat, or one constant for all rows. Numbers (bool, int,
// long, datetime, timespan) in `numbers`, real in `reals`, text and dynamic as 16-byte views in
// `texts`, whose bytes `arenas` keep.
struct Column {
  Type type = Type::kString;
  bool constant = false;
  std::size_t rows = 0;
  std::vector<std::uint8_t> nulls;  // empty: none is null
  std::vector<std::int64_t> numbers;
  std::vector<double> reals;
  std::vector<std::string_view> texts;
  std::vector<std::shared_ptr<const Arena>> arenas;

  [[nodiscard]] std::size_t At(std::size_t row) const { return constant ? 0 : row; }
  [[nodiscard]] bool IsNull(std::size_t row) const { return !nulls.empty() && nulls[At(row)] != 0; }
  [[nodiscard]] std::int64_t Number(std::size_t row) const { return numbers[At(row)]; }
  [[nodiscard]] double Real(std::size_t row) const { return reals[At(row)]; }
  [[nodiscard]] std::string_view Text(std::size_t row) const { return texts[At(row)]; }
  [[nodiscard]] double AsReal(std::size_t row) const {
    return type == Type::kReal ? Real(row) : static_cast<double>(Number(row));
  }
  [[nodiscard]] Value Get(std::size_t row) const;
};
using ColumnPtr = std::shared_ptr<const Column>;

bool IsText(Type type);  // string, guid, dynamic

// Builds a flat column row by row.
class ColumnBuilder {
 public:
  ColumnBuilder(Type type, std::size_t expected_rows);
  void Null();  // a string becomes ''
  void Number(std::int64_t value);
  void Real(double value);
  void View(std::string_view text);  // its bytes are kept by an arena given to Finish
  void Text(std::string text);       // kept here
  void Append(const Value& value);
  void AppendFrom(const Column& column, std::size_t row);
  void KeepArenasOf(const Column& column);
  ColumnPtr Finish();

 private:
  std::shared_ptr<Column> column_;
  std::shared_ptr<Arena> arena_;
  std::uint8_t any_null_ = 0;
};

ColumnPtr ConstantColumn(const Value& value, std::size_t rows);
// The rows of the selection, in its order.
ColumnPtr Gather(const Column& column, const std::vector<std::uint32_t>& selection);

// Up to kBatchRows rows. `keys` are the events they came from (lineage), one a row; empty when the
// rows come from no table.
struct Batch {
  std::size_t rows = 0;
  std::vector<ColumnPtr> columns;
  std::vector<std::int64_t> keys;
};

}  // namespace picket::kql

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/type.h"

namespace picket::kql {

inline constexpr std::size_t kBatchRows = 1024;
// The bytes of text that one column of a batch may hold; what more a kernel makes is cut off and
// the column marked, which fails the query.
inline constexpr std::size_t kMostColumnBytes = std::size_t{64} << 20;
// And all that are made of one batch by one operator.
inline constexpr std::size_t kMostBatchBytes = std::size_t{128} << 20;

// Bytes that the texts of columns point into, in blocks. Grows only; shared by the columns that
// need it.
class Arena {
 public:
  std::string_view Keep(std::string_view text);
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;
  std::size_t left_ = 0;
  std::size_t bytes_ = 0;
};

struct Column;
using ColumnPtr = std::shared_ptr<const Column>;
// For each row, which value of a dictionary it has.
using Codes = std::vector<std::uint32_t>;
using CodesPtr = std::shared_ptr<const Codes>;

// The values of one column over a batch: flat, one constant for however many rows, or `codes` into
// a dictionary. Numbers (bool, int, long, datetime, timespan) in `numbers`, real in `reals`, text
// and dynamic as 16-byte views in `texts`, whose bytes `arenas` keep.
struct Column {
  Type type = Type::kString;
  bool constant = false;
  bool too_large = false;           // texts beyond kMostColumnBytes are missing
  std::size_t made_bytes = 0;       // of text that was made for it
  std::size_t rows = 0;             // of a column that is no constant
  std::vector<std::uint8_t> nulls;  // empty: none is null
  std::vector<std::int64_t> numbers;
  std::vector<double> reals;
  std::vector<std::string_view> texts;
  std::vector<std::shared_ptr<const void>> arenas;
  // Of a coded column, which has no values of its own. The dictionary is flat; it may hold values
  // that no row has, and the same one twice.
  ColumnPtr dictionary;
  CodesPtr codes;

  [[nodiscard]] bool IsNull(std::size_t row) const {
    const Column& values = Values();
    return !values.nulls.empty() && values.nulls[At(row)] != 0;
  }
  [[nodiscard]] std::int64_t Number(std::size_t row) const { return Values().numbers[At(row)]; }
  [[nodiscard]] double Real(std::size_t row) const { return Values().reals[At(row)]; }
  [[nodiscard]] std::string_view Text(std::size_t row) const { return Values().texts[At(row)]; }
  [[nodiscard]] double AsReal(std::size_t row) const {
    return type == Type::kReal ? Real(row) : static_cast<double>(Number(row));
  }
  // A bool that is true; null is not.
  [[nodiscard]] bool Holds(std::size_t row) const { return !IsNull(row) && Number(row) != 0; }
  [[nodiscard]] Value Get(std::size_t row) const;

 private:
  [[nodiscard]] const Column& Values() const { return dictionary ? *dictionary : *this; }
  [[nodiscard]] std::size_t At(std::size_t row) const {
    return constant ? 0 : codes ? (*codes)[row] : row;
  }
};

bool IsText(Type type);  // string, guid, dynamic, decimal

// Builds a flat column row by row.
class ColumnBuilder {
 public:
  ColumnBuilder(Type type, std::size_t expected_rows);
  void Null();  // a string becomes ''
  void Number(std::int64_t value);
  void Bool(bool value) { Number(value ? 1 : 0); }
  void Real(double value);
  void View(std::string_view text);  // its bytes are kept by an arena given to KeepArenasOf
  void Text(std::string_view text);  // kept here
  void Append(const Value& value);
  void AppendFrom(const Column& column, std::size_t row);
  void KeepArenasOf(const Column& column);
  void Keep(std::shared_ptr<const void> arena);
  [[nodiscard]] bool TooLarge() const { return column_->too_large; }
  ColumnPtr Finish();
  [[nodiscard]] ColumnPtr Copy() const;  // what there is so far; building goes on

 private:
  void Valid() {
    if (!column_->nulls.empty()) column_->nulls.push_back(0);
    ++column_->rows;
  }

  std::shared_ptr<Column> column_;
  std::shared_ptr<Arena> arena_;
};

ColumnPtr ConstantColumn(const Value& value, std::size_t rows);
// The dictionary's values by the codes; a dictionary that is constant gives a constant.
ColumnPtr CodedColumn(ColumnPtr dictionary, CodesPtr codes);
// The rows of the selection, in its order.
using Selection = std::vector<std::uint32_t>;
ColumnPtr Gather(const Column& column, const Selection& selection);

// The events that a row comes from: the first and the last that came by, each once, at most
// kMostOrigins, and how many there are.
class Origins {
 public:
  void Add(std::int64_t event);
  void Add(const Origins& other);
  [[nodiscard]] std::vector<std::int64_t> events() const;  // in the order in which they came by
  [[nodiscard]] std::size_t kept() const { return events_.size(); }
  // Of more than are kept, one that came by again after it was dropped counts again.
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  std::vector<std::int64_t> events_;
  std::uint64_t count_ = 0;
  std::size_t next_ = 0;  // of the last ones, when there are enough: which is dropped next
};
inline constexpr std::size_t kMostOrigins = 100;

// An event's key, as a run with lineage gives it, has the number of its table (ResultTable::tables)
// above these bits.
inline constexpr int kEventBits = 48;

// Up to kBatchRows rows. Lineage: `keys` are the events that the rows come from, one a row; where
// rows come from several, or some from none, they have their events in `origins` instead. Both are
// empty when the rows come from no table.
struct Batch {
  std::size_t rows = 0;
  std::vector<ColumnPtr> columns;
  std::vector<std::int64_t> keys;
  std::vector<Origins> origins;
};

// The rows of the selection, with their lineage.
Batch Select(const Batch& batch, const Selection& selection);
// What the batch holds, roughly.
std::size_t BytesOf(const Batch& batch);

// A row's events, added to those that are there.
void AddOrigins(const Batch& batch, std::size_t row, Origins& origins);
// The lineage of a row becomes that of the next row of `to`, whose own rows are counted before.
void AppendLineage(Batch& to, const Batch& from, std::size_t row);

// Appends what tells the value from every other of its column's type: for hash tables of rows.
void AppendRowKey(std::string& key, const Column& column, std::size_t row);

}  // namespace picket::kql

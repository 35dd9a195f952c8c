#include "agent/kql/column.h"

namespace picket::kql {

bool IsText(Type type) {
  return type == Type::kString || type == Type::kGuid || type == Type::kDynamic;
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
    : column_(std::make_shared<Column>()), arena_(std::make_shared<Arena>()) {
  column_->type = type;
  column_->nulls.reserve(expected_rows);
  if (IsText(type)) {
    column_->texts.reserve(expected_rows);
  } else if (type == Type::kReal) {
    column_->reals.reserve(expected_rows);
  } else {
    column_->numbers.reserve(expected_rows);
  }
}

void ColumnBuilder::Null() {
  const bool null = column_->type != Type::kString;
  column_->nulls.push_back(null ? 1 : 0);
  any_null_ |= null ? 1 : 0;
  if (IsText(column_->type)) {
    column_->texts.emplace_back();
  } else if (column_->type == Type::kReal) {
    column_->reals.push_back(0);
  } else {
    column_->numbers.push_back(0);
  }
}

void ColumnBuilder::Number(std::int64_t value) {
  column_->nulls.push_back(0);
  column_->numbers.push_back(value);
}

void ColumnBuilder::Real(double value) {
  column_->nulls.push_back(0);
  column_->reals.push_back(value);
}

void ColumnBuilder::View(std::string_view text) {
  column_->nulls.push_back(0);
  column_->texts.push_back(text);
}

void ColumnBuilder::Text(std::string text) { View(arena_->Keep(std::move(text))); }

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
  column_->arenas.insert(column_->arenas.end(), column.arenas.begin(), column.arenas.end());
}

ColumnPtr ColumnBuilder::Finish() {
  column_->rows = column_->nulls.size();
  if (any_null_ == 0) column_->nulls.clear();
  if (arena_->bytes() > 0) column_->arenas.push_back(arena_);
  return column_;
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

ColumnPtr Gather(const Column& column, const std::vector<std::uint32_t>& selection) {
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
    to.reserve(selection.size());
    for (const std::uint32_t row : selection) to.push_back(from[row]);
  };
  pick(column.nulls, gathered->nulls);
  pick(column.numbers, gathered->numbers);
  pick(column.reals, gathered->reals);
  pick(column.texts, gathered->texts);
  return gathered;
}

}  // namespace picket::kql

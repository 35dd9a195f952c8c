#include "tests/kql/oracle/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "agent/kql/column.h"
#include "tests/kql/manner_tables.h"

namespace picket::kql::oracle {
namespace {

Value ValueOf(const Datum& datum) {
  Value value{.type = datum.type,
              .null = datum.null,
              .number = datum.number,
              .real = datum.real,
              .text = datum.text};
  if (datum.type == Type::kDynamic && !datum.null) value.text = datum.json->dump();
  return value;
}

Datum DatumOf(const Value& value) {
  if (value.null) return Null(value.type);
  if (value.type != Type::kDynamic) {
    return {.type = value.type, .number = value.number, .real = value.real, .text = value.text};
  }
  Json json = Json::parse(value.text, nullptr, false);
  return Dynamic(json.is_discarded() ? Json("unreadable JSON: " + value.text) : std::move(json));
}

std::string Shown(const Datum& value) {
  if (value.null) return "null";
  switch (value.type) {
    case Type::kReal:
      return fmt::format("{:.9g}", value.real == 0 ? 0.0 : value.real);
    case Type::kDynamic:
      return value.json->dump();
    case Type::kString:
      return '"' + value.text + '"';
    default:
      return TextOf(value);
  }
}

std::string Shown(const Row& row) {
  std::string text;
  for (const Datum& value : row) text += (text.empty() ? "" : ", ") + Shown(value);
  return "(" + text + ")";
}

std::vector<std::string> Rows(const Table& table, bool ordered) {
  std::vector<std::string> rows;
  for (const Row& row : table.rows) rows.push_back(Shown(row));
  if (!ordered) std::sort(rows.begin(), rows.end());
  return rows;
}

Table FromEngine(const ResultTable& result) {
  Table table;
  for (const ColumnSchema& column : result.schema) {
    table.columns.push_back({column.name, column.type});
  }
  for (const Batch& batch : result.batches) {
    for (std::size_t row = 0; row < batch.rows; ++row) {
      Row made;
      for (const ColumnPtr& column : batch.columns) made.push_back(DatumOf(column->Get(row)));
      table.rows.push_back(std::move(made));
    }
  }
  return table;
}

// Nine digits of a real may differ in the last: then the values are compared.
bool Close(const Row& a, const Row& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].type != Type::kReal || a[i].null || b[i].null) {
      if (Shown(a[i]) != Shown(b[i])) return false;
      continue;
    }
    const double scale = std::max(std::fabs(a[i].real), std::fabs(b[i].real));
    const bool close =
        Shown(a[i]) == Shown(b[i]) || std::fabs(a[i].real - b[i].real) < scale * 1e-9;
    if (!close) return false;
  }
  return true;
}

bool AllClose(const Table& a, Table b, bool ordered) {
  if (a.rows.size() != b.rows.size()) return false;
  for (std::size_t i = 0; i < a.rows.size(); ++i) {
    const auto from = b.rows.begin();
    const auto found = std::find_if(from, ordered ? std::min(from + 1, b.rows.end()) : b.rows.end(),
                                    [&](const Row& row) { return Close(a.rows[i], row); });
    if (found == b.rows.end() || !Close(a.rows[i], *found)) return false;
    b.rows.erase(found);
  }
  return true;
}

}  // namespace

std::string ToString(const Table& table) {
  std::string text;
  for (const Column& column : table.columns) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : ", ", column.name, TypeName(column.type));
  }
  for (const std::string& row : Rows(table, table.ordered)) text += "\n    " + row;
  return text;
}

ResultTable ForEngine(const Table& table) {
  ResultTable out;
  Batch batch;
  batch.rows = table.rows.size();
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    out.schema.push_back({table.columns[i].name, table.columns[i].type});
    ColumnBuilder builder(table.columns[i].type, table.rows.size());
    for (const Row& row : table.rows) builder.Append(ValueOf(row[i]));
    batch.columns.push_back(builder.Finish());
  }
  out.batches.push_back(std::move(batch));
  return out;
}

std::optional<std::string> Difference(const Table& expected, const ResultTable& result) {
  Table got = FromEngine(result);
  got.ordered = expected.ordered;
  const bool same = expected.columns == got.columns &&
                    (Rows(expected, expected.ordered) == Rows(got, expected.ordered) ||
                     AllClose(expected, got, expected.ordered));
  if (same) return std::nullopt;
  return fmt::format("  oracle: {}\n  engine: {}", ToString(expected), ToString(got));
}

namespace {

std::optional<std::string> EnginesError(const Case& made, const std::string& query, Dice& dice) {
  std::map<std::string, ResultTable> tables;
  for (const auto& [name, table] : made.program.tables) tables[name] = ForEngine(table);
  MannerTables source(std::move(tables));
  source.manner = {.skips = dice.Once(2), .coded = dice.Once(2), .dear_dynamics = dice.Once(2)};
  const CompileResult compiled = Compile(query, source);
  if (!compiled.query) return "the engine refuses it: " + kql::ToString(compiled.errors.at(0));
  const RunOptions options{
      .now = kNow, .batch_rows = dice.Once(2) ? 1024 : 1 + dice.Below(7), .stop = {}};
  const auto result = Run(*compiled.query, source, options);
  if (!result) return "the engine fails: " + result.error().message;
  return Difference(made.answer, *result);
}

}  // namespace

std::optional<std::string> Disagreement(const Case& made, Dice& dice) {
  const std::string query = Print(made.program);
  std::optional<std::string> error = EnginesError(made, query, dice);
  if (!error) return std::nullopt;
  std::string text = query + "\n" + *error;
  for (const auto& [name, table] : made.program.tables) {
    if (query.find(name) != std::string::npos) text += "\n  " + name + ": " + ToString(table);
  }
  return text;
}

}  // namespace picket::kql::oracle

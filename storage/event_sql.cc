#include "storage/event_sql.h"

#include <fmt/format.h>

#include <cctype>

#include "base/uuid.h"

namespace picket::storage {
namespace {

std::string_view SqlType(ColumnType type) {
  switch (type) {
    case ColumnType::kReal:
      return "REAL";
    case ColumnType::kText:
      return "ANY";  // a word, a GUID or a text: storage/words.h
    case ColumnType::kInt:
    case ColumnType::kTicks:
    case ColumnType::kBool:
      return "INTEGER";
  }
  return "ANY";
}

std::string ColumnName(const TypedColumn& column) { return "c_" + column.name; }

std::string_view Symbol(ColumnCondition::Operator op) {
  switch (op) {
    case ColumnCondition::Operator::kEqual:
      return "=";
    case ColumnCondition::Operator::kLess:
      return "<";
    case ColumnCondition::Operator::kLessEqual:
      return "<=";
    case ColumnCondition::Operator::kGreater:
      return ">";
    case ColumnCondition::Operator::kGreaterEqual:
      return ">=";
  }
  return "=";
}

}  // namespace

std::string TableName(std::string_view stream) {
  std::string name = "event_";
  for (const char c : stream) {
    name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  }
  return name;
}

std::string CreateTableSql(const StreamSchema& schema) {
  const std::string table = TableName(schema.stream);
  std::string sql = fmt::format(
      "CREATE TABLE {}(key INTEGER PRIMARY KEY, id ANY NOT NULL, created INTEGER NOT NULL, "
      "arrived INTEGER NOT NULL, seq INTEGER NOT NULL, frame INTEGER NOT NULL, "
      "place INTEGER NOT NULL, hash INTEGER NOT NULL, rank INTEGER NOT NULL, updated INTEGER",
      table);
  for (const TypedColumn& column : schema.columns) {
    for (const char c : column.name) {
      PK_CHECK(std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_',
               "a typed column's name is letters, digits and _");
    }
    sql += fmt::format(", {} {}", ColumnName(column), SqlType(column.type));
  }
  sql += fmt::format(
      ") STRICT; CREATE UNIQUE INDEX {0}_id ON {0}(id); CREATE INDEX {0}_created ON "
      "{0}(created, id); CREATE INDEX {0}_changed ON {0}(seq) WHERE seq<>key;",
      table);
  return sql;
}

std::string InsertSql(const StreamSchema& schema) {
  std::string names;
  std::string marks;
  for (const TypedColumn& column : schema.columns) {
    names += ", " + ColumnName(column);
    marks += ",?";
  }
  return fmt::format(
      "INSERT INTO {}(key, id, created, arrived, seq, frame, place, hash, rank, updated{}) "
      "VALUES(?,?,?,?,?,?,?,?,?,?{})",
      TableName(schema.stream), names, marks);
}

std::string UpdateSql(const StreamSchema& schema) {
  std::string sets;
  for (const TypedColumn& column : schema.columns) sets += ", " + ColumnName(column) + "=?";
  return fmt::format(
      "UPDATE {} SET created=?, seq=?, frame=?, place=?, hash=?, rank=?, updated=?{} WHERE key=?",
      TableName(schema.stream), sets);
}

std::string ScanSql(const StreamSchema& schema, const ScanSpec& spec) {
  std::string sql = "SELECT key, created, seq, frame, place, rank";
  for (const std::size_t column : spec.columns) {
    sql += ", " + ColumnName(schema.columns.at(column));
  }
  const std::string table = TableName(schema.stream);
  sql += " FROM " + table;
  // First, since its parameter is ?1. SQLite knows nothing of how many rows a condition leaves, and
  // would read the whole table in order of time to find the few new ones.
  const bool few = spec.after_seq > 0 && !(spec.from && spec.until);
  if (few) {
    sql += fmt::format(" WHERE key IN ({})", NewerKeysSql(schema.stream));
  } else {
    sql += spec.after_seq > 0 ? " WHERE seq>?1" : " WHERE true";
  }
  if (spec.from) sql += " AND created>=?";
  if (spec.until) sql += " AND created<=?";
  if (spec.until_seq != INT64_MAX) sql += " AND seq<=?";
  for (const ColumnCondition& condition : spec.conditions) {
    const TypedColumn& column = schema.columns.at(condition.column);
    sql += column.type == ColumnType::kText
               ? fmt::format(" AND {} IN (?,?)", ColumnName(column))
               : fmt::format(" AND {}{}?", ColumnName(column), Symbol(condition.op));
  }
  return sql + " ORDER BY created, id";
}

std::string NewerKeysSql(std::string_view stream) {
  return fmt::format(
      "SELECT key FROM {0} WHERE key>?1 UNION ALL SELECT key FROM {0} WHERE seq<>key AND seq>?1 "
      "AND "
      "key<=?1",
      TableName(stream));
}

std::string DropIndexesSql(std::string_view stream) {
  return fmt::format("DROP INDEX {0}_id; DROP INDEX {0}_created; DROP INDEX {0}_changed;",
                     TableName(stream));
}

std::vector<std::string> WordsUsedSql(const StreamSchema& schema) {
  std::vector<std::string> statements;
  for (const TypedColumn& column : schema.columns) {
    if (column.type != ColumnType::kText) continue;
    statements.push_back(fmt::format("SELECT {0} FROM {1} WHERE typeof({0})='integer'",
                                     ColumnName(column), TableName(schema.stream)));
  }
  return statements;
}

std::string ColumnList(const StreamSchema& schema) {
  std::string list;
  for (const TypedColumn& column : schema.columns) {
    list += (list.empty() ? "" : ",") + column.name + ":" + std::string(SqlType(column.type));
  }
  return list;
}

StoredId::StoredId(std::string_view id) : text_(id), guid_(ParseLowerGuid(id)) {}

void StoredId::Bind(Statement& statement, int index) const {
  if (guid_) {
    statement.BindBlob(index,
                       {reinterpret_cast<const char*>(guid_->bytes.data()), guid_->bytes.size()});
  } else {
    statement.Bind(index, text_);
  }
}

std::string StoredId::Read(const Statement& statement, int column) {
  const std::string_view bytes = statement.Blob(column);
  if (!statement.IsBlob(column)) return std::string(bytes);
  std::array<char, kGuidText> text{};
  FormatGuid(bytes, text);
  return {text.data(), text.size()};
}

void BindNumber(Statement& statement, int index, const SqlValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    statement.Bind(index, *number);
  } else if (const auto* real = std::get_if<double>(&value)) {
    statement.Bind(index, *real);
  } else {
    statement.BindNull(index);
  }
}

}  // namespace picket::storage

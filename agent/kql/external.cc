#include "agent/kql/external.h"

#include "agent/kql/function.h"
#include "agent/kql/json_view.h"
#include "base/text.h"

namespace picket::kql {
namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 20;

// Takes records off the front of the text.
class RecordReader {
 public:
  RecordReader(std::string_view text, FileFormat format) : rest_(text), format_(format) {
    if (rest_.substr(0, 3) == "\xEF\xBB\xBF") rest_.remove_prefix(3);
  }

  // False: no more. Blank lines are no records.
  Result<bool> Next(std::vector<std::string>& fields) {
    while (!rest_.empty() && (rest_.front() == '\n' || rest_.front() == '\r')) {
      rest_.remove_prefix(1);
    }
    fields.clear();
    if (rest_.empty()) return false;
    if (format_ == FileFormat::kCsv) return Csv(fields);
    std::string_view line = rest_.substr(0, rest_.find('\n'));
    rest_.remove_prefix(std::min(rest_.size(), line.size() + 1));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    while (format_ == FileFormat::kTsv && line.find('\t') != std::string_view::npos) {
      fields.emplace_back(line.substr(0, line.find('\t')));
      line.remove_prefix(fields.back().size() + 1);
    }
    fields.emplace_back(line);
    return true;
  }

 private:
  Result<bool> Csv(std::vector<std::string>& fields) {
    while (true) {
      std::string& field = fields.emplace_back();
      if (!rest_.empty() && rest_.front() == '"') {
        if (!Quoted(field)) {
          return Fail({.kind = ErrorKind::kRefused, .message = "a quote in the CSV has no end"});
        }
      }
      const std::size_t end = std::min(rest_.find_first_of(",\r\n"), rest_.size());
      field += rest_.substr(0, end);
      rest_.remove_prefix(end);
      if (rest_.empty() || rest_.front() != ',') return true;
      rest_.remove_prefix(1);
    }
  }

  bool Quoted(std::string& field) {
    rest_.remove_prefix(1);
    while (true) {
      const std::size_t quote = rest_.find('"');
      if (quote == std::string_view::npos) return false;
      field += rest_.substr(0, quote);
      rest_.remove_prefix(quote + 1);
      if (rest_.empty() || rest_.front() != '"') return true;
      field += '"';
      rest_.remove_prefix(1);
    }
  }

  std::string_view rest_;
  const FileFormat format_;
};

// Rows into batches.
class Rows {
 public:
  explicit Rows(const Schema& schema) : schema_(schema) { Begin(); }

  void Text(std::size_t column, std::string_view text) {
    const Type type = schema_[column].type;
    if (type == Type::kString) return builders_[column].Text(std::string(text));
    Converted(column, Value::String(std::string(text)));
  }
  void Json(std::size_t column, std::string_view json) {
    const Type type = schema_[column].type;
    if (KindOf(json) == JsonKind::kNull) return builders_[column].Null();
    if (type == Type::kDynamic) return builders_[column].Text(std::string(json));
    Converted(column, Value::Dynamic(std::string(json)));
  }
  void Null(std::size_t column) { builders_[column].Null(); }
  void EndRow() {
    if (++batch_.rows == kBatchRows) End();
  }
  std::vector<Batch> Finish() {
    if (batch_.rows > 0) End();
    return std::move(batches_);
  }

 private:
  void Begin() {
    batch_ = Batch{};
    builders_.clear();
    for (const ColumnSchema& column : schema_) builders_.emplace_back(column.type, kBatchRows);
  }
  void End() {
    for (ColumnBuilder& builder : builders_) batch_.columns.push_back(builder.Finish());
    batches_.push_back(std::move(batch_));
    Begin();
  }
  void Converted(std::size_t column, const Value& value) {
    const Function* convert = FindFunction(ConverterTo(schema_[column].type));
    builders_[column].Append(convert->run({}, {ConstantColumn(value, 1)}, 1)->Get(0));
  }

  const Schema& schema_;
  Batch batch_;
  std::vector<ColumnBuilder> builders_;
  std::vector<Batch> batches_;
};

void AddObject(std::string_view object, const Schema& columns, Rows& rows) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto value = JsonMember(object, columns[i].name);
    if (value) {
      rows.Json(i, *value);
    } else {
      rows.Null(i);
    }
  }
  rows.EndRow();
}

Result<std::vector<Batch>> ReadJson(std::string_view text, const Schema& columns) {
  Rows rows(columns);
  const auto add = [&](const std::string& json) {
    if (KindOf(json) != JsonKind::kArray) return AddObject(json, columns, rows);
    ForEachElement(json, [&](std::string_view element) {
      AddObject(element, columns, rows);
      return true;
    });
  };
  if (const auto whole = CompactJson(text)) {
    add(*whole);
    return rows.Finish();
  }
  RecordReader lines(text, FileFormat::kText);  // one object a line
  std::vector<std::string> line;
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool more, lines.Next(line));
    if (!more) return rows.Finish();
    const auto json = CompactJson(line[0]);
    if (!json) return Fail({.kind = ErrorKind::kRefused, .message = "the file is no JSON"});
    add(*json);
  }
}

}  // namespace

Result<std::vector<Batch>> ReadRows(std::string_view text, FileFormat format, const Schema& columns,
                                    bool skip_first) {
  if (text.size() > kMostBytes) {
    return Fail({.kind = ErrorKind::kLimit, .message = "the file is larger than 64 MB"});
  }
  if (!IsValidUtf8(text)) {
    return Fail({.kind = ErrorKind::kRefused, .message = "the file is not UTF-8"});
  }
  if (format == FileFormat::kJson) return ReadJson(text, columns);
  Rows rows(columns);
  RecordReader reader(text, format);
  std::vector<std::string> fields;
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool more, reader.Next(fields));
    if (!more) return rows.Finish();
    if (std::exchange(skip_first, false)) continue;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      rows.Text(i, i < fields.size() ? fields[i] : std::string());
    }
    rows.EndRow();
  }
}

std::vector<std::string> CsvHeader(std::string_view text) {
  std::vector<std::string> names;
  if (!RecordReader(text, FileFormat::kCsv).Next(names)) names.clear();
  return names;
}

}  // namespace picket::kql

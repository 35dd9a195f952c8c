#include "agent/kql/external.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/kql/bind_expression.h"
#include "agent/kql/function.h"
#include "agent/kql/json_view.h"
#include "base/text.h"
#include "base/utf8.h"

namespace picket::kql {
namespace {

// Takes records off the front of a file's text.
class RecordReader {
 public:
  RecordReader(const LocalFile& file, FileFormat format)
      : file_(file), rest_(file.text), format_(format) {
    if (rest_.substr(0, 3) == "\xEF\xBB\xBF") rest_.remove_prefix(3);
  }

  // What is wrong with the record that was read last.
  [[nodiscard]] Error Wrong(std::string message, std::string hint = {}) const {
    return WrongAt(record_, std::move(message), std::move(hint));
  }

  // False: no more. Blank lines are no records.
  Result<bool> Next(std::vector<std::string>& fields) {
    while (!rest_.empty() && (rest_.front() == '\n' || rest_.front() == '\r')) {
      rest_.remove_prefix(1);
    }
    fields.clear();
    record_ = rest_.data();
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
        const char* const quote = rest_.data();
        if (!Quoted(field)) {
          return Fail(WrongAt(quote, "a quote has no end", "Close it, or write \"\" for a quote."));
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

  [[nodiscard]] Error WrongAt(const char* at, std::string message, std::string hint) const {
    const std::string_view before(file_.text.data(),
                                  static_cast<std::size_t>(at - file_.text.data()));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const std::string_view begun = before.substr(before.rfind('\n') + 1);
    return {
        .kind = ErrorKind::kRefused,
        .message = fmt::format("{}:{}:{}: {}", file_.name, line, Utf8Length(begun) + 1, message),
        .hint = std::move(hint)};
  }

  const LocalFile& file_;
  std::string_view rest_;
  const char* record_ = nullptr;
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

Result<std::vector<Batch>> ReadJson(const LocalFile& file, const Schema& columns) {
  Rows rows(columns);
  const auto add = [&](const std::string& json) {
    if (KindOf(json) != JsonKind::kArray) return AddObject(json, columns, rows);
    ForEachElement(json, [&](std::string_view element) {
      AddObject(element, columns, rows);
      return true;
    });
  };
  if (const auto whole = CompactJson(file.text)) {
    add(*whole);
    return rows.Finish();
  }
  RecordReader lines(file, FileFormat::kText);  // one object a line
  std::vector<std::string> line;
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool more, lines.Next(line));
    if (!more) return rows.Finish();
    const auto json = CompactJson(line[0]);
    if (!json) {
      return Fail(lines.Wrong("this is no JSON", "It takes an array, or one object a line."));
    }
    add(*json);
  }
}

Status CheckText(const LocalFile& file) {
  if (file.text.size() > kMostFileBytes) {
    return Fail({.kind = ErrorKind::kLimit, .message = file.name + " is larger than 64 MB"});
  }
  if (!IsValidUtf8(file.text)) {
    return Fail({.kind = ErrorKind::kRefused,
                 .message = file.name + " is not UTF-8",
                 .hint = "Save it as UTF-8."});
  }
  return {};
}

}  // namespace

Result<LocalFile> Catalog::ExternalFile(std::string_view address) const {
  return Fail(NoExternalFile(address));
}

Result<LocalFile> Catalog::Watchlist(std::string_view alias) const {
  return Fail(NoWatchlist(alias));
}

std::string ShownAddress(std::string_view address) {
  const std::size_t end = address.find_first_of("?;");
  std::string shown = EscapeTerminal(address.substr(0, end));
  return end == std::string_view::npos ? shown : shown + address[end] + "…";
}

Error NoExternalFile(std::string_view address) {
  return {.kind = ErrorKind::kNotFound,
          .message = fmt::format("no local file stands for '{}'", ShownAddress(address)),
          .hint =
              "Nothing is fetched: download the file, look at it, and name it and its SHA-256 in "
              "[externaldata]."};
}

Error NoWatchlist(std::string_view alias) {
  return {.kind = ErrorKind::kNotFound,
          .message = fmt::format("there is no watchlist '{}'", EscapeTerminal(alias)),
          .hint = "Name its CSV in [watchlist]."};
}

Result<std::vector<Batch>> ReadRows(const LocalFile& file, FileFormat format, const Schema& columns,
                                    bool skip_first) {
  PK_RETURN_IF_ERROR(CheckText(file));
  if (format == FileFormat::kJson) return ReadJson(file, columns);
  Rows rows(columns);
  RecordReader reader(file, format);
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

namespace {

constexpr std::string_view kSearchKey = "SearchKey";

// The columns by the header. Two of one name could not be told apart.
Result<Schema> WatchlistColumns(const RecordReader& reader,
                                const std::vector<std::string>& header) {
  Schema schema;
  for (const std::string& name : header) {
    if (Trim(name).empty()) return Fail(reader.Wrong("a column has no name", "Name each of them."));
    if (FindColumn(schema, name)) {
      return Fail(reader.Wrong(fmt::format("two columns are named '{}'", EscapeTerminal(name)),
                               "Give each its own name."));
    }
    schema.push_back({name, Type::kString});
  }
  return schema;
}

// Which column SearchKey repeats; none when it is there itself.
Result<std::optional<std::size_t>> KeyColumn(const LocalFile& file, const RecordReader& reader,
                                             const Schema& schema) {
  const bool own = FindColumn(schema, kSearchKey).has_value();
  if (own && (file.key.empty() || file.key == kSearchKey)) return std::nullopt;
  if (own) {
    return Fail(reader.Wrong("the CSV has a column SearchKey of its own",
                             "Leave the watchlist's 'key' out, or rename the column."));
  }
  if (file.key.empty()) return 0;
  if (const auto found = FindColumn(schema, file.key)) return found;
  std::string names;
  for (const ColumnSchema& column : schema) {
    names += (names.empty() ? "" : ", ") + EscapeTerminal(column.name);
  }
  return Fail(reader.Wrong(fmt::format("there is no column '{}'", EscapeTerminal(file.key)),
                           "The watchlist's 'key' may be one of: " + names + "."));
}

}  // namespace

Result<FileRows> ReadWatchlist(const LocalFile& file) {
  PK_RETURN_IF_ERROR(CheckText(file));
  RecordReader reader(file, FileFormat::kCsv);
  std::vector<std::string> fields;
  PK_ASSIGN_OR_RETURN(const bool any, reader.Next(fields));
  if (!any) return Fail(reader.Wrong("there is no header", "The first line names the columns."));
  FileRows read;
  PK_ASSIGN_OR_RETURN(read.schema, WatchlistColumns(reader, fields));
  PK_ASSIGN_OR_RETURN(const std::optional<std::size_t> key, KeyColumn(file, reader, read.schema));
  Rows rows(read.schema);
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool more, reader.Next(fields));
    if (!more) break;
    if (fields.size() != read.schema.size()) {
      return Fail(reader.Wrong(fmt::format("this record has {}, the header names {}",
                                           Counted(std::ssize(fields), "field"),
                                           Counted(std::ssize(read.schema), "column")),
                               "Put texts that hold commas in quotes."));
    }
    for (std::size_t i = 0; i < fields.size(); ++i) rows.Text(i, fields[i]);
    rows.EndRow();
  }
  read.batches = rows.Finish();
  if (!key) return read;
  for (Batch& batch : read.batches) batch.columns.push_back(batch.columns[*key]);
  read.schema.push_back({std::string(kSearchKey), Type::kString});
  return read;
}

}  // namespace picket::kql

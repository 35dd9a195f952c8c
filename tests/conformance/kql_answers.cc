// Answers a corpus of KQL cases with Picket's engine, in the form that the scorer of recorded
// answers reads: one JSON object a line, in the order of the cases.
//
//   picket-kql-answers [--batch-rows N] CORPUS.jsonl [NAME]
//
// NAME: only the cases whose name contains it. N: rows a batch, to show that they change nothing.
//
// The cases bring their own rows (datatable, print, range), so that there are no tables. Exits with
// 66 when the corpus cannot be read, with 65 when a line of it is no case.

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "agent/kql/engine.h"

namespace picket::kql {
namespace {

using nlohmann::json;

constexpr Instant kNow{639'000'000'000'000'000};  // 2025-11-28, so that answers repeat

class NoTables : public Catalog, public TableSource {
 public:
  [[nodiscard]] const Schema* Find(std::string_view) const override { return nullptr; }
  [[nodiscard]] std::vector<std::string_view> Names() const override { return {}; }
  [[nodiscard]] Result<std::unique_ptr<TableScan>> Scan(const ScanRequest& request) override {
    return Fail({.kind = ErrorKind::kInternal, .message = "there is no table " + request.table});
  }
};

std::string Text(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string Refusal(const std::string& name, const std::string& code, const std::string& message,
                    Span span) {
  return Text({{"name", name},
               {"error",
                {{"code", code},
                 {"message", message},
                 {"start", span.begin},
                 {"length", span.end - span.begin}}}});
}

std::string Answer(const std::string& name, const std::string& query, std::size_t batch_rows) {
  NoTables tables;
  const CompileResult compiled = Compile(query, tables);
  if (!compiled.query) {
    const Diagnostic& error = compiled.errors.front();
    return Refusal(name, error.code, error.code + " " + error.message, error.span);
  }
  const auto result = Run(*compiled.query, tables, {.now = kNow, .batch_rows = batch_rows});
  if (!result) return Refusal(name, "run", "at run time: " + result.error().message, {});
  return ToJson(*result).insert(1, "\"name\":" + Text(name) + ",");
}

int AnswerAll(const char* path, std::string_view only, std::size_t batch_rows) {
  std::ifstream corpus(path);
  if (!corpus) {
    std::cerr << "picket-kql-answers: cannot read " << path << "\n";
    return 66;
  }
  std::string line;
  while (std::getline(corpus, line)) {
    const json record = json::parse(line, nullptr, false);
    if (!record.is_object() || !record.contains("name") || !record.contains("query")) {
      std::cerr << "picket-kql-answers: no case: " << line.substr(0, 80) << "\n";
      return 65;
    }
    const std::string name = record["name"];
    if (name.find(only) == std::string::npos) continue;
    std::cout << Answer(name, record["query"], batch_rows) << "\n";
  }
  return 0;
}

}  // namespace
}  // namespace picket::kql

int main(int count, char** values) {
  std::size_t batch_rows = picket::kql::kBatchRows;
  if (count > 3 && std::string_view(values[1]) == "--batch-rows") {
    batch_rows = std::strtoul(values[2], nullptr, 10);
    count -= 2;
    values += 2;
  }
  if (count < 2 || count > 3 || batch_rows == 0) {
    std::cerr << "usage: picket-kql-answers [--batch-rows N] CORPUS.jsonl [NAME]\n";
    return 64;
  }
  return picket::kql::AnswerAll(values[1], count == 3 ? values[2] : "", batch_rows);
}

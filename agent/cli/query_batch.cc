// picket query --batch

#include "agent/cli/query_batch.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "agent/cli/output.h"
#include "base/files.h"
#include "base/text.h"

namespace picket::cli {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kMaxBatchBytes = std::size_t{256} << 20;

}  // namespace

Result<QueryBatch> QueryBatch::Read(const std::string& path) {
  PK_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxBatchBytes));
  QueryBatch batch;
  std::int64_t number = 0;
  for (const std::string_view line : Split(text, '\n')) {
    ++number;
    if (!Trim(line).empty()) batch.cases_.push_back(Parse(number, line));
  }
  return batch;
}

QueryBatch::Case QueryBatch::Parse(std::int64_t line, std::string_view text) {
  Case one{.line = line, .name = {}, .query = {}, .problem = {}};
  const json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (object.is_discarded()) {
    one.problem = "the line is not JSON";
  } else if (!object.is_object()) {
    one.problem = "the line is no JSON object";
  } else {
    const auto name = object.find("name"), query = object.find("query");
    if (name != object.end() && name->is_string()) {
      one.name = name->get<std::string>();
    } else if (name != object.end()) {
      one.problem = "'name' is no text";
    }
    if (query == object.end()) {
      one.problem = "the line has no 'query'";
    } else if (!query->is_string()) {
      one.problem = "'query' is no text";
    } else {
      one.query = query->get<std::string>();
    }
  }
  return one;
}

std::string QueryBatch::Answer(const Case& one, const std::string& tenant,
                               const kql::Catalog& catalog, kql::TableSource& source,
                               const kql::RunOptions& run) {
  ordered_json head = {{"name", one.name}};
  if (!tenant.empty()) head["tenant"] = tenant;
  const auto refused = [&](const std::string& code, const std::string& message, kql::Span span) {
    ++failed_;
    head["line"] = one.line;
    head["error"] = {{"code", code},
                     {"message", message},
                     {"start", span.begin},
                     {"length", span.end - span.begin}};
    return head.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  };
  if (!one.problem.empty()) return refused("PK210", one.problem, {});
  const kql::CompileResult compiled = kql::Compile(one.query, catalog);
  if (!compiled.query) {
    const kql::Diagnostic& first = compiled.errors.front();
    return refused(first.code, first.message, first.span);
  }
  if (!compiled.query->lacks().empty()) {
    const kql::Diagnostic& first = compiled.query->lacks().front();
    return refused(first.code, first.message, first.span);
  }
  const Result<kql::ResultTable> result = kql::Run(*compiled.query, source, run);
  if (!result) return refused("PK200", result.error().message, {});
  std::string members = head.dump();
  members.back() = ',';
  return members + kql::ToJson(*result).substr(1) + "\n";
}

void QueryBatch::Run(const std::string& tenant, const kql::Catalog& catalog,
                     kql::TableSource& source, const kql::RunOptions& run) {
  Progress progress;
  for (const Case& one : cases_) {
    const std::string answer = Answer(one, tenant, catalog, source, run);
    if (run.stop.stop_requested()) return;
    ++done_;
    WriteAll(answer, stdout);
    progress.Show(Counted(done_, "case"));
  }
}

}  // namespace picket::cli

// Rows from files that the operator of the agent put beside it: externaldata, _GetWatchlist.
// Nothing is fetched.

#include <fmt/format.h>

#include "agent/kql/bind_core.h"
#include "agent/kql/external.h"
#include "base/text.h"

namespace picket::kql {
namespace {

FileFormat FormatOf(std::string_view name, std::string_view address, Span span) {
  std::string format = AsciiLower(name);
  if (format.empty()) {
    const std::size_t dot = address.rfind('.');
    format = AsciiLower(dot == std::string_view::npos ? "" : address.substr(dot + 1));
  }
  if (format == "json" || format == "multijson" || format == "singlejson") return FileFormat::kJson;
  if (format == "tsv" || format == "tsve") return FileFormat::kTsv;
  if (format == "txt" || format == "raw") return FileFormat::kText;
  if (format == "csv" || name.empty()) return FileFormat::kCsv;
  Refuse(span, "PK100",
         fmt::format("externaldata in the format '{}' is not supported", EscapeTerminal(name)));
}

}  // namespace

// A query that names a file which cannot be read is a good one, and cannot run.
PlanPtr Binder::ExternalData(const SourceAst& source, const Scope* scope) {
  std::string format;
  bool skip_first = false;
  for (const OptionAst& option : source.first->options) {
    const Expression value = Constant(*option.value, scope);
    if (option.name == "format" && value.type == Type::kString) format = value.value.text;
    if (option.name == "ignoreFirstRecord" && value.type == Type::kBool) {
      skip_first = value.value.number != 0;
    }
  }
  auto plan = std::make_unique<Plan>();
  plan->kind = Plan::Kind::kHeld;
  plan->schema = source.columns;
  std::vector<Batch> held;
  for (const AstPtr& ast : source.values) {
    const Expression address = Constant(*ast, scope);
    if (address.kind != Expression::Kind::kLiteral || address.type != Type::kString) {
      Refuse(ast->span, "KS141", "externaldata takes addresses as texts");
    }
    const std::string& url = address.value.text;
    const FileFormat as = FormatOf(format, url, source.span);
    const auto lacks = [&](const char* code, const Error& why) {
      plan->lacks.push_back(
          {.code = code, .message = why.message, .span = ast->span, .hint = why.hint});
    };
    const Result<LocalFile> file = catalog_.ExternalFile(url);
    if (!file) {
      lacks("PK120", file.error());
      continue;
    }
    const Result<std::vector<Batch>> rows = ReadRows(*file, as, plan->schema, skip_first);
    if (rows) {
      held.insert(held.end(), rows->begin(), rows->end());
    } else {
      lacks("PK121", rows.error());
    }
  }
  plan->held = std::make_shared<const std::vector<Batch>>(std::move(held));
  return plan;
}

// _GetWatchlist('alias'). Without its CSV nobody knows the columns.
PlanPtr Binder::Watchlist(std::string_view alias, Span span) {
  const Result<LocalFile> file = catalog_.Watchlist(alias);
  if (!file) Refuse(span, "PK120", file.error().message, file.error().hint);
  Result<FileRows> rows = ReadWatchlist(*file);
  if (!rows) Refuse(span, "PK121", rows.error().message, rows.error().hint);
  auto plan = std::make_unique<Plan>();
  plan->kind = Plan::Kind::kHeld;
  plan->schema = std::move(rows->schema);
  plan->held = std::make_shared<const std::vector<Batch>>(std::move(rows->batches));
  return plan;
}

}  // namespace picket::kql

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

void AddRows(std::vector<Batch>& held, const Result<std::vector<Batch>>& rows, Span span) {
  if (!rows) Refuse(span, "PK121", rows.error().message);
  held.insert(held.end(), rows->begin(), rows->end());
}

}  // namespace

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
    const std::optional<std::string> text = catalog_.ExternalFile(url);
    if (!text) {
      Refuse(ast->span, "PK120", fmt::format("no local file stands for '{}'", EscapeTerminal(url)),
             "Nothing is fetched: download the file, check it, and name it in the configuration.");
    }
    AddRows(held, ReadRows(*text, FormatOf(format, url, source.span), plan->schema, skip_first),
            ast->span);
  }
  plan->held = std::make_shared<const std::vector<Batch>>(std::move(held));
  return plan;
}

// _GetWatchlist('alias'): the CSV's columns as strings, and SearchKey, the first of them.
PlanPtr Binder::Watchlist(std::string_view alias, Span span) {
  const std::optional<std::string> text = catalog_.Watchlist(alias);
  if (!text) {
    Refuse(span, "PK120", fmt::format("there is no watchlist '{}'", EscapeTerminal(alias)),
           "Put its CSV where the configuration says.");
  }
  auto plan = std::make_unique<Plan>();
  plan->kind = Plan::Kind::kHeld;
  for (const std::string& name : CsvHeader(*text)) {
    plan->schema.push_back({UniqueName(plan->schema, name), Type::kString});
  }
  if (plan->schema.empty()) Refuse(span, "PK121", "the watchlist's file has no header");
  std::vector<Batch> held;
  AddRows(held, ReadRows(*text, FileFormat::kCsv, plan->schema, /*skip_first=*/true), span);
  plan->held = std::make_shared<const std::vector<Batch>>(std::move(held));
  if (FindColumn(plan->schema, "SearchKey")) return plan;
  PlanPtr project = PlanOver(std::move(plan), Plan::Kind::kProject);
  std::vector<Expression>& list = project->lists.emplace_back();
  for (std::size_t i = 0; i < project->schema.size(); ++i) {
    list.push_back(ColumnOf(project->schema, i));
  }
  list.push_back(ColumnOf(project->schema, 0));
  project->schema.push_back({"SearchKey", Type::kString});
  return project;
}

}  // namespace picket::kql

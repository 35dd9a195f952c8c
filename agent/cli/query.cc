// picket query

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "agent/cli/explain.h"
#include "agent/cli/findings.h"
#include "agent/kql/engine.h"
#include "agent/tables/declared_tables.h"
#include "agent/tables/event_table_source.h"
#include "agent/tables/table_catalog.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"

namespace picket::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxBatchBytes = std::size_t{256} << 20;

struct Options {
  std::string query, file, tenant, now, batch;
  bool all_tenants = false;
  bool explain = false;
};

// Rows that a query has scanned, shown while it runs; a terminal is written to ten times a second.
class ScanProgress {
 public:
  void Show(std::uint64_t rows) {
    const auto now = std::chrono::steady_clock::now();
    if (now - shown_ < std::chrono::milliseconds(100)) return;
    shown_ = now;
    progress_.Show(fmt::format("{} rows scanned; Ctrl-C stops", rows));
  }

 private:
  Progress progress_;
  // The first tenth of a second shows nothing: most queries are done by then.
  std::chrono::steady_clock::time_point shown_ = std::chrono::steady_clock::now();
};

// A query that was stopped gives nothing: that is said, and is its own exit code.
void Stopped(Context& context) {
  PrintError({.kind = ErrorKind::kCancelled, .message = "the query was stopped; it gave no rows"});
  context.exit_code = 130;
}

void PrintDiagnostics(const kql::Diagnostics& errors) {
  for (const kql::Diagnostic& error : errors) {
    PrintError({.kind = ErrorKind::kRefused, .message = kql::ToString(error), .hint = error.hint});
  }
}

TextTable TableOf(const kql::ResultTable& result) {
  TextTable table;
  for (const kql::ColumnSchema& column : result.schema) table.columns.push_back(column.name);
  for (const kql::Batch& batch : result.batches) {
    for (std::size_t row = 0; row < batch.rows; ++row) {
      std::vector<std::string>& cells = table.rows.emplace_back();
      for (const kql::ColumnPtr& column : batch.columns) {
        cells.push_back(kql::DisplayText(*column, row));
      }
    }
  }
  return table;
}

void PrintResult(const kql::ResultTable& result, Format format) {
  switch (format) {
    case Format::kJson:
      WriteAll(kql::ToJson(result) + "\n", stdout);
      break;
    case Format::kCsv:
      PrintCsv(TableOf(result), stdout);
      break;
    case Format::kTable:
    case Format::kPrometheus:
      PrintTable(TableOf(result), stdout);
      Say(Counted(static_cast<std::int64_t>(result.Rows()), "row"));
      break;
  }
}

// One line of a case: {"name", "query"} in, {"name", "columns", "rows"} or {"name", "error"} out.
std::string BatchLine(const std::string& line, const kql::Catalog& catalog,
                      kql::TableSource& source, const kql::RunOptions& run) {
  const json object = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object() || !object.contains("query") || !object["query"].is_string()) return "";
  const std::string name = object.contains("name") && object["name"].is_string()
                               ? object["name"].get<std::string>()
                               : std::string();
  const auto refused = [&](const std::string& code, const std::string& message, kql::Span span) {
    return JsonLine({{"name", name},
                     {"error",
                      {{"code", code},
                       {"message", message},
                       {"start", span.begin},
                       {"length", span.end - span.begin}}}});
  };
  const kql::CompileResult compiled =
      kql::Compile(object["query"].get_ref<const std::string&>(), catalog);
  if (!compiled.query) {
    const kql::Diagnostic& first = compiled.errors.front();
    return refused(first.code, first.message, first.span);
  }
  const Result<kql::ResultTable> result = kql::Run(*compiled.query, source, run);
  if (!result) return refused("PK200", result.error().message, {});
  std::string text = kql::ToJson(*result);
  text.insert(1, "\"name\":" + json(name).dump() + ",");
  return text + "\n";
}

void RunBatch(Context& context, const Options& options, kql::TableSource& source,
              const kql::RunOptions& run) {
  const Result<std::string> text = ReadFile(options.batch, kMaxBatchBytes);
  if (!text) {
    Failed(context, text.error());
    return;
  }
  const tables::TableCatalog catalog;
  Progress progress;
  std::size_t done = 0;
  for (const std::string_view line : Split(*text, '\n')) {
    if (Trim(line).empty()) continue;
    const std::string answer = BatchLine(std::string(line), catalog, source, run);
    if (context.stop.stop_requested()) return Stopped(context);
    WriteAll(answer, stdout);
    progress.Show(fmt::format("{} queries", ++done));
  }
}

// So that an empty answer is not taken for "nothing happened".
void SayWhatIsNotCollected(const kql::Query& query, const kql::Catalog& catalog) {
  for (const std::string& table : query.Tables()) {
    if (catalog.MayHaveRows(table)) continue;
    Say(fmt::format("{} has no rows: {}.", table, tables::kNotCollected));
  }
}

// Compiles once, runs once a tenant.
void RunQuery(Context& context, const Options& options, const std::string& text,
              kql::TableSource& source, const kql::RunOptions& run) {
  const tables::TableCatalog catalog;
  const kql::CompileResult compiled = kql::Compile(text, catalog);
  if (!compiled.query) {
    PrintDiagnostics(compiled.errors);
    context.exit_code = 1;
    return;
  }
  SayWhatIsNotCollected(*compiled.query, catalog);
  kql::RunOptions watched = run;
  kql::RunStats stats;
  if (options.explain) watched.stats = &stats;
  std::optional<ScanProgress> progress(std::in_place);
  watched.on_scanned = [&progress](std::uint64_t rows) { progress->Show(rows); };
  const auto begin = std::chrono::steady_clock::now();
  const Result<kql::ResultTable> result = kql::Run(*compiled.query, source, watched);
  const auto took = std::chrono::steady_clock::now() - begin;
  progress.reset();
  if (!result && result.error().kind == ErrorKind::kCancelled) return Stopped(context);
  if (options.explain && (result || !stats.operators.empty())) {
    PrintExplanation(stats, took, context.format);
  }
  if (!result) {
    Failed(context, result.error());
    return;
  }
  if (options.explain) return;
  if (options.all_tenants && context.format == Format::kTable) Say("");
  PrintResult(*result, context.format);
}

void RunOver(Context& context, const Options& options, const std::string& text,
             kql::TableSource& source, const kql::RunOptions& run) {
  if (!options.batch.empty()) return RunBatch(context, options, source, run);
  RunQuery(context, options, text, source, run);
}

void Query(Context& context, const Options& options) {
  kql::RunOptions run{.now = SystemClock().Now(), .stop = context.stop};
  if (!options.now.empty()) {
    const std::optional<Instant> now = TimeArgument(context, "--now", options.now);
    if (!now) return;
    run.now = *now;
  }
  std::string text = options.query;
  if (!options.file.empty()) {
    const Result<std::string> content = ReadFile(options.file, std::size_t{1} << 20);
    if (!content) {
      Failed(context, content.error());
      return;
    }
    text = *content;
  }
  if (text.empty() && options.batch.empty()) {
    PrintError({.message = "there is no query", .hint = "Try: picket query 'print now()'"});
    context.exit_code = 64;
    return;
  }
  if (options.tenant.empty() && !options.all_tenants) {
    tables::NoTables none;
    return RunOver(context, options, text, none, run);
  }
  const auto settings = LoadSettings(context);
  if (!settings) return;
  const auto tenants = ChooseTenants(context, *settings, options.tenant);
  ReadEach(context, *settings, tenants,
           [&](const run::Tenant& tenant, storage::TenantStore& store) -> Status {
             PK_ASSIGN_OR_RETURN(const storage::Snapshot snapshot, store.Read());
             if (context.stop.stop_requested()) return {};
             if (options.all_tenants) Say(tenant.name + ":");
             tables::EventTableSource source(store, tenant.id);
             RunOver(context, options, text, source, run);
             return {};
           });
}

}  // namespace

void AddQuery(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("query", "Run a KQL query over a tenant's events");
  verb->add_option("QUERY", options->query, "The query");
  verb->add_option("--file", options->file, "Read the query from a file");
  verb->add_option("--tenant", options->tenant, "The tenant; without one, no table has rows");
  verb->add_flag("--all-tenants", options->all_tenants, "Every tenant of the config in turn");
  CLI::Option* explain = verb->add_flag(
      "--explain", options->explain,
      "Run it, and show how instead of its rows: operators, rows, time, what was pushed down");
  verb->add_option("--now", options->now, "The query's clock (RFC 3339)");
  verb->add_option("--batch", options->batch,
                   "A file of JSON lines with name and query; one result a line")
      ->excludes(explain);
  AddConfigOption(*verb, context);
  AddFormatOption(*verb, context, {"table", "json", "csv"});
  verb->footer(
      "Examples:\n"
      "  picket query 'print now()'\n"
      "  picket query 'SigninLogs | summarize count() by ResultType' --tenant contoso\n"
      "  picket query --file hunt.kql --all-tenants --format json\n"
      "  picket query --file hunt.kql --tenant contoso --explain");
  verb->callback([&context, options] { Query(context, *options); });
}

}  // namespace picket::cli

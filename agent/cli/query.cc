// picket query

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "agent/cli/explain.h"
#include "agent/cli/findings.h"
#include "agent/cli/query_batch.h"
#include "agent/cli/query_result.h"
#include "agent/kql/engine.h"
#include "agent/tables/declared_tables.h"
#include "agent/tables/event_table_source.h"
#include "agent/tables/table_catalog.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"

namespace picket::cli {
namespace {

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
    progress_.Show(Counted(static_cast<std::int64_t>(rows), "row") + " scanned; Ctrl-C stops");
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

// So that an empty answer is not taken for "nothing happened".
void SayWhatIsNotCollected(const kql::Query& query, const kql::Catalog& catalog) {
  for (const std::string& table : query.Tables()) {
    if (catalog.MayHaveRows(table)) continue;
    Say(fmt::format("{} has no rows: {}.", table, tables::kNotCollected));
  }
}

// A query that is compiled once and runs over one source, or one a tenant.
class OneQuery {
 public:
  OneQuery(Context& context, const kql::Query& query, bool explains)
      : context_(context), query_(query), explains_(explains), printer_(context.format) {}

  // Says when it was stopped. Errors: those of the run and of printing.
  Status Run(const std::string& tenant, kql::TableSource& source, kql::RunOptions run) {
    Explanation explanation{.tenant = tenant, .stats = {}};
    if (explains_) run.stats = &explanation.stats;
    std::optional<ScanProgress> progress(std::in_place);
    run.on_scanned = [&progress](std::uint64_t rows) { progress->Show(rows); };
    const auto begin = std::chrono::steady_clock::now();
    const Result<kql::ResultTable> result = kql::Run(query_, source, run);
    explanation.took = std::chrono::steady_clock::now() - begin;
    progress.reset();
    if (!result && result.error().kind == ErrorKind::kCancelled) {
      Stopped(context_);
      return {};
    }
    if (explains_ && (result || !explanation.stats.operators.empty())) {
      PrintExplanation(explanation, first_, context_.format);
      first_ = false;
    }
    if (!result) return Fail(result.error());
    return explains_ ? Status() : printer_.Print(tenant, *result);
  }

 private:
  Context& context_;
  const kql::Query& query_;
  const bool explains_;
  bool first_ = true;
  ResultPrinter printer_;
};

bool NeedsTenants(const Options& options) { return options.all_tenants || !options.tenant.empty(); }

// Runs over the source of each tenant that is asked for, or over one without tables.
using RunOver = std::function<Status(const std::string& tenant, kql::TableSource& source)>;
void ForEachSource(Context& context, const Options& options,
                   const std::optional<run::Settings>& settings, const RunOver& run) {
  if (!NeedsTenants(options)) {
    tables::NoTables none;
    if (Status done = run("", none); !done) Failed(context, done.error());
    return;
  }
  const auto tenants = ChooseTenants(context, *settings, options.tenant);
  ReadEach(context, *settings, tenants,
           [&](const run::Tenant& tenant, storage::TenantStore& store) -> Status {
             if (context.stop.stop_requested()) return {};
             PK_ASSIGN_OR_RETURN(const storage::Snapshot snapshot, store.Read());
             tables::EventTableSource source(store, tenant.id);
             return run(options.all_tenants ? tenant.name : "", source);
           });
}

void RunBatch(Context& context, const Options& options,
              const std::optional<run::Settings>& settings, const kql::Catalog& catalog,
              const kql::RunOptions& run) {
  Result<QueryBatch> batch = QueryBatch::Read(options.batch);
  if (!batch) {
    Failed(context, batch.error());
    return;
  }
  const auto over = [&](const std::string& tenant, kql::TableSource& source) {
    batch->Run(tenant, catalog, source, run);
    if (context.stop.stop_requested()) Stopped(context);
    return Status();
  };
  ForEachSource(context, options, settings, over);
  if (batch->failed() == 0 || context.stop.stop_requested()) return;
  Say(fmt::format("{} of {} failed", batch->failed(), Counted(batch->done(), "case")));
  if (context.exit_code == 0) context.exit_code = batch->failed() == batch->done() ? 1 : 3;
}

void RunQuery(Context& context, const Options& options, const std::string& text,
              const std::optional<run::Settings>& settings, const kql::Catalog& catalog,
              const kql::RunOptions& run) {
  const kql::CompileResult compiled = kql::Compile(text, catalog);
  if (!compiled.query || !compiled.query->lacks().empty()) {
    PrintDiagnostics(compiled.query ? compiled.query->lacks() : compiled.errors);
    context.exit_code = 1;
    return;
  }
  SayWhatIsNotCollected(*compiled.query, catalog);
  OneQuery query(context, *compiled.query, options.explain);
  const auto over = [&](const std::string& tenant, kql::TableSource& source) {
    return query.Run(tenant, source, run);
  };
  ForEachSource(context, options, settings, over);
}

// The text of the one query that is asked for; "" for a batch. nullopt, after saying why: there is
// none, or several.
std::optional<std::string> TextOf(Context& context, const Options& options) {
  const int given = static_cast<int>(!options.query.empty()) +
                    static_cast<int>(!options.file.empty()) +
                    static_cast<int>(!options.batch.empty());
  if (given != 1) {
    PrintError({.message = given == 0 ? "there is no query" : "there is more than one query",
                .hint = given == 0 ? "Try: picket query 'print now()'"
                                   : "Give its text, or --file, or --batch."});
    context.exit_code = 64;
    return std::nullopt;
  }
  if (options.file.empty()) return options.query;
  Result<std::string> content = ReadFile(options.file, std::size_t{1} << 20);
  if (!content) {
    Failed(context, content.error());
    return std::nullopt;
  }
  if (!Trim(*content).empty()) return *std::move(content);
  PrintError({.message = "there is no query in " + options.file});
  context.exit_code = 1;
  return std::nullopt;
}

void Query(Context& context, const Options& options, bool with_config) {
  kql::RunOptions run{.now = SystemClock().Now(), .stop = context.stop};
  if (!options.now.empty()) {
    const std::optional<Instant> now = TimeArgument(context, "--now", options.now);
    if (!now) return;
    run.now = *now;
  }
  const std::optional<std::string> text = TextOf(context, options);
  if (!text) return;
  std::optional<run::Settings> settings;
  if (with_config || NeedsTenants(options)) {
    settings = LoadSettings(context);
    if (!settings) return;
  }
  const tables::TableCatalog catalog(settings ? settings->files : tables::LocalFiles());
  if (!options.batch.empty()) return RunBatch(context, options, settings, catalog, run);
  RunQuery(context, options, *text, settings, catalog, run);
}

}  // namespace

void AddQuery(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("query", "Run a KQL query over a tenant's events");
  verb->add_option("QUERY", options->query, "The query");
  verb->add_option("--file", options->file, "Read the query from a file");
  CLI::Option* tenant =
      verb->add_option("--tenant", options->tenant, "The tenant; without one, no table has rows");
  verb->add_flag("--all-tenants", options->all_tenants,
                 "Every tenant of the config in turn; the output names each")
      ->excludes(tenant);
  CLI::Option* explain = verb->add_flag(
      "--explain", options->explain,
      "Run it, and show how instead of its rows: operators, rows, time, what was pushed down");
  verb->add_option("--now", options->now, "The query's clock (RFC 3339)");
  verb->add_option("--batch", options->batch,
                   "A file of JSON lines with name and query; one answer a line")
      ->excludes(explain);
  AddConfigOption(*verb, context);
  AddFormatOption(*verb, context, {"table", "json", "csv"});
  verb->footer(
      "Examples:\n"
      "  picket query 'print now()'\n"
      "  picket query 'SigninLogs | summarize count() by ResultType' --tenant contoso\n"
      "  picket query --file hunt.kql --all-tenants --format json\n"
      "  picket query --file hunt.kql --tenant contoso --explain\n"
      "  picket query --batch cases.jsonl --tenant contoso > answers.jsonl\n"
      "\nOf all tenants, JSON is one object a line with \"tenant\"; tables and CSV begin with a\n"
      "column $tenant. A batch answers every line: {\"name\", \"columns\", \"rows\"}, or\n"
      "{\"name\", \"line\", \"error\"} for a query that fails and a line that is no case.\n"
      "\nExit codes: 0 done; 1 refused or failed; 3 some tenants or cases failed, the others are\n"
      "answered; 130 stopped");
  verb->callback(
      [&context, options, verb] { Query(context, *options, verb->count("--config") > 0); });
}

}  // namespace picket::cli

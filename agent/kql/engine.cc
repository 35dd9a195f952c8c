#include "agent/kql/engine.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/kql/binder.h"
#include "agent/kql/evaluator.h"
#include "agent/kql/json_view.h"
#include "agent/kql/kernel.h"
#include "agent/kql/lexer.h"
#include "agent/kql/member_columns.h"
#include "agent/kql/parser.h"

namespace picket::kql {
namespace {

void CollectTables(const Plan& plan, std::vector<std::string>& tables);

void CollectTables(const Expression& expression, std::vector<std::string>& tables) {
  if (expression.table) CollectTables(*expression.table, tables);
  for (const Expression& argument : expression.arguments) CollectTables(argument, tables);
}

void CollectTables(const Plan& plan, std::vector<std::string>& tables) {
  if (plan.kind == Plan::Kind::kScan &&
      std::find(tables.begin(), tables.end(), plan.table) == tables.end()) {
    tables.push_back(plan.table);
  }
  for (const PlanPtr& input : plan.inputs) CollectTables(*input, tables);
  ForEachExpression(plan, [&](const Expression& each) { CollectTables(each, tables); });
}

void CollectLacks(const Plan& plan, Diagnostics& lacks);

void CollectLacks(const Expression& expression, Diagnostics& lacks) {
  if (expression.table) CollectLacks(*expression.table, lacks);
  for (const Expression& argument : expression.arguments) CollectLacks(argument, lacks);
}

void CollectLacks(const Plan& plan, Diagnostics& lacks) {
  for (const Diagnostic& lack : plan.lacks) {  // a let that is used twice is lacking once
    const bool known = std::any_of(lacks.begin(), lacks.end(), [&lack](const Diagnostic& other) {
      return other.span.begin == lack.span.begin;
    });
    if (!known) lacks.push_back(lack);
  }
  for (const PlanPtr& input : plan.inputs) CollectLacks(*input, lacks);
  ForEachExpression(plan, [&](const Expression& each) { CollectLacks(each, lacks); });
}

// Whether the value depends on the row (and the clock) alone.
bool OfTheRow(const Expression& expression) {
  if (expression.table) return false;
  if (expression.function != nullptr && expression.function->varies) return false;
  return std::all_of(expression.arguments.begin(), expression.arguments.end(), &OfTheRow);
}

bool RowWise(const Plan& plan) {
  if (plan.kind == Plan::Kind::kScan) return true;
  const bool row_wise = plan.kind == Plan::Kind::kFilter || plan.kind == Plan::Kind::kProject ||
                        plan.kind == Plan::Kind::kParse ||
                        (plan.kind == Plan::Kind::kSort && !plan.limit);
  if (!row_wise || plan.limit) return false;
  bool all = true;
  ForEachExpression(plan, [&](const Expression& each) { all = all && OfTheRow(each); });
  return all && RowWise(*plan.inputs[0]);
}

}  // namespace

void TableList::Add(const Catalog& from, std::string_view table) {
  const Schema* schema = from.Find(table);
  if (schema == nullptr) return;
  tables_.emplace(table, *schema);
  if (!from.MayHaveRows(table)) empty_.emplace(table);
}

void TableList::AddFiles(const Catalog& from, const std::string& name) {
  const auto add = [&name](Files& files, Result<LocalFile> file) {
    if (file || file.error().kind != ErrorKind::kNotFound) files.emplace(name, std::move(file));
  };
  add(external_, from.ExternalFile(name));
  add(watchlists_, from.Watchlist(name));
}

Result<LocalFile> TableList::ExternalFile(std::string_view address) const {
  const auto found = external_.find(address);
  return found == external_.end() ? Catalog::ExternalFile(address) : found->second;
}

Result<LocalFile> TableList::Watchlist(std::string_view alias) const {
  const auto found = watchlists_.find(alias);
  return found == watchlists_.end() ? Catalog::Watchlist(alias) : found->second;
}

const Schema* TableList::Find(std::string_view table) const {
  const auto found = tables_.find(table);
  return found == tables_.end() ? nullptr : &found->second;
}

std::vector<std::string_view> TableList::Names() const {
  std::vector<std::string_view> names;
  for (const auto& [name, schema] : tables_) names.push_back(name);
  return names;
}

std::vector<std::string> Query::Tables() const {
  std::vector<std::string> tables;
  if (later_) {  // also those that come after
    for (const std::string_view name : later_->tables.Names()) tables.emplace_back(name);
    return tables;
  }
  CollectTables(*plan_, tables);
  return tables;
}

bool TableList::MayHaveRows(std::string_view table) const { return !empty_.contains(table); }

bool Query::RowWise() const { return !later_ && kql::RowWise(*plan_); }

namespace {

// Every table whose name stands in the query, as a name or in table("…"), or begins as a pattern
// does.
std::unique_ptr<const Query::Later> LaterOf(std::string_view text, const Catalog& catalog) {
  auto later = std::make_unique<Query::Later>();
  later->text = text;
  const std::vector<Token> tokens = Lex(text).tokens;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    const Token& token = tokens[i];
    const bool literal = token.kind == TokenKind::kLiteral && token.value.type == Type::kString;
    later->tables.Add(catalog, literal ? token.value.text : token.text);
    if (literal) later->tables.AddFiles(catalog, token.value.text);
    if (token.kind == TokenKind::kName && tokens[i + 1].text == "*" &&
        tokens[i + 1].span.begin == token.span.end) {
      for (const std::string_view name : catalog.Names()) {
        if (name.substr(0, token.text.size()) == token.text) later->tables.Add(catalog, name);
      }
    }
  }
  return later;
}

// The last stage's plan: the plugins before it are run.
Result<const Plan*> LastStage(const Query& query, RunState& state, std::vector<PlanPtr>& stages) {
  const Plan* plan = &query.plan();
  std::vector<Schema> known;
  while (plan->kind == Plan::Kind::kPlugin) {
    PK_ASSIGN_OR_RETURN(ResultTable rows, RunPlugin(*plan, state));
    known.push_back(rows.schema);
    state.stored.push_back(std::move(rows));
    const ParseResult parsed = Parse(query.later()->text);
    BindResult bound = Bind(parsed.query, query.later()->text, query.later()->tables, known);
    if (bound.error) {
      return Fail({.kind = ErrorKind::kRefused,
                   .message = ToString(*bound.error),
                   .hint = bound.error->hint});
    }
    plan = stages.emplace_back(std::move(bound.plan)).get();
  }
  return plan;
}

}  // namespace

CompileResult Compile(std::string_view text, const Catalog& catalog) {
  CompileResult result;
  ParseResult parsed = Parse(text);
  if (parsed.error) {
    result.errors.push_back(*std::move(parsed.error));
    return result;
  }
  BindResult bound = Bind(parsed.query, text, catalog);
  if (bound.error) {
    result.errors.push_back(*std::move(bound.error));
    return result;
  }
  AskForMembers(*bound.plan, catalog);
  std::unique_ptr<const Query::Later> later;
  if (bound.plan->kind == Plan::Kind::kPlugin) later = LaterOf(text, catalog);
  Diagnostics lacks;
  CollectLacks(*bound.plan, lacks);
  for (Diagnostic& lack : lacks) Locate(lack, text);
  result.query = std::make_unique<Query>(std::move(bound.plan), std::move(later), std::move(lacks));
  return result;
}

std::size_t ResultTable::Rows() const {
  std::size_t rows = 0;
  for (const Batch& batch : batches) rows += batch.rows;
  return rows;
}

Result<ResultTable> Run(const Query& query, TableSource& source, const RunOptions& options) {
  RunState state(options, source);
  std::vector<PlanPtr> stages;
  PK_ASSIGN_OR_RETURN(const Plan* const plan, LastStage(query, state, stages));
  PK_ASSIGN_OR_RETURN(const OperatorPtr root, MakeOperator(*plan, state));
  ResultTable table{.schema = plan->schema, .batches = {}, .tables = {}};
  std::size_t rows = 0;
  while (true) {
    PK_RETURN_IF_ERROR(state.CheckStop());
    PK_ASSIGN_OR_RETURN(Batch batch, root->Next());
    if (batch.rows == 0) {
      table.tables = std::move(state.lineage_tables);
      return table;
    }
    rows += batch.rows;
    if (rows > options.max_rows) {
      return Fail({.kind = ErrorKind::kLimit,
                   .message = fmt::format("the result has more than {} rows", options.max_rows),
                   .hint = "Summarize, or take fewer."});
    }
    PK_RETURN_IF_ERROR(state.Charge(BytesOf(batch), "the result"));
    table.batches.push_back(std::move(batch));
  }
}

std::string DisplayText(const Column& column, std::size_t row) { return ToText(column, row); }

std::string JsonText(const Column& column, std::size_t row) { return ToJsonText(column, row); }

std::string ToJson(const ResultTable& table) {
  std::string json = R"({"columns":[)";
  for (std::size_t i = 0; i < table.schema.size(); ++i) {
    json += fmt::format(R"({}{{"name":{},"type":"{}"}})", i > 0 ? "," : "",
                        QuoteJson(table.schema[i].name), TypeName(table.schema[i].type));
  }
  json += R"(],"rows":[)";
  bool first = true;
  for (const Batch& batch : table.batches) {
    for (std::size_t row = 0; row < batch.rows; ++row) {
      json += first ? "[" : ",[";
      first = false;
      for (std::size_t i = 0; i < batch.columns.size(); ++i) {
        json += (i > 0 ? "," : "") + JsonText(*batch.columns[i], row);
      }
      json += "]";
    }
  }
  return json + "]}";
}

}  // namespace picket::kql

#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/diagnostic.h"
#include "agent/kql/plan.h"
#include "agent/kql/table_source.h"
#include "base/result.h"
#include "base/time.h"

namespace picket::kql {

// What a catalog says of some tables and files, kept.
class TableList : public Catalog {
 public:
  void Add(const Catalog& from, std::string_view table);
  void AddFiles(const Catalog& from, const std::string& name);  // an address or an alias
  [[nodiscard]] const Schema* Find(std::string_view table) const override;
  [[nodiscard]] std::vector<std::string_view> Names() const override;
  [[nodiscard]] bool MayHaveRows(std::string_view table) const override;
  [[nodiscard]] Result<LocalFile> ExternalFile(std::string_view address) const override;
  [[nodiscard]] Result<LocalFile> Watchlist(std::string_view alias) const override;

 private:
  using Files = std::map<std::string, Result<LocalFile>, std::less<>>;

  std::map<std::string, Schema, std::less<>> tables_;
  std::set<std::string, std::less<>> empty_;
  Files external_;
  Files watchlists_;
};

// A compiled query. Immutable; may run many times.
//
// The columns that `evaluate pivot` and bag_unpack give depend on the data. Such a query is staged:
// it is bound up to the first of them; Run() gets its rows, binds on with their columns, and so on.
// What is wrong after it shows when it runs.
class Query {
 public:
  // What binds on when rows are known: the text, and every table that it may name.
  struct Later {
    std::string text;
    TableList tables;
  };
  explicit Query(PlanPtr plan, std::unique_ptr<const Later> later = nullptr, Diagnostics lacks = {})
      : plan_(std::move(plan)), later_(std::move(later)), lacks_(std::move(lacks)) {}
  [[nodiscard]] const Plan& plan() const { return *plan_; }
  // The result's columns; of a staged query they are not known before it runs.
  [[nodiscard]] const Schema& schema() const { return plan_->schema; }
  [[nodiscard]] const Later* later() const { return later_.get(); }
  // The files of externaldata that cannot be read, and why: until they can, the query does not run.
  // Of a staged query those up to its first stage; its later ones show when it runs.
  [[nodiscard]] const Diagnostics& lacks() const { return lacks_; }
  // The tables that it reads, each once.
  [[nodiscard]] std::vector<std::string> Tables() const;
  // True when each row of the result comes from one row of one table and from nothing else, so that
  // it may be evaluated on any part of the table alone.
  [[nodiscard]] bool RowWise() const;
  // True when the clock decides of a row only whether it has become too old: what the query gives
  // of a row it gives until then, and not again. So it is when now() and ago() stand only in lower
  // bounds of TimeGenerated, or in `TimeGenerated <= now()`.
  [[nodiscard]] bool OnlyForgets() const;
  // What its scans may ask a source for when it runs at `now`: each with the bounds and conditions
  // that its filters give. A row that no request takes cannot change the answer. Empty for a staged
  // query: only the data tells.
  [[nodiscard]] std::vector<ScanRequest> Requests(Instant now) const;
  // The columns of the result that hold the keys by which its last summarize groups. nullopt: the
  // result is not made of groups.
  [[nodiscard]] std::optional<std::vector<std::size_t>> GroupColumns() const;

 private:
  PlanPtr plan_;
  std::unique_ptr<const Later> later_;
  Diagnostics lacks_;
};

struct CompileResult {
  std::unique_ptr<Query> query;  // nullptr when refused
  Diagnostics errors;
};
CompileResult Compile(std::string_view text, const Catalog& catalog);

// What the source of a scan was asked for: it may skip other rows, and gives no other columns.
struct PushedDown {
  std::vector<std::string> columns;  // or paths
  std::optional<Instant> from, until;
  std::vector<std::string> conditions;
};

// What one operator of a run gave, and the time that it took with its inputs.
struct OperatorStats {
  std::string name;       // as the query writes it; a table's name for its scan
  std::string detail;     // what it does, bound
  std::size_t depth = 0;  // 0: the result
  std::uint64_t rows = 0;
  std::chrono::nanoseconds time{0};
  std::optional<PushedDown> pushed;  // of a scan
  bool shared = false;               // a scan that is read together with another one
};

// How a run went.
struct RunStats {
  // From the result down to the tables; an operator's inputs come after it, one deeper. A stage's
  // operators (see Query) come before those of the next.
  std::deque<OperatorStats> operators;
  std::uint64_t scanned = 0;   // rows that the source gave
  std::size_t peak_bytes = 0;  // most that was charged to the budget at a time
};

struct RunOptions {
  Instant now;
  // What scans may see, beside the query's own conditions.
  std::optional<Instant> from, until;
  std::int64_t after_seq = 0;
  std::int64_t until_seq = INT64_MAX;
  std::size_t memory_bytes = std::size_t{256} << 20;
  std::size_t max_rows = 1'000'000;
  std::size_t batch_rows = kBatchRows;
  // Off: for tests that compare.
  bool pushdown = true;
  bool share_scans = true;
  bool lineage = false;       // also of rows that come from several events, and which tables
  RunStats* stats = nullptr;  // filled, also when the run fails
  // Called with the rows that were scanned so far, after each batch of them.
  std::function<void(std::uint64_t)> on_scanned{};
  std::stop_token stop;
};

struct ResultTable {
  Schema schema;
  std::vector<Batch> batches;
  std::vector<std::string> tables{};  // of a run with lineage: those that were scanned, by number
  [[nodiscard]] std::size_t Rows() const;
};

// Errors: kLimit (memory, by the operator's name; rows), kCancelled, kRefused (a staged query's
// later part, a file that it lacks), what the source says.
Result<ResultTable> Run(const Query& query, TableSource& source, const RunOptions& options);

// A value as people read it: Kusto's text; '' for null.
std::string DisplayText(const Column& column, std::size_t row);
// A value as JSON: bool and numbers bare, datetime and timespan as Kusto's text, dynamic as it is,
// null for null.
std::string JsonText(const Column& column, std::size_t row);
// {"columns":[{"name","type"}],"rows":[[…]]}
std::string ToJson(const ResultTable& table);

}  // namespace picket::kql

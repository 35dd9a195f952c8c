#include "agent/rules/lineage.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "agent/kql/json_view.h"
#include "agent/rules/tick.h"
#include "agent/tables/table_catalog.h"

namespace picket::rules {
namespace {

constexpr const char* kTimeColumn = "TimeGenerated";
// Beside what the query reads: who, from where, with what.
constexpr std::string_view kTelling[] = {"Id",         "UserPrincipalName", "ServicePrincipalName",
                                         "IPAddress",  "AppDisplayName",    "Location",
                                         "ResultType", "OperationName"};

// The events of one table that are wanted, each by the findings that come from it.
using Wanted = std::map<std::int64_t, std::vector<std::size_t>>;

struct Column {
  kql::ScanColumn scan;
  std::string name;
};

// Reads the wanted events of a table as the query's own scans read it.
class SourceReader {
 public:
  SourceReader(const Rule& rule, const kql::Query& query, kql::TableSource& source, Instant tick,
               std::stop_token stop)
      : rule_(rule), source_(source), tick_(tick), stop_(std::move(stop)) {
    requests_ = query.Requests(tick);
  }

  Status Read(const std::string& table, const Wanted& wanted, std::vector<Lineage>& findings) {
    const kql::Schema* schema = catalog_.Find(table);
    if (schema == nullptr) return {};
    const std::vector<Column> columns = ColumnsOf(table, *schema);
    std::set<std::int64_t> seen;
    bool any = false;
    for (const kql::ScanRequest& request : requests_) {
      if (request.table != table) continue;
      any = true;
      PK_RETURN_IF_ERROR(ReadAs(request, columns, wanted, seen, findings));
    }
    if (any) return {};
    kql::ScanRequest whole;  // a staged query's scans are known only when it runs
    whole.table = table;
    return ReadAs(whole, columns, wanted, seen, findings);
  }

 private:
  std::vector<Column> ColumnsOf(const std::string& table, const kql::Schema& schema) const {
    std::vector<Column> columns;
    const auto add = [&](const kql::ScanColumn& scan) {
      const bool known = std::any_of(columns.begin(), columns.end(),
                                     [&](const Column& column) { return column.scan == scan; });
      if (known) return;
      const std::string& name = schema[scan.column].name;
      columns.push_back({scan, scan.member.empty() ? name : name + "." + scan.member});
    };
    const auto named = [&](std::string_view name) {
      for (std::size_t i = 0; i < schema.size(); ++i) {
        if (schema[i].name == name) add({i, {}});
      }
    };
    named(kTimeColumn);
    for (const std::string_view name : kTelling) named(name);
    for (const kql::ScanRequest& request : requests_) {
      if (request.table != table) continue;
      for (const kql::ScanColumn& column : request.columns) add(column);
    }
    return columns;
  }

  Status ReadAs(kql::ScanRequest request, const std::vector<Column>& columns, const Wanted& wanted,
                std::set<std::int64_t>& seen, std::vector<Lineage>& findings) {
    request.columns.clear();
    for (const Column& column : columns) request.columns.push_back(column.scan);
    const Instant start = WindowStart(rule_, tick_);
    request.from = request.from ? std::max(*request.from, start) : start;
    request.until = request.until ? std::min(*request.until, tick_) : tick_;
    request.stop = stop_;
    PK_ASSIGN_OR_RETURN(const std::unique_ptr<kql::TableScan> scan, source_.Scan(request));
    std::set<std::int64_t> here;
    while (true) {
      PK_ASSIGN_OR_RETURN(const kql::Batch batch, scan->Next(kql::kBatchRows));
      if (batch.rows == 0) break;
      for (std::size_t row = 0; row < batch.rows; ++row) {
        const auto found = wanted.find(batch.keys[row]);
        if (found == wanted.end() || seen.contains(found->first)) continue;
        here.insert(found->first);
        const SourceRow made = RowOf(request.table, columns, batch, row);
        for (const std::size_t finding : found->second) {
          std::vector<SourceRow>& rows = findings[finding].rows;
          if (rows.size() < kMostSources) rows.push_back(made);
        }
      }
    }
    seen.merge(here);
    return {};
  }

  SourceRow RowOf(const std::string& table, const std::vector<Column>& columns,
                  const kql::Batch& batch, std::size_t row) const {
    SourceRow made{.table = table, .time = tick_, .json = "{\"Type\":" + kql::QuoteJson(table)};
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const kql::Column& column = *batch.columns[i];
      if (column.IsNull(row)) continue;
      if (columns[i].name == kTimeColumn && column.type == kql::Type::kDateTime) {
        made.time = Instant{column.Number(row)};
      }
      const std::string value = kql::JsonText(column, row);
      if (value == "\"\"" || value == "null") continue;
      made.json += "," + kql::QuoteJson(columns[i].name) + ":" + value;
    }
    made.json += "}";
    return made;
  }

  const Rule& rule_;
  kql::TableSource& source_;
  const Instant tick_;
  const std::stop_token stop_;
  std::vector<kql::ScanRequest> requests_;
  const tables::TableCatalog catalog_;
};

// The first and the last of them.
std::vector<std::int64_t> Ends(std::vector<std::int64_t> events) {
  if (events.size() > kMostSources) {
    events.erase(events.begin() + kMostSources / 2, events.end() - kMostSources / 2);
  }
  return events;
}

std::vector<Lineage> None(std::size_t findings, const std::string& why_not) {
  return std::vector<Lineage>(findings, {.rows = {}, .why_not = why_not});
}

// The events of every row of the result.
std::vector<kql::Origins> OriginsOf(const kql::ResultTable& result) {
  std::vector<kql::Origins> all;
  for (const kql::Batch& batch : result.batches) {
    for (std::size_t row = 0; row < batch.rows; ++row) {
      kql::AddOrigins(batch, row, all.emplace_back());
    }
  }
  return all;
}

}  // namespace

bool EndsTurn(const Error& error) {
  return error.kind == ErrorKind::kCancelled || error.kind == ErrorKind::kStorage;
}

Result<std::vector<Lineage>> Trace(const Rule& rule, const kql::Query& query,
                                   kql::TableSource& source, Instant tick,
                                   const std::vector<std::vector<std::size_t>>& findings,
                                   std::stop_token stop) {
  kql::RunOptions options = OptionsAt(rule, tick, stop);
  options.lineage = true;
  Result<kql::ResultTable> result = kql::Run(query, source, options);
  if (!result) {
    if (EndsTurn(result.error())) return Fail(std::move(result).error());
    return None(findings.size(), "to follow its rows failed: " + result.error().message);
  }
  const std::vector<kql::Origins> origins = OriginsOf(*result);
  if (origins.empty()) return None(findings.size(), "it fired because no row was there");
  std::vector<Lineage> lineages(findings.size());
  std::map<std::size_t, Wanted> by_table;
  std::size_t wanted = 0;
  for (std::size_t i = 0; i < findings.size(); ++i) {
    kql::Origins all;
    for (const std::size_t row : findings[i]) {
      if (row < origins.size()) all.Add(origins[row]);
    }
    lineages[i].events = all.count();
    if (all.count() == 0) lineages[i].why_not = "it comes from no event";
    if (wanted >= kMostTickSources) {
      lineages[i].why_not = "the tick has too many findings to show the rows of each";
      continue;
    }
    for (const std::int64_t event : Ends(all.events())) {
      const auto table = static_cast<std::size_t>(event >> kql::kEventBits);
      by_table[table][event & ((std::int64_t{1} << kql::kEventBits) - 1)].push_back(i);
      ++wanted;
    }
  }
  SourceReader reader(rule, query, source, tick, stop);
  for (const auto& [table, events] : by_table) {
    Status read = reader.Read(result->tables[table], events, lineages);
    if (!read) return Fail(std::move(read).error());
  }
  for (Lineage& lineage : lineages) {
    std::stable_sort(lineage.rows.begin(), lineage.rows.end(),
                     [](const SourceRow& a, const SourceRow& b) { return a.time < b.time; });
  }
  return lineages;
}

}  // namespace picket::rules

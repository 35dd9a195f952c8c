#include "agent/rules/touched_ticks.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "agent/rules/tick.h"
#include "agent/tables/event_table_source.h"
#include "agent/tables/mapping.h"

namespace picket::rules {
namespace {

constexpr std::size_t kMostKept = 4096;  // ticks whose requests are kept

template <class T>
bool Compare(const T& a, kql::Condition::Operator op, const T& b) {
  switch (op) {
    case kql::Condition::Operator::kEqual:
      return a == b;
    case kql::Condition::Operator::kLess:
      return a < b;
    case kql::Condition::Operator::kLessEqual:
      return a <= b;
    case kql::Condition::Operator::kGreater:
      return a > b;
    case kql::Condition::Operator::kGreaterEqual:
      return a >= b;
  }
  return true;
}

// A condition that is not decided here is taken to hold.
bool MayHold(const kql::Condition& condition, const kql::Value& value) {
  switch (value.type) {
    case kql::Type::kString:
      return condition.op != kql::Condition::Operator::kEqual || value.text == condition.value.text;
    case kql::Type::kReal:
      return !value.null && Compare(value.real, condition.op, condition.value.real);
    case kql::Type::kBool:
    case kql::Type::kInt:
    case kql::Type::kLong:
    case kql::Type::kDateTime:
    case kql::Type::kTimespan:
      return !value.null && Compare(value.number, condition.op, condition.value.number);
    default:
      return true;
  }
}

// A row of a table, with the columns that conditions look at.
struct Row {
  Instant time;
  std::map<std::size_t, kql::Value> values;
};

bool MayTake(const kql::ScanRequest& request, const Row& row) {
  if (request.from && row.time < *request.from) return false;
  if (request.until && row.time > *request.until) return false;
  return std::all_of(request.conditions.begin(), request.conditions.end(),
                     [&](const kql::Condition& condition) {
                       const auto value = row.values.find(condition.column);
                       return value == row.values.end() || MayHold(condition, value->second);
                     });
}

class Touching {
 public:
  Touching(const Rule& rule, const kql::Query& query, storage::TenantStore& store,
           const Guid& tenant, const TouchSpan& span)
      : rule_(rule), query_(query), store_(store), tenant_(tenant), span_(span) {}

  Result<std::vector<Instant>> Find() {
    for (const std::string& name : query_.Tables()) {
      const tables::TableMapping* table = tables::FindTable(name);
      if (table == nullptr) continue;  // declared only: no row ever comes
      Look(*table);
      PK_RETURN_IF_ERROR(TakeNew());
      if (!table->shows_versions) PK_RETURN_IF_ERROR(TakeEarlier());
    }
    return std::vector<Instant>(touched_.begin(), touched_.end());
  }

 private:
  // The columns that conditions on the table look at, whatever the tick.
  void Look(const tables::TableMapping& table) {
    table_ = &table;
    looked_at_.clear();
    for (const kql::ScanRequest& request : RequestsAt(span_.newest)) {
      if (request.table != table.table) continue;
      for (const kql::Condition& condition : request.conditions) {
        if (condition.column != TimeColumn()) looked_at_.insert(condition.column);
      }
    }
    still_open_.clear();
  }

  Status TakeNew() {
    kql::ScanRequest request{.table = std::string(table_->table),
                             .columns = {{.column = TimeColumn(), .member = {}}},
                             .from = Oldest(),
                             .until = span_.newest,
                             .after_seq = span_.after_seq,
                             .until_seq = span_.until_seq,
                             .conditions = {}};
    for (const std::size_t column : looked_at_) request.columns.push_back({column, {}});
    tables::EventTableSource source(store_, tenant_);
    PK_ASSIGN_OR_RETURN(const std::unique_ptr<kql::TableScan> scan, source.Scan(request));
    while (true) {
      PK_ASSIGN_OR_RETURN(const kql::Batch batch, scan->Next(kql::kBatchRows));
      if (batch.rows == 0) return {};
      for (std::size_t i = 0; i < batch.rows; ++i) {
        Row row{.time = Instant{batch.columns[0]->Number(i)}, .values = {}};
        std::size_t at = 0;
        for (const std::size_t column : looked_at_) {
          row.values.emplace(column, batch.columns[++at]->Get(i));
        }
        Take(row);
      }
    }
  }

  // What changed events were before: a tick may have found them as they were.
  Status TakeEarlier() {
    PK_ASSIGN_OR_RETURN(storage::VersionScan earlier,
                        store_.events().ReadingsBefore(std::string(table_->stream), span_.after_seq,
                                                       span_.until_seq));
    while (true) {
      PK_ASSIGN_OR_RETURN(const bool more, earlier.Next());
      if (!more) return {};
      Row row{.time = earlier.created(), .values = {}};
      if (row.time < Oldest() || row.time > span_.newest) continue;
      PK_ASSIGN_OR_RETURN(const std::string_view json, earlier.Json());
      for (const std::size_t column : looked_at_) {
        row.values.emplace(column,
                           tables::ColumnValue(*table_, table_->columns[column], json, tenant_));
      }
      Take(row);
    }
  }

  void Take(const Row& row) {
    if (still_open_.empty()) OpenAll();
    auto tick = still_open_.lower_bound(row.time);
    while (tick != still_open_.end() && *tick < row.time + rule_.query_period) {
      if (!AnyTakes(*tick, row)) {
        ++tick;
        continue;
      }
      touched_.insert(*tick);
      tick = still_open_.erase(tick);
    }
    // A sentinel keeps it from being filled again when every tick is touched.
    if (still_open_.empty()) still_open_.insert(Instant{Instant::kMaxTicks});
  }

  void OpenAll() {
    for (Instant tick = span_.started + rule_.query_frequency; tick <= span_.newest;
         tick = tick + rule_.query_frequency) {
      if (!touched_.contains(tick)) still_open_.insert(still_open_.end(), tick);
    }
    still_open_.insert(Instant{Instant::kMaxTicks});
  }

  bool AnyTakes(Instant tick, const Row& row) {
    if (query_.later() != nullptr) return true;
    const std::vector<kql::ScanRequest>& requests = RequestsAt(tick);
    return std::any_of(requests.begin(), requests.end(), [&](const kql::ScanRequest& request) {
      return request.table == table_->table && MayTake(request, row);
    });
  }

  const std::vector<kql::ScanRequest>& RequestsAt(Instant tick) {
    if (const auto known = requests_.find(tick); known != requests_.end()) return known->second;
    if (requests_.size() >= kMostKept) requests_.clear();
    return requests_.emplace(tick, query_.Requests(tick)).first->second;
  }

  [[nodiscard]] Instant Oldest() const {
    return WindowStart(rule_, span_.started + rule_.query_frequency);
  }

  [[nodiscard]] std::size_t TimeColumn() const {
    return static_cast<std::size_t>(&table_->TimeColumn() - table_->columns.data());
  }

  const Rule& rule_;
  const kql::Query& query_;
  storage::TenantStore& store_;
  const Guid tenant_;
  const TouchSpan span_;
  const tables::TableMapping* table_ = nullptr;
  std::set<std::size_t> looked_at_;
  std::set<Instant> touched_;
  std::set<Instant> still_open_;  // not touched yet, and one beyond all
  std::map<Instant, std::vector<kql::ScanRequest>> requests_;
};

}  // namespace

Result<std::vector<Instant>> TouchedTicks(const Rule& rule, const kql::Query& query,
                                          storage::TenantStore& store, const Guid& tenant,
                                          const TouchSpan& span) {
  if (span.newest <= span.started || span.until_seq <= span.after_seq) {
    return std::vector<Instant>();
  }
  return Touching(rule, query, store, tenant, span).Find();
}

}  // namespace picket::rules

#include "tests/kql/manner_tables.h"

#include <algorithm>
#include <deque>

#include "agent/kql/dictionary.h"
#include "agent/kql/kernel.h"

namespace picket::kql {
namespace {

bool Meets(const Column& column, std::size_t row, const Condition& condition) {
  const ColumnPtr value = ConstantColumn(condition.value, 1);
  const std::optional<int> order = CompareValues(column, row, *value, 0);
  if (!order) return false;
  switch (condition.op) {
    case Condition::Operator::kEqual:
      return *order == 0;
    case Condition::Operator::kLess:
      return *order < 0;
    case Condition::Operator::kLessEqual:
      return *order <= 0;
    case Condition::Operator::kGreater:
      return *order > 0;
    case Condition::Operator::kGreaterEqual:
      return *order >= 0;
  }
  return false;
}

// A scan of rows that are there, as a store would give them.
class MannerScan final : public TableScan {
 public:
  MannerScan(const ResultTable& table, ScanRequest request, Manner manner)
      : table_(table), request_(std::move(request)), manner_(manner) {
    for (const ScanColumn& column : request_.columns) {
      if (!manner_.coded) break;
      coders_.emplace_back(table_.schema[column.column].type, 8);
    }
  }

  Result<Batch> Next(std::size_t most) override {
    if (table_.batches.empty()) return Batch{};
    const Batch& all = table_.batches[0];
    Selection rows;
    Batch out;
    for (; at_ < all.rows && rows.size() < most; ++at_) {
      if (manner_.skips && !Wanted(all, at_)) continue;
      rows.push_back(static_cast<std::uint32_t>(at_));
      out.keys.push_back(static_cast<std::int64_t>(at_) + 1);
    }
    out.rows = rows.size();
    for (std::size_t i = 0; i < request_.columns.size(); ++i) {
      const Column& column = *all.columns[request_.columns[i].column];
      out.columns.push_back(manner_.coded && IsText(column.type) ? Coded(coders_[i], column, rows)
                                                                 : Gather(column, rows));
    }
    return out;
  }

 private:
  // The first column is TimeGenerated.
  [[nodiscard]] bool Wanted(const Batch& all, std::size_t row) const {
    const Instant time{all.columns[0]->Number(row)};
    if (request_.from && time < *request_.from) return false;
    if (request_.until && time > *request_.until) return false;
    return std::all_of(
        request_.conditions.begin(), request_.conditions.end(),
        [&](const Condition& each) { return Meets(*all.columns[each.column], row, each); });
  }

  static ColumnPtr Coded(DictionaryBuilder& coder, const Column& column, const Selection& rows) {
    for (const std::uint32_t row : rows) {
      if (column.IsNull(row)) {
        coder.Null();
        continue;
      }
      const auto key = DictionaryBuilder::KeyOfShort(column.Text(row));
      if (!key || !coder.Known(*key)) coder.Text(key, column.Text(row));
    }
    return coder.Finish();
  }

  const ResultTable& table_;
  const ScanRequest request_;
  const Manner manner_;
  std::deque<DictionaryBuilder> coders_;
  std::size_t at_ = 0;
};

}  // namespace

MannerTables::MannerTables(std::map<std::string, ResultTable> tables) {
  for (auto& [name, table] : tables) tables_.emplace(name, std::move(table));
}

const Schema* MannerTables::Find(std::string_view table) const {
  const auto found = tables_.find(table);
  return found == tables_.end() ? nullptr : &found->second.schema;
}

std::vector<std::string_view> MannerTables::Names() const {
  std::vector<std::string_view> names;
  for (const auto& [name, table] : tables_) names.push_back(name);
  return names;
}

Result<std::unique_ptr<TableScan>> MannerTables::Scan(const ScanRequest& request) {
  ++scans;
  return std::make_unique<MannerScan>(tables_.find(request.table)->second, request, manner);
}

bool MannerTables::Cheap(std::string_view table, const ScanColumn& column) const {
  const Type type = tables_.find(table)->second.schema[column.column].type;
  return !(manner.dear_dynamics && type == Type::kDynamic);
}

}  // namespace picket::kql

#include "tests/kql/run_query.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace picket::kql {
namespace {

class Rows final : public TableScan {
 public:
  Rows(const ResultTable& table, ScanRequest request)
      : table_(table), request_(std::move(request)) {}

  Result<Batch> Next(std::size_t most) override {
    Batch out;
    if (table_.batches.empty() || at_ >= table_.batches[0].rows) return out;
    const Batch& all = table_.batches[0];
    Selection rows;
    for (; at_ < all.rows && rows.size() < most; ++at_) {
      rows.push_back(static_cast<std::uint32_t>(at_));
      out.keys.push_back(static_cast<std::int64_t>(at_) + 1);
    }
    out.rows = rows.size();
    for (const ScanColumn& asked : request_.columns) {
      out.columns.push_back(Gather(*all.columns[asked.column], rows));
    }
    return out;
  }

 private:
  const ResultTable& table_;
  const ScanRequest request_;
  std::size_t at_ = 0;
};

constexpr Instant kNow{639'000'000'000'000'000};

}  // namespace

void TestTables::Add(const std::string& name, std::string_view columns, std::string_view cells) {
  TestTables none;
  const CompileResult compiled = Compile(fmt::format("datatable({})[{}]", columns, cells), none);
  ASSERT_TRUE(compiled.query) << ToString(compiled.errors.at(0));
  auto table = Run(*compiled.query, none, {.now = kNow, .batch_rows = 1'000'000});
  ASSERT_TRUE(table) << table.error().message;
  tables_[name] = *std::move(table);
}

void TestTables::AddFile(std::string address, std::string content) {
  files_[std::move(address)] = {.name = "file", .text = std::move(content), .key = {}};
}

void TestTables::AddWatchlist(std::string alias, std::string content, std::string key) {
  watchlists_[std::move(alias)] = {
      .name = "list.csv", .text = std::move(content), .key = std::move(key)};
}

const Schema* TestTables::Find(std::string_view table) const {
  const auto found = tables_.find(table);
  return found == tables_.end() ? nullptr : &found->second.schema;
}

std::vector<std::string_view> TestTables::Names() const {
  std::vector<std::string_view> names;
  for (const auto& [name, table] : tables_) names.push_back(name);
  return names;
}

Result<LocalFile> TestTables::ExternalFile(std::string_view address) const {
  const auto found = files_.find(address);
  if (found == files_.end()) return Catalog::ExternalFile(address);
  return found->second;
}

Result<LocalFile> TestTables::Watchlist(std::string_view alias) const {
  const auto found = watchlists_.find(alias);
  if (found == watchlists_.end()) return Catalog::Watchlist(alias);
  return found->second;
}

Result<std::unique_ptr<TableScan>> TestTables::Scan(const ScanRequest& request) {
  return std::make_unique<Rows>(tables_.find(request.table)->second, request);
}

std::string Ask(TestTables& tables, std::string_view query, RunOptions options) {
  const CompileResult compiled = Compile(query, tables);
  if (!compiled.query) {
    return fmt::format("!{} {}", compiled.errors.at(0).code, compiled.errors.at(0).message);
  }
  if (const Diagnostics& lacks = compiled.query->lacks(); !lacks.empty()) {
    return fmt::format("!{} {}", lacks[0].code, lacks[0].message);
  }
  options.now = kNow;
  const auto result = Run(*compiled.query, tables, options);
  if (!result) return "!" + result.error().message;
  std::string text;
  for (const ColumnSchema& column : result->schema) text += (text.empty() ? "" : ",") + column.name;
  for (const Batch& batch : result->batches) {
    for (std::size_t row = 0; row < batch.rows; ++row) {
      text += " | ";
      for (std::size_t i = 0; i < batch.columns.size(); ++i) {
        text += (i > 0 ? "," : "") + DisplayText(*batch.columns[i], row);
      }
    }
  }
  return text;
}

std::string Ask(std::string_view query) {
  TestTables none;
  return Ask(none, query);
}

std::string EventsOf(TestTables& tables, std::string_view query) {
  const CompileResult compiled = Compile(query, tables);
  if (!compiled.query) return "!" + compiled.errors.at(0).message;
  const auto result = Run(*compiled.query, tables, {.now = kNow, .batch_rows = 2, .lineage = true});
  if (!result) return "!" + result.error().message;
  std::string text;
  for (const Batch& batch : result->batches) {
    for (std::size_t row = 0; row < batch.rows; ++row) {
      Origins origins;
      AddOrigins(batch, row, origins);
      std::vector<std::string> events;
      for (const std::int64_t event : origins.events()) {
        const auto table = static_cast<std::size_t>(event >> kEventBits);
        const std::int64_t key = event & ((std::int64_t{1} << kEventBits) - 1);
        events.push_back((result->tables.size() < 2 ? "" : result->tables[table] + ":") +
                         std::to_string(key));
      }
      text += (text.empty() ? "" : " | ") + fmt::format("{}", fmt::join(events, ","));
    }
  }
  return text;
}

}  // namespace picket::kql

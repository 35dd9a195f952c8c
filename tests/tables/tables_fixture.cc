#include "tests/tables/tables_fixture.h"

#include <fstream>
#include <sstream>

#include "agent/tables/event_table_source.h"
#include "agent/tables/mapping.h"
#include "agent/tables/record_decoder.h"
#include "agent/tables/table_catalog.h"

namespace picket::tables {

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::optional<std::string> SharedFile(const std::string& path) {
  const std::filesystem::path whole = std::filesystem::path(PICKET_SHARED_DIR) / path;
  if (!std::filesystem::exists(whole)) return std::nullopt;
  return ReadAll(whole);
}

void TablesTest::SetUp() {
  directory_ = std::filesystem::path(testing::TempDir()) / ("picket-tables-" + ToString(Uuid4()));
  std::filesystem::create_directories(directory_);
  auto opened =
      storage::TenantStore::Open(directory_, tenant_, StreamSchemas(), ValuesOf(tenant_), {});
  ASSERT_TRUE(opened) << opened.error().message;
  store_ = *std::move(opened);
}

void TablesTest::TearDown() {
  store_.reset();
  std::filesystem::remove_all(directory_);
}

Result<ImportReport> TablesTest::Import(std::string_view bytes, const std::string& table) {
  return ImportFile(bytes, tenant_, *store_, {.table = table, .now = now_, .oldest = oldest_});
}

storage::PageCounts TablesTest::Page(const std::string& stream, const std::string& array,
                                     int rank) {
  const RecordDecoder decoder(stream, tenant_);
  const storage::Merger merger = [&](std::string_view stored, const storage::Record& read) {
    return decoder.Merge(stored, read);
  };
  std::int64_t window = 0;
  {
    auto transaction = store_->Begin();
    window = store_->ledger().Open(stream, "live", oldest_, now_, now_).value();
    EXPECT_TRUE(transaction->Commit());
  }
  const auto page = decoder.Decode(array, static_cast<Rank>(rank));
  EXPECT_TRUE(page);
  const auto counts = store_->StorePage(
      stream, window, page->records, static_cast<std::int64_t>(page->rejected.size()),
      {.now = now_, .oldest = oldest_, .read_before = oldest_, .merger = &merger});
  EXPECT_TRUE(counts);
  return *counts;
}

namespace {

// The same tables, of which nothing is kept apart.
class PlainCatalog final : public kql::Catalog {
 public:
  [[nodiscard]] const kql::Schema* Find(std::string_view table) const override {
    return tables_.Find(table);
  }
  [[nodiscard]] std::vector<std::string_view> Names() const override { return tables_.Names(); }

 private:
  const TableCatalog tables_{};
};

kql::ResultTable Answer(const std::string& kql, storage::TenantStore& store, const Guid& tenant,
                        Instant now, bool pushdown) {
  const TableCatalog tables;
  const PlainCatalog plain;
  const kql::CompileResult compiled =
      kql::Compile(kql, pushdown ? static_cast<const kql::Catalog&>(tables) : plain);
  EXPECT_TRUE(compiled.query) << kql << ": "
                              << (compiled.errors.empty() ? "" : compiled.errors[0].message);
  if (!compiled.query) return {};
  EventTableSource source(store, tenant);
  auto answer = kql::Run(*compiled.query, source, {.now = now, .pushdown = pushdown, .stop = {}});
  EXPECT_TRUE(answer) << kql << ": " << (answer ? "" : answer.error().message);
  return answer ? *std::move(answer) : kql::ResultTable();
}

}  // namespace

std::vector<ReadRow> TablesTest::Query(const std::string& kql, bool pushdown) {
  const kql::ResultTable answer = Answer(kql, *store_, tenant_, now_, pushdown);
  std::vector<ReadRow> rows;
  for (const kql::Batch& batch : answer.batches) {
    for (std::size_t row = 0; row < batch.rows; ++row) {
      ReadRow& read = rows.emplace_back();
      for (std::size_t i = 0; i < answer.schema.size(); ++i) {
        read[answer.schema[i].name] = kql::DisplayText(*batch.columns[i], row);
      }
    }
  }
  return rows;
}

std::string TablesTest::Json(const std::string& kql, bool pushdown) {
  return kql::ToJson(Answer(kql, *store_, tenant_, now_, pushdown));
}

}  // namespace picket::tables

#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/kql/engine.h"
#include "agent/tables/import.h"
#include "base/uuid.h"
#include "storage/tenant_store.h"

namespace picket::tables {

// A file of ../shared; nullopt when it is not there.
std::optional<std::string> SharedFile(const std::string& path);
#define PICKET_SHARED_OR_SKIP(name, path)                                    \
  const auto name##_file = SharedFile(path);                                 \
  if (!name##_file) GTEST_SKIP() << "../shared/" << (path) << " is missing"; \
  const std::string& name = *name##_file

std::string ReadAll(const std::filesystem::path& path);

// One row of an answer: column → what people read.
using ReadRow = std::map<std::string, std::string>;

// A tenant's store in a directory of its own, and what queries of it answer.
class TablesTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  Result<ImportReport> Import(std::string_view bytes, const std::string& table = {});
  // Stores what the decoder makes of a page of Graph's.
  storage::PageCounts Page(const std::string& stream, const std::string& array, int rank);
  // Without pushdown the store is asked for no conditions, and for no members of columns.
  std::vector<ReadRow> Query(const std::string& kql, bool pushdown = true);
  std::string Json(const std::string& kql, bool pushdown);

  const Guid tenant_ = ParseGuid("2ad3fc79-1859-42fa-9011-6f8df2251b22").value();
  const Instant now_ = ParseRfc3339("2026-11-24T10:00:00Z").value();
  Instant oldest_{0};
  std::filesystem::path directory_;
  std::unique_ptr<storage::TenantStore> store_;
};

}  // namespace picket::tables

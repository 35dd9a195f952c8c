#pragma once

#include <memory>

#include "agent/kql/table_source.h"
#include "base/uuid.h"
#include "storage/tenant_store.h"

namespace picket::tables {

// One tenant's events as Log Analytics tables. Sign-in and audit tables show the newest reading of
// an event, risk tables every kept one, tables that are not collected none. Keys of rows are the
// events' keys in their stream. The store must outlive it; one thread at a time.
class EventTableSource final : public kql::TableSource {
 public:
  EventTableSource(storage::TenantStore& store, const Guid& tenant)
      : store_(store), tenant_(tenant) {}
  [[nodiscard]] Result<std::unique_ptr<kql::TableScan>> Scan(
      const kql::ScanRequest& request) override;
  // Columns that are kept typed.
  [[nodiscard]] bool Cheap(std::string_view table, const kql::ScanColumn& column) const override;

 private:
  storage::TenantStore& store_;
  const Guid tenant_;
};

}  // namespace picket::tables

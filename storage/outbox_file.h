#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "base/uuid.h"
#include "storage/outbox.h"
#include "storage/sqlite/database.h"

namespace picket::storage {

// The outbox of a tenant's file, or of the agent's own, through a connection of its own: delivery
// goes on while the tenant is polled and evaluated. A write may find the file busy (kTransient):
// nothing was written, and it may be tried again. One thread at a time.
class OutboxFile {
 public:
  // Of a file that is there and up to date; kNotFound when there is none.
  static Result<std::unique_ptr<OutboxFile>> OpenTenant(const std::filesystem::path& data_dir,
                                                        const Guid& tenant);
  static Result<std::unique_ptr<OutboxFile>> OpenAgent(const std::filesystem::path& data_dir);

  Outbox& outbox() { return outbox_; }

 private:
  explicit OutboxFile(std::unique_ptr<Database> database)
      : database_(std::move(database)), outbox_(*database_) {}
  const std::unique_ptr<Database> database_;
  Outbox outbox_;
};

}  // namespace picket::storage

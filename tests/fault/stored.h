#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "storage/alert_store.h"
#include "storage/ledger.h"

namespace picket::fault {

struct StoredEvent {
  std::string json;
  std::vector<storage::FindingRow> findings;  // of the seed detection
};

struct StoredStream {
  std::map<std::string, StoredEvent> events;  // by id
  std::vector<std::string> twice;             // ids that are there more than once
  std::vector<storage::Interval> read;        // what the ledger says was read
  std::vector<storage::Interval> live;        // of that, by windows at the live edge
  std::int64_t added = 0;                     // rows that the ledger calls new, in all its windows
  storage::StreamProgress progress;
  std::string state, reason;
};

struct StoredAlert {
  storage::AlertRow row;
  std::vector<storage::FindingRow> findings;
};

// All that a tenant's file holds, read in one go by another process than the agent's.
struct Stored {
  bool exists = false;
  std::map<std::string, StoredStream> streams;
  std::vector<StoredAlert> alerts;
};

// `streams`: those that are polled; empty: all.
Result<Stored> ReadStored(const std::filesystem::path& data_dir, const Guid& tenant,
                          const std::vector<std::string>& streams = {});

// The seed detection's id, as its file gives it.
inline constexpr const char* kSeedRule = "18e9803a-3394-580e-b321-53d788c2c042";

}  // namespace picket::fault

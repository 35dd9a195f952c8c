#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace picket::bench {

// What a bare program needs for the same durable work: simdjson, zstd frames of 64 records, one
// SQLite writer with a transaction a page. It has the same typed columns as plain texts, the same
// indexes and the same settings of SQLite, and nothing else: no rules of richer readings, no
// ledger, no check of what it reads. It ends the program when anything fails.
class IngestFloor {
 public:
  explicit IngestFloor(const std::filesystem::path& file);
  ~IngestFloor();
  IngestFloor(const IngestFloor&) = delete;
  IngestFloor& operator=(const IngestFloor&) = delete;

  // One body of Graph's; returns its rows.
  std::int64_t Ingest(const std::string& body);

 private:
  struct State;
  State* state_;
};

}  // namespace picket::bench

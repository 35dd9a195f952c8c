#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/fault/stored.h"
#include "tests/simulator/simulator.h"

namespace picket::fault {

// Compares a tenant's file with what the simulator knows that it emitted.
class Verdict {
 public:
  Verdict(const simulator::Simulator& simulator, const Guid& tenant)
      : simulator_(simulator), tenant_(tenant) {}

  // What must hold after every life, whatever went wrong in it: nothing twice, nothing forgotten,
  // nothing known replaced by less, the ledger's rows those that are there, and no window called
  // read that misses what Graph was showing before it was asked. `asked`: when the life's first
  // request came, if one did. To be called in the order of the lives.
  void After(const Stored& stored, std::optional<Instant> asked, Instant now);
  // What must hold in the end: exactly what was emitted, in its richest version, and an alert for
  // every logical finding.
  void InTheEnd(const Stored& stored, Instant now);

  [[nodiscard]] const std::vector<std::string>& failures() const { return failures_; }
  // Of the last InTheEnd, so that nobody takes an empty comparison for a good one.
  [[nodiscard]] std::size_t events() const { return events_; }
  [[nodiscard]] std::size_t findings() const { return findings_; }

 private:
  void Fail(std::string what);
  void Compare(const std::string& stream, const StoredStream& before, const StoredStream& after);
  void CheckCoverage(const std::string& stream, const StoredStream& stored, Instant asked,
                     Instant now);
  void CheckOverlap(const std::string& stream, const StoredStream& stored, Instant asked);
  void CheckAlertsAreSound(const Stored& stored);
  void CheckRecords(const std::string& stream, const StoredStream& stored, Instant now);
  void CheckFindings(const Stored& stored, Instant now);

  const simulator::Simulator& simulator_;
  const Guid tenant_;
  Stored last_;
  std::vector<std::string> failures_;
  std::size_t events_ = 0, findings_ = 0;
};

}  // namespace picket::fault

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/kql/evaluator.h"

namespace picket::kql {

// Scans of one run. Those of the same table that begin later than they were made are read once for
// all, where that costs no more than to read them apart: what one of them has read is held until
// the others have had it. When that takes too much memory, each goes on alone. One thread.
class SharedScans {
 public:
  explicit SharedScans(RunState& state) : state_(state) {}
  SharedScans(const SharedScans&) = delete;
  SharedScans& operator=(const SharedScans&) = delete;
  ~SharedScans() = default;

  // A scan of this request: it is opened when its first rows are asked for. `shared` (or nullptr)
  // is set when it is read together with another one.
  [[nodiscard]] OperatorPtr Make(ScanRequest request, bool* shared);
  // Holds nothing any more: all scans go on alone.
  void GiveBack();

 private:
  class Reader;
  class Member;
  class Group;

  // Opens the member's scan, together with those of others that wait and fit.
  [[nodiscard]] Status Open(Member& member);
  [[nodiscard]] bool Fits(const ScanRequest& a, const ScanRequest& b) const;

  RunState& state_;
  std::vector<Member*> waiting_;
  std::vector<Group*> groups_;
};

}  // namespace picket::kql

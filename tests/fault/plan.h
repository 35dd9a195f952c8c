#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "storage/ledger.h"
#include "tests/simulator/faults.h"

namespace picket::fault {

// One round of the agent, some time after the one before.
struct RoundPlan {
  Timespan before;
  bool all_streams = false;
};

// What a machine's clock does when the nth request of a life is sent.
struct ClockJump {
  std::int64_t request = 0;
  Timespan offset;
};

// How a process ends, if it is not done before.
enum class End : std::uint8_t {
  kDone,             // all rounds, then a restart
  kStopped,          // asked to stop at the nth request
  kKilledAtWrite,    // kill -9 before the nth statement that writes, or around a commit
  kKilledAtRequest,  // kill -9 while the nth request is under way, or just after its answer
  kKilledInList,     // the same at the nth request for a page that is not the first of its list
};

// The disk has no more room than this for each file, during these rounds.
struct FullDisk {
  int first = 0, count = 0;
  std::int64_t room = 0;
};

// From the start of the agent's process to its end.
struct LifePlan {
  std::vector<RoundPlan> rounds;
  End end = End::kDone;
  std::int64_t at = 0;  // which write, request or page
  std::vector<ClockJump> jumps;
  std::optional<FullDisk> full_disk;
  std::int64_t fail_write = 0;  // the nth write fails alone; 0: none
  std::int64_t revoke_at = 0;   // Entra revokes all tokens at the nth request; 0: never
};

// A run: two and a half days of trouble, then three of fair weather. Drawn from the seed alone.
struct Plan {
  std::uint64_t seed = 0;
  int tenants = 1;
  int threads = 1;    // of the agent; with one, the same seed is the same run
  int per_mille = 0;  // requests that meet a fault
  int short_pages = 0, empty_pages = 0;
  int most_rows = 0;                       // of a page; 0: as many as are asked for
  bool filter_by_last_update = true;       // whether the service takes that filter of detections
  std::optional<storage::Interval> lapse;  // the licence for risk ends, and comes back
  std::vector<LifePlan> lives;
};

// When first contact is made, and between what the events of a run lie.
Instant StartOfRun();
storage::Interval EventsOfRun();
// By then everything that was emitted has been readable in fair weather, and was read again.
Instant EndOfRun();

Plan DrawPlan(std::uint64_t seed);
std::string Describe(const Plan& plan);
// The faults that requests may meet; with those for which a whole answer of 64 MiB is made, if
// asked.
std::vector<simulator::Fault> FaultsOfRun(const std::string& other_host, bool huge);

}  // namespace picket::fault

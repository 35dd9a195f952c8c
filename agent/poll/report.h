#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "storage/record.h"

namespace picket::poll {

// What an operator must learn of, as data: the alerts room makes alerts of it. Conditions are
// reported in every round in which they hold; `key` names the condition.
struct HealthEvent {
  enum class Kind : std::uint8_t {
    kAuth,        // the credential was rejected
    kPermission,  // a permission is missing or was lost
    kLicence,     // the tenant's licence does not give the stream
    kStalled,     // a stream has not been read for long
    kLostWindow,  // a part is older than Graph keeps
    kStuck,       // a window that Graph does not answer was passed by
    kClock,       // the own clock is off by more than 5 min
    kFull,        // the tenant's size limit, or the volume
    kStorage,     // its database failed
    kRejected,    // records could not be kept
  };
  Kind kind = Kind::kStalled;
  std::string stream;  // "" for the tenant as a whole
  std::string message;
  std::string hint;
  [[nodiscard]] std::string key() const;  // "licence/riskyUsers": the same while it lasts
};
std::string_view KindName(HealthEvent::Kind kind);

// A stream that was not asked for, because an earlier failure holds it back.
struct HeldStream {
  std::string stream;
  Instant until;
  Error error;  // the failure, as it is stored
};

// A stream of "all" that the tenant's licence does not give. Not a failure; rules that read it are
// blind, which `status`, `rules list` and the report say.
struct UnlicensedStream {
  std::string stream;
  Error error;         // Graph's refusal, and the licence that it needs
  bool asked = false;  // in this round; else it is known from an earlier one
};

// What became of one tenant in one round.
struct TenantRound {
  std::string tenant;                                 // its name
  std::map<std::string, storage::PageCounts> counts;  // by stream; re-readings included
  std::vector<HealthEvent> health;
  std::int64_t requests = 0;
  bool polled = false;  // something was due
  // What has surely happened at Graph; nullopt: Graph did not say what time it is.
  std::optional<Instant> data_time;
  bool backfill_left = false;  // older rows wait for the next round
  // The last error of each stream that failed in this round; "" for the tenant itself.
  std::map<std::string, Error> errors;
  std::vector<HeldStream> held;
  std::vector<UnlicensedStream> unlicensed;  // none in a tenant without any sign-ins
  // Every stream is read up to now, or is known to give nothing (its licence, the cloud). A round
  // that asked for nothing is no proof of it: this goes by the streams' states.
  bool well = false;
  // Why the first record that could not be kept was rejected, by stream.
  std::map<std::string, std::string> rejections;
  [[nodiscard]] storage::PageCounts Total() const;
};

// A page was stored: for who watches a long round.
struct PageNote {
  std::string_view tenant, stream,
      kind;               // kind as the ledger has it: live, gap, backfill, reconcile
  Instant from, to;       // the window that is being read
  std::int64_t rows = 0;  // of the stream, in this round so far
};

// A part that counts as read and was not.
struct Hole {
  Instant from, to;
  std::string state;  // lost: older than Graph keeps | stuck: Graph did not answer; asked for again
  std::string why;
};

// For `status`: one stream as it stands in the database.
struct StreamStatus {
  std::string name;
  std::string state;  // waiting | ok | behind | throttled | off | failing | stuck
  std::string reason;
  bool licensed = true;  // false: it is off, for want of a licence
  std::optional<Instant> read_to, complete_to, reconciled_to, last_success;
  std::int64_t events = 0;
  std::int64_t late = 0;
  // Of what the ledger still tells: rows that could not be kept, and rows that came when they were
  // older than retention. Of all time: events that retention took.
  std::int64_t rejected = 0, expired = 0, deleted = 0;
  std::vector<Hole> holes;  // newest first, at most kMostHoles
  std::string last_error;
};
inline constexpr std::size_t kMostHoles = 20;

}  // namespace picket::poll

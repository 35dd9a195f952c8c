#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "tests/simulator/lists.h"

namespace picket::simulator {

// A record as it stands from some time on.
struct RecordVersion {
  Instant visible_at;
  Instant time;                          // by the list's sort property
  std::string text;                      // JSON, without the conditional access policies
  std::string policies;                  // those, as JSON; "" for none
  std::vector<std::string> event_types;  // of sign-ins
  bool young_members = false;            // holds enum members that old clients are not sent
};

struct Position {
  Instant time;
  std::string id;
  auto operator<=>(const Position&) const = default;
};

// All records of all tenants, ever. Thread-safe.
class Store {
 public:
  using Key = std::pair<Guid, List>;

  void Put(const Key& key, std::string_view json, Instant visible_at);
  // RFC 7396 over the newest version; shown no sooner than that one is.
  bool Change(const Key& key, std::string_view id, std::string_view patch, Instant visible_at);

  // The version that is visible at `now`; nullopt for none.
  [[nodiscard]] std::optional<RecordVersion> Get(const Key& key, std::string_view id,
                                                 Instant now) const;
  // Every record visible at `now` whose time is within [from, to], in the order of the list or
  // against it. Stops when `visit` says false. `visit` must not call the store.
  void Visit(const Key& key, Instant now, Instant from, Instant to, bool ascending,
             const std::function<bool(const Position&, const RecordVersion&)>& visit) const;
  [[nodiscard]] std::vector<EmittedRecord> All(const Key& key, std::string_view event_type) const;
  [[nodiscard]] std::set<std::string> Ids(const Key& key, std::string_view event_type,
                                          Instant now) const;

 private:
  struct Record {
    std::vector<RecordVersion> versions;  // by visible_at
  };
  struct Shelf {
    std::map<std::string, Record, std::less<>> records;
    std::map<Position, const Record*> by_time;  // of the first version; unless times change
  };

  static const RecordVersion* Visible(const Record& record, Instant now);
  static void Insert(Record& record, RecordVersion version);
  void VisitMoving(const Shelf& shelf, Instant now, Instant from, Instant to, bool ascending,
                   const std::function<bool(const Position&, const RecordVersion&)>& visit) const;

  mutable std::shared_mutex mutex_;
  std::map<Key, Shelf> shelves_;
};

}  // namespace picket::simulator

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "storage/sqlite/database.h"

namespace picket::storage {

// What became of a tick of a rule.
enum class TickState : std::uint8_t {
  kEvaluated,  // on complete data
  kPartial,    // on what was there when it could wait no longer; it runs again
  kDirty,      // evaluated, and a row of its window came or changed since; it runs again
  kGivenUp,    // it does not run any more, for the reason that stands with it
};
std::string_view TickStateName(TickState state);  // as the file has it

struct TickRow {
  std::string rule;
  Instant tick;
  std::string version;  // of the rule: the hash of its meaning
  TickState state = TickState::kEvaluated;
  std::string reason;
  std::int64_t runs = 0;
  Instant changed;
};

// What one tick says of one finding.
struct TickFinding {
  Instant tick;
  std::string finding;
  bool fires = true;  // false: within the rule's suppression after an earlier tick
  std::string rows;   // a JSON array of objects
};

// How far a rule came: every tick up to it was evaluated or is told of by State.
struct TickCursor {
  std::string version;
  Instant started;  // it began after this tick
  Instant tick;
};

struct TickCounts {
  std::int64_t partial = 0, dirty = 0, given_up = 0;
};

// The ticks of one tenant's rules. Evaluated ones are not stored one by one: they are those up to
// the rule's cursor that no row speaks of. No tick can be left out: the cursor moves from the tick
// where it stands to the next, and says what became of that one. Writes happen in the caller's
// transaction, together with the findings of the tick. One thread at a time.
class TickStore {
 public:
  explicit TickStore(Database& database) : database_(database) {}

  [[nodiscard]] Result<std::optional<TickCursor>> Cursor(std::string_view rule);
  // A new rule, or a new version of one: it begins after this tick. What was open of the version
  // before is forgotten: its questions are not asked any more.
  [[nodiscard]] Status Start(std::string_view rule, std::string_view version, Instant tick);
  // The cursor moves from `previous` to row.tick. kInternal, and nothing changes, when it does not
  // stand there, or the rule's version is another one.
  [[nodiscard]] Status Advance(const TickRow& row, Instant previous);
  // A tick at or before the cursor ran again, or was given up. kInternal as Advance.
  [[nodiscard]] Status Settle(const TickRow& row);
  // Evaluated ticks become dirty. A tick that is partial or dirty already runs again anyhow; one
  // that was given up stays so; one after the cursor is still to come; one before the rule began is
  // not its own.
  [[nodiscard]] Status MarkDirty(std::string_view rule, Instant tick, std::string_view reason,
                                 Instant now);

  // nullopt: the cursor has not come to it, or the rule began after it.
  [[nodiscard]] Result<std::optional<TickState>> State(std::string_view rule, Instant tick);
  // Partial and dirty ones of a rule ("": of all), newest first.
  [[nodiscard]] Result<std::vector<TickRow>> Waiting(std::string_view rule, std::int64_t limit);
  // Of a rule; "": of all.
  [[nodiscard]] Result<TickCounts> Counts(std::string_view rule);
  // The newest tick that was given up, with the reason; of a rule.
  [[nodiscard]] Result<std::optional<TickRow>> LastGivenUp(std::string_view rule);
  // Waiting ticks of a rule before the time are given up.
  [[nodiscard]] Status GiveUp(std::string_view rule, Instant before, std::string_view reason,
                              Instant now);

  // What the tick found, in place of what it found before.
  [[nodiscard]] Status PutFindings(std::string_view rule, Instant tick,
                                   const std::vector<TickFinding>& findings);
  [[nodiscard]] Result<std::vector<TickFinding>> FindingsAt(std::string_view rule, Instant tick);
  // What the ticks say of a finding, oldest first.
  [[nodiscard]] Result<std::vector<TickFinding>> TicksOf(std::string_view rule,
                                                         std::string_view finding);
  // Ticks that found something, from the time on, oldest first.
  struct FoundTick {
    Instant tick;
    bool fires = true;
  };
  [[nodiscard]] Result<std::vector<FoundTick>> Found(std::string_view rule, Instant from);
  // The newest one before the time that fires.
  [[nodiscard]] Result<std::optional<Instant>> LastFired(std::string_view rule, Instant before);
  [[nodiscard]] Status SetFires(std::string_view rule, Instant tick, bool fires);

  // The rule is not evaluated by ticks any more: its cursor and ticks are forgotten.
  [[nodiscard]] Status Forget(std::string_view rule);
  // Dirty and partial ticks before the time could only be judged on rows that are gone: they are
  // given up. What was given up before the time is forgotten, and what ticks before it found.
  [[nodiscard]] Status Expire(Instant oldest, Instant now);

 private:
  [[nodiscard]] Status CheckVersion(const TickRow& row, const std::optional<TickCursor>& cursor);
  [[nodiscard]] Status Put(const TickRow& row);

  Database& database_;
};

}  // namespace picket::storage

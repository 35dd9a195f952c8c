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
  // Partial and dirty ones of all rules, newest first.
  [[nodiscard]] Result<std::vector<TickRow>> Waiting(std::int64_t limit);
  [[nodiscard]] Result<TickCounts> Counts();
  // Dirty and partial ticks before the time could only be judged on rows that are gone: they are
  // given up. What was given up before the time is forgotten.
  [[nodiscard]] Status Expire(Instant oldest, Instant now);

 private:
  [[nodiscard]] Status CheckVersion(const TickRow& row, const std::optional<TickCursor>& cursor);
  [[nodiscard]] Status Put(const TickRow& row);

  Database& database_;
};

}  // namespace picket::storage

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace picket::storage {

enum class ColumnType : std::uint8_t { kInt, kReal, kText, kTicks, kBool };

struct TypedColumn {
  std::string name;  // [A-Za-z0-9_]+, unique without case
  ColumnType type = ColumnType::kText;
};

// nothing, number, real, text. Ticks and bools are numbers.
using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string_view>;
using OwnedValue = std::variant<std::monostate, std::int64_t, double, std::string>;

// What a stream's events look like to the store: their typed columns, a cache of the JSON. Another
// mapping_version rebuilds them.
struct StreamSchema {
  std::string stream;  // "signIns.interactive"
  int mapping_version = 1;
  std::vector<TypedColumn> columns;
};

// One reading of one event. Views: they live as long as the page they came from.
struct Record {
  std::string_view id;             // Graph's, as it came
  Instant created;                 // the event's time
  std::optional<Instant> updated;  // lastUpdatedDateTime, where the stream has one
  std::string_view json;           // all of it, as it came
  std::uint64_t hash = 0;          // of the canonical form without the volatile members
  int rank = 0;                    // richness of the source: a lower one never replaces a higher
  std::vector<SqlValue> values;    // in the order of the schema's columns
};

// A record that owns its bytes.
struct OwnedRecord {
  std::string id, json;
  Instant created;
  std::optional<Instant> updated;
  std::uint64_t hash = 0;
  int rank = 0;
  std::vector<OwnedValue> values;
  [[nodiscard]] Record View() const;
};

// Lays one reading over another: a member that is `hidden` or absent in the upper one keeps the
// lower one's value. The store asks only when the two differ; mostly the lower one is the stored
// one, but a poorer reading is laid below it. An error rejects the reading, not its page.
using Merger = std::function<Result<OwnedRecord>(std::string_view lower_json, const Record& upper)>;

// What became of a page's records. new + changed + same + poorer + rejected + expired is their
// number.
struct PageCounts {
  std::int64_t read = 0;   // records of the page, rejected ones too
  std::int64_t added = 0;  // "new"
  std::int64_t changed = 0;
  std::int64_t same = 0;
  std::int64_t poorer = 0;    // differed, and told nothing new
  std::int64_t rejected = 0;  // could not be kept (no id, no time, too deep, …)
  std::int64_t expired = 0;   // older than retention
  std::int64_t late = 0;      // of the new ones: their time lay in a part that counted as read
  PageCounts& operator+=(const PageCounts& other);
};

}  // namespace picket::storage

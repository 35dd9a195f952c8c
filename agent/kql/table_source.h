#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/column.h"
#include "agent/kql/type.h"
#include "base/result.h"
#include "base/time.h"

namespace picket::kql {

// A file that the operator put beside the agent.
struct LocalFile {
  std::string name;  // as messages call it
  std::string text;
  std::string key;  // of a watchlist: which column SearchKey repeats; "": the first
};

// Which tables there are, for the binder.
class Catalog {
 public:
  virtual ~Catalog() = default;
  // nullptr: no such table.
  [[nodiscard]] virtual const Schema* Find(std::string_view table) const = 0;
  [[nodiscard]] virtual std::vector<std::string_view> Names() const = 0;
  // False of a table that is known and never has rows here. Patterns of names leave such tables out
  // when they fit others.
  [[nodiscard]] virtual bool MayHaveRows(std::string_view /*table*/) const { return true; }
  // The local file that stands for an address of externaldata, and a watchlist's CSV. Errors say
  // why there is none and what to do: NoExternalFile, NoWatchlist when nobody named it.
  [[nodiscard]] virtual Result<LocalFile> ExternalFile(std::string_view address) const;
  [[nodiscard]] virtual Result<LocalFile> Watchlist(std::string_view alias) const;
  // Whether scans of the table can give the text of a member of the column's JSON (ScanColumn).
  [[nodiscard]] virtual bool KeepsMember(std::string_view /*table*/, std::size_t /*column*/,
                                         std::string_view /*member*/) const {
    return false;
  }
};

// What a scan is asked for: a column of the table's schema or, when a member is named, the text
// that tostring() gives of that member of the column's JSON ('' when there is none).
struct ScanColumn {
  std::size_t column = 0;
  std::string member;
  bool operator==(const ScanColumn&) const = default;
};

// A condition that a source may use to skip rows: column OP value, both of the same type.
struct Condition {
  enum class Operator : std::uint8_t { kEqual, kLess, kLessEqual, kGreater, kGreaterEqual };
  std::size_t column = 0;  // of the table's schema
  Operator op = Operator::kEqual;
  Value value;
};

struct ScanRequest {
  std::string table;
  std::vector<ScanColumn> columns;     // in the order wanted
  std::optional<Instant> from, until;  // of TimeGenerated, both inclusive
  std::int64_t after_seq = 0;          // only rows that came or changed after it
  std::int64_t until_seq = INT64_MAX;
  // Hints: a source may return more rows, never fewer; every condition is applied again.
  std::vector<Condition> conditions;
  std::stop_token stop{};  // for sources that work long before they give rows: kCancelled
};

class TableScan {
 public:
  virtual ~TableScan() = default;
  // Up to `most` further rows, with their keys. No rows: done.
  [[nodiscard]] virtual Result<Batch> Next(std::size_t most) = 0;
};

// Where tables' rows are. Rows come in (TimeGenerated, Id) order, so that arbitrary picks repeat.
class TableSource {
 public:
  virtual ~TableSource() = default;
  [[nodiscard]] virtual Result<std::unique_ptr<TableScan>> Scan(const ScanRequest& request) = 0;
  // Whether the column adds little to what a row of a scan costs.
  [[nodiscard]] virtual bool Cheap(std::string_view /*table*/, const ScanColumn& /*column*/) const {
    return true;
  }
};

}  // namespace picket::kql
